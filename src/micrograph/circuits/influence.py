"""Which nodes and edges of an attribution graph matter: pruning by cumulative influence.

The rule of circuit-tracer (Ameisen et al., "Circuit Tracing", 2025): every node hands its influence
on to its inputs in shares of their absolute weights, the target's is 1. Kept are the fewest nodes
that have together the wanted part of all influence, then the fewest edges among them, then what
still has a way in and out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Inputs:
    """What a node is made of: the largest `weights` by `sources`; and of all inputs, unlisted ones
    too, the sum of their absolute weights (`total`), their `sum` and their `count`."""

    sources: np.ndarray
    weights: np.ndarray
    total: float
    sum: float = 0.0
    count: int = 0


@dataclass(frozen=True)
class Pruned:
    """What is kept: nodes, and edges (target, source) with their influence."""

    nodes: frozenset[int]
    edges: Mapping[tuple[int, int], float]


def influence(inputs: Mapping[int, Inputs], order: Sequence[int], size: int) -> np.ndarray:
    """The influence of each of `size` nodes on the first of `order`, which has 1 of itself.

    `order` has every node of `inputs` before those that it reads.
    """
    found = np.zeros(size)
    found[order[0]] = 1.0
    for node in order:
        add_influence(found, node, inputs[node])
    return found


def add_influence(scores: np.ndarray, node: int, inputs: Inputs) -> None:
    """Hand the influence of `node` on to its inputs, in `scores`."""
    if inputs.total > 0:
        np.add.at(scores, inputs.sources, scores[node] * np.abs(inputs.weights) / inputs.total)


def cumulative(scores: np.ndarray) -> np.ndarray:
    """For each node the part of all influence that it and all more influential ones have."""
    order = np.argsort(-scores, kind="stable")
    found = np.empty_like(scores)
    together = scores.sum()
    found[order] = np.cumsum(scores[order]) / together if together > 0 else 1.0
    return found


def least_kept(scores: np.ndarray, part: float) -> float:
    """The score of the last one that is needed for that part of their sum."""
    ordered = -np.sort(-scores)
    if part >= 1 or not len(ordered) or ordered.sum() <= 0:
        return 0.0
    shares = np.cumsum(ordered) / ordered.sum()
    return float(ordered[min(int(np.searchsorted(shares, part)), len(ordered) - 1)])


def prune(
    inputs: Mapping[int, Inputs],
    order: Sequence[int],
    scores: np.ndarray,
    always: Collection[int],
    keep_nodes: float,
    keep_edges: float,
) -> Pruned:
    """What is kept of the graph. `scores` are `influence`; `always` the target and the picture."""
    others = scores.copy()
    others[order[0]] = 0.0  # its own is no influence of anything on it
    kept = {
        int(n) for n in np.flatnonzero((others >= least_kept(others, keep_nodes)) & (others > 0))
    }
    kept |= set(always)
    inside = {node: among(inputs[node], kept) for node in order if node in kept}
    passed = influence(inside, [node for node in order if node in kept], len(scores))
    edges = {
        (node, int(source)): passed[node] * abs(float(weight)) / one.total
        for node, one in inside.items()
        for source, weight in zip(one.sources, one.weights, strict=True)
        if weight != 0
    }
    bound = least_kept(np.array(list(edges.values())), keep_edges)
    edges = {edge: score for edge, score in edges.items() if score >= bound}
    while True:
        left = _connected(kept, edges, inputs, always)
        if left == kept:
            return Pruned(frozenset(kept), edges)
        kept = left
        edges = {(t, s): score for (t, s), score in edges.items() if t in kept and s in kept}


def _connected(
    kept: set[int],
    edges: Iterable[tuple[int, int]],
    inputs: Mapping[int, Inputs],
    always: Collection[int],
) -> set[int]:
    """Those of `kept` that lead somewhere and, if their inputs are known, come from somewhere."""
    leads = {source for _, source in edges}
    comes = {target for target, _ in edges}
    return {
        node
        for node in kept
        if node in always or (node in leads and (node in comes or node not in inputs))
    }


def among(one: Inputs, kept: Collection[int]) -> Inputs:
    """The inputs that are among `kept`, as if there were no others."""
    inside = np.isin(one.sources, np.array(sorted(kept)))
    weights = one.weights[inside]
    return Inputs(one.sources[inside], weights, float(np.abs(weights).sum()))
