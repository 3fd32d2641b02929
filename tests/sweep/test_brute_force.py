"""Everything that a sweep tells of a unit, against sorting and counting all of its values."""

import itertools

import numpy as np
import pytest
import torch
from sweeping import pictures, small_model, swept

from micrograph.datasets import batches
from micrograph.models import load
from micrograph.sweep import node_arrays, unit_data
from micrograph.sweep.look import _samples
from micrograph.sweep.results import LEVELS, _hash


def all_values(model, dataset, node, size):
    """Activations and values before the activation, float32 [picture, unit, y * x], and those of
    the sampled positions, [unit, n]."""
    found = []
    for pre_relu in (False, True):
        values = []
        with torch.inference_mode():
            indices = range(-(-len(dataset) // size))
            for batch in batches(dataset, model.preprocessing, size, indices):
                out = model.run(batch.images(), [node], pre_relu=pre_relu)[node]
                out = out if out.ndim == 4 else out[:, :, None, None]
                sampled = _samples(out, batch.index)[batch.valid]
                values.append((out.flatten(2)[batch.valid].numpy(), sampled.numpy()))
        found.append(values)
    after, before = found
    return (
        np.concatenate([v for v, _ in after]),
        np.concatenate([v for v, _ in before]),
        np.concatenate([s for _, s in before]).transpose(2, 0, 1).reshape(after[0][0].shape[1], -1),
    )


def check(model, dataset, tally, node, k=5):
    after, before, sampled = all_values(model, dataset, node, tally.spec.batch)
    units = range(after.shape[1])
    for unit, data in zip(units, unit_data(tally, node, units, seed=7), strict=True):
        every = [
            (float(v), n, p)
            for n, picture in enumerate(after[:, unit])
            for p, v in [(int(picture.argmax()), picture.max())]
        ]
        by_size = sorted(every, key=lambda e: (-e[0], e[1], e[2]))
        assert same(data["top"], by_size[:k])
        lowest = [
            (float(picture.min()), n, int(picture.argmin()))
            for n, picture in enumerate(before[:, unit])
        ]
        assert same(data["bottom"], sorted(lowest)[:3])
        assert data["max"] == short(max(every)[0])
        assert data["min"] == short(min(lowest)[0])

        values = sampled[unit].astype(np.float64)
        assert data["positions"] == values.size
        assert data["mean"] == pytest.approx(values.mean(), rel=1e-5, abs=1e-6)
        assert data["sd"] == pytest.approx(values.std(), rel=1e-4, abs=1e-6)
        assert data["share"] == pytest.approx((values > 0).mean(), abs=1e-6)
        bins = data["histogram"]
        edges = np.linspace(bins["low"], bins["high"], len(bins["counts"]) + 1)
        # All bins but numpy's last are half-open, as ours are; one more takes its closed edge.
        step = edges[1] - edges[0]
        counts = np.histogram(values, np.append(edges, edges[-1] + step))[0]
        assert counts[:-1].tolist() == bins["counts"]
        assert sum(bins["counts"]) == values.size

        maxima = after[:, unit].max(axis=1)
        assert data["fires"] == (maxima > 0).sum()
        for q, value in data["picture_max"].items():
            assert value == pytest.approx(np.quantile(maxima, float(q)), rel=1e-6)
        for q, value in data["picture_mean"].items():
            means = after[:, unit].mean(axis=1, dtype=np.float64)
            assert value == pytest.approx(np.quantile(means, float(q)), rel=1e-4, abs=1e-6)
        check_bands(data["bands"], every, unit)
        check_classes(data["classes"], maxima, dataset)


def short(value):
    return float(str(np.float32(value)))


def same(examples, expected):
    return examples == [[n, p, short(v)] for v, n, p in expected]


def check_bands(bands, every, unit):
    maxima = np.array([v for v, _, _ in every], dtype=np.float32)
    edges = sorted(set(np.quantile(maxima, LEVELS).astype(np.float32).tolist()))
    pairs = list(itertools.pairwise(edges)) or [(edges[0], edges[0])]
    expected = []
    for k, (low, high) in enumerate(pairs):
        last = k == len(pairs) - 1
        inside = [e for e in every if e[0] >= low and (last or e[0] < high)]
        keys = _hash(7, unit, np.arange(len(every)))
        chosen = sorted(sorted(inside, key=lambda e: keys[e[1]])[:4])
        if chosen:
            expected.append((short(low), short(high), [[n, p, short(v)] for v, n, p in chosen]))
    assert [(b["low"], b["high"], b["examples"]) for b in bands] == expected


def check_classes(found, maxima, dataset):
    classes = np.array([e.cls for e in dataset.entries])
    means = {c: maxima[classes == c].mean(dtype=np.float64) for c in set(classes) if c >= 0}
    total = sum(max(m, 0) for m in means.values()) or 1
    expected = sorted(means, key=lambda c: (-round(means[c], 6), c))[:10]
    assert [c for c, _, _ in found] == expected
    for c, mean, share in found:
        assert mean == pytest.approx(means[c], rel=1e-5, abs=1e-6)
        assert share == pytest.approx(max(means[c], 0) / total, abs=1e-4)


def test_every_node_of_a_small_network(tmp_path):
    model = small_model()
    dataset, tally = swept(model, pictures(tmp_path, 75, equal=4))
    before = {node: flag for node, _, flag in tally.spec.nodes}
    assert before["both"]
    assert before["stem"]
    assert not before["plain"]
    for node in model.nodes:
        if model.nodes[node].units:
            check(model, dataset, tally, node)


def test_toytown():
    model = load("toytown")
    from micrograph.datasets import open_dataset
    from micrograph.sweep import Look, Tally, collect, specify

    dataset = open_dataset("toytown:50")
    look = Look(model, [model.node(n) for n in ("conv0", "mixed4a", "logits")])
    tally = Tally(specify(model, dataset, look, largest=5, smallest=3, code="test"))
    collect(model, dataset, look, tally, range(tally.spec.batches))
    for node in ("mixed4a", "logits"):
        check(model, dataset, tally, node)
    arrays = node_arrays(tally, "mixed4a")
    after, _, _ = all_values(model, dataset, "mixed4a", tally.spec.batch)
    maxima = after.max(axis=2).T
    low, high = arrays["low"][:, None], arrays["high"][:, None]
    back = low + arrays["profile"] / 255 * (high - low)
    assert np.abs(back - maxima).max() <= (high - low).max() / 255 / 2 + 1e-5
    assert arrays["numbers"].tolist() == list(range(50))
