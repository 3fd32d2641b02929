"""Pruning against the rule as it was published: dense matrices, powers until nothing is left."""

import numpy as np

from micrograph.circuits.influence import Inputs, cumulative, influence, prune


def normalized(matrix):
    sums = np.abs(matrix).sum(1, keepdims=True)
    return np.abs(matrix) / np.clip(sums, 1e-10, None)


def powers(matrix, weights):
    current = weights @ matrix
    total = current.copy()
    while current.any():
        current = current @ matrix
        total = total + current
    return total


def threshold(scores, part):
    ordered = -np.sort(-scores)
    at = np.searchsorted(np.cumsum(ordered) / ordered.sum(), part)
    return ordered[min(at, len(ordered) - 1)]


def as_published(matrix, features, part_of_nodes, part_of_edges):
    """Nodes: `features` first, then one that is always kept, then the target. [target, source]."""
    size = len(matrix)
    weights = np.zeros(size)
    weights[-1] = 1.0
    scores = powers(normalized(matrix), weights)
    kept = scores >= threshold(scores, part_of_nodes)
    kept[features:] = True
    inside = matrix * kept[:, None] * kept[None]
    passed = powers(normalized(inside), weights) + weights
    edges = normalized(inside) * passed[:, None]
    mask = edges >= threshold(edges.flatten(), part_of_edges)
    before = None
    while before is None or (before != kept).any():
        before = kept.copy()
        mask = mask & kept[:, None] & kept[None]
        kept[:features] &= mask[:, :features].any(0) & mask[:features].any(1)
    return kept, mask & (inside != 0), scores


def test_it_keeps_what_the_published_rule_keeps():
    draw = np.random.default_rng(0)
    for _ in range(20):
        features = 30
        size = features + 2  # the picture, and the target
        matrix = np.zeros((size, size))
        for node in range(features):
            matrix[node, :node] = draw.normal(size=node) ** 3
            matrix[node, features] = draw.normal()
        matrix[-1, :-1] = draw.normal(size=size - 1) ** 3
        order = [size - 1, *reversed(range(features))]
        inputs = {}
        for node in order:
            sources = np.flatnonzero(matrix[node])
            some = matrix[node, sources]
            inputs[node] = Inputs(sources, some, float(np.abs(some).sum()))
        scores = influence(inputs, order, size)
        kept, mask, published = as_published(matrix, features, 0.8, 0.98)
        published[-1] = 1.0
        assert np.allclose(scores, published)
        found = prune(inputs, order, scores, [features, size - 1], 0.8, 0.98)
        assert found.nodes == set(np.flatnonzero(kept).tolist())
        assert set(found.edges) == {(int(t), int(s)) for t, s in np.argwhere(mask)}


def test_cumulative_influence_ends_at_one():
    assert np.allclose(cumulative(np.array([1.0, 3.0, 0.0, 4.0])), [1.0, 7 / 8, 1.0, 0.5])
