"""Results of every lens for the sample model, as the lenses leave them in an atlas."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import web_samples as samples
from connection_samples import connections

from micrograph.atlas import AtlasWriter, DatasetRecord, Picture, SampleRecord, Visualization

MODEL = replace(samples.MODEL, id="lensed")
PICTURES = 48
"""In the sample dataset. Number n is of class n % 3."""
DATASET = DatasetRecord(
    "toys",
    "d1" * 32,
    "Toys of all kinds",
    PICTURES,
    32,
    "CC0",
    ("car", samples.HOSTILE, "cat"),
)
OTHER = DatasetRecord("others", "d2" * 32, "Other things", PICTURES, 32)
SOURCES = DatasetRecord("pictures", "d3" * 32, "Source pictures", 2, 32)
GRATINGS = DatasetRecord("tuning-gratings", "d4" * 32, "Gratings", 12, 32)
AXES = [
    {
        "name": "orientation",
        "title": "stripes along",
        "unit": "°",
        "values": [0, 45, 90, 135],
        "circular": True,
        "period": 180,
    },
    {
        "name": "wavelength",
        "title": "wavelength",
        "unit": "px",
        "values": [4, 8, 16],
        "circular": False,
    },
]
UNIT = ("mixed1a", 3)
"""The unit that has everything."""


def result(
    technique: str,
    variant: str,
    node: str,
    unit: int | None,
    data: Mapping[str, Any],
    picture: Picture | None = None,
    score: float = 1.5,
    arrays: Mapping[str, Any] | None = None,
) -> Visualization:
    recipe = {
        "technique": technique,
        "variant": variant,
        "view": variant,
        "seed": 0,
        "model": samples.MODEL.id,
    }
    return Visualization(
        node,
        unit,
        recipe,
        score,
        picture,
        data,
        {"torch": "2.13.0"},
        "2026-11-22T03:00:00Z",
        0.1,
        arrays or {},
    )


def examples(unit: int, dataset: DatasetRecord) -> dict[str, Any]:
    """Data of dataset_examples: picture n fires with n / 10 at position n."""
    ranked = [[n, n % 64, n / 10] for n in range(PICTURES)]
    return {
        "dataset": dataset.digest,
        "top": ranked[::-1][:9],
        "bottom": ranked[:4],
        "bands": [
            {"low": k / 2, "high": (k + 1) / 2, "examples": ranked[5 * k : 5 * k + 3]}
            for k in range(8)
        ],
        "histogram": {
            "low": -1.0,
            "high": 4.8,
            "counts": [1000, 200, 30, 4, 0, 1],
            "of": "values before the activation",
        },
        "mean": 0.25,
        "sd": 0.5,
        "min": 0.0,
        "max": 4.7,
        "share": 0.034,
        "picture_max": {"0.5": 1.2, "0.9": 3.0, "0.99": 4.5, "1": 4.7},
        "picture_mean": {"0.5": 0.1, "0.9": 0.2, "0.99": 0.4, "1": 0.5},
        "classes": [[1, 2.5, 0.5], [0, 1.5, 0.3], [2, 1.0, 0.2]],
    }


def of_node(node: str, units: int) -> Iterator[Visualization]:
    """What the lenses of the node as a whole, and sweeps, leave."""
    rng = np.random.default_rng(units)
    source = [SOURCES.digest, 1]
    yield result("deepdream", "node", node, None, {}, samples.picture(1))
    for name in ("astronaut", "harbour-at-night"):
        for technique in ("caricature", "activation_grid"):
            data = {"source": source, "rows": 4, "columns": 4, "norms": [[0.5] * 4] * 4}
            yield result(technique, name, node, None, data, samples.picture(len(name)))
    yield result(
        "neuron_groups",
        "astronaut",
        node,
        None,
        {
            "groups": [
                {"map": [[0, 0.5], [1, 0.25]], "units": [[0, 3.0], [1, 2.0]], "strength": 0.75},
                {"map": [[1, 0], [0, 0]], "units": [[2, 1.0]], "strength": 0.25},
            ],
            "columns": 2,
            "source": source,
        },
        samples.picture(5, 64),
    )
    yield result(
        "tuning",
        "gratings",
        node,
        None,
        {
            "family": "gratings",
            "title": "Gratings",
            "dataset": GRATINGS.digest,
            "axes": AXES,
            "baseline_of": "grey",
        },
        arrays={
            "responses": rng.uniform(0, 4, (units, 4, 3)).astype(np.float16),
            "baseline": np.full(units, 0.5, np.float16),
        },
    )
    near = np.array([[(u + k + 1) % units for k in range(3)] for u in range(units)], np.int32)
    yield result(
        "similar",
        "weights",
        node,
        None,
        {},
        arrays={
            "near": near,
            "cosine": np.full(near.shape, 0.75, np.float16),
        },
    )
    for variant, data, arrays in connections(units, "conv0", 8):
        yield result("connections", variant, node, None, data, arrays=arrays)
    yield result(
        "unit_map",
        "node",
        node,
        None,
        {"method": "By weights."},
        arrays={
            "xy": rng.uniform(0, 1, (units, 2)).astype(np.float32),
        },
    )
    yield result(
        "unit_map",
        "model",
        node,
        None,
        {"method": "By weights."},
        arrays={
            "xy": rng.uniform(0, 1, (units, 2)).astype(np.float32),
        },
    )
    for unit in range(units):
        for dataset in (DATASET, OTHER):
            yield result("dataset_examples", dataset.name, node, unit, examples(unit, dataset))
    yield result(
        "dataset_examples",
        DATASET.name,
        node,
        None,
        {"dataset": DATASET.digest},
        arrays={
            "profile": rng.integers(0, 255, (units, PICTURES)).astype(np.uint8),
            "low": np.zeros(units, np.float32),
            "high": np.ones(units, np.float32),
            "numbers": np.arange(PICTURES, dtype=np.int32),
        },
    )


def of_unit(node: str, unit: int) -> Iterator[Visualization]:
    """What the lenses of one unit leave."""
    yield result(
        "diversity",
        "facets",
        node,
        unit,
        {"columns": 2, "rows": 2, "scores": [3.0, 2.0, 1.0, 0.5]},
        samples.picture(7, 64),
    )
    yield result("maco", "channel", node, unit, {}, samples.picture(8, 64))
    yield result(
        "prototype",
        "toys",
        node,
        unit,
        {
            "dataset": DATASET.digest,
            "examples": [4, 1, 7],
            "nodes": [["conv0", 0.25], ["gone", 0.5]],
            "typical": 0.75,
            "reason": "",
        },
        samples.picture(13, 64),
    )
    yield result(
        "joint",
        "with-conv0-2",
        node,
        unit,
        {"partner": ["conv0", 2], "columns": 5},
        samples.picture(9, 64),
    )
    yield result("faceted_feature_vis", "a-vehicle", node, unit, {}, samples.picture(10, 64))
    yield result("feature_vis", "alpha", node, unit, {}, samples.picture(11, 64))
    yield result(
        "feature_vis",
        "neuron-at-2-7",
        node,
        unit,
        {"company": [[3, 2.0], [4, 1.0]]},
        samples.picture(12, 64),
    )
    yield result(
        "text_feature_vis",
        "search",
        node,
        unit,
        {
            "texts": [[0.5, "a wild cat"], [0.75, f"cats {samples.HOSTILE}"]],
            "tokens": [[0.4, "cat"], [0.2, "dog"]],
        },
    )
    yield result(
        "attribution",
        "astronaut",
        node,
        unit,
        {
            "source": [SOURCES.digest, 1],
            "position": 3,
            "map": [[0.5, -2], [0, 1]],
            "target": 4.0,
            "baseline": 0.5,
            "nodes": [
                {"node": "conv0", "units": [[2, 3.0], [1, -1.5], [99, 1.0]], "total": 3.5},
                {"node": "no-such-node", "units": [[0, 1.0]], "total": 1.0},
            ],
        },
    )
    yield result("third_party", "view one", node, unit, {"answer": 42}, samples.picture(13))


def write(folder: Path) -> Path:
    """Write `folder/lensed.atlas`."""
    path = folder / f"{MODEL.id}.atlas"
    with AtlasWriter.open(path, MODEL, samples.NODES) as writer:
        plain = ("conv0", "mixed1a", "logits")
        writer.put(v for v in samples.visualizations() if v.node in plain)
        add(writer)
    return path


def add(writer: AtlasWriter) -> None:
    """The results of every lens."""
    pictures = [samples.picture(2000 + n) for n in range(PICTURES)]
    for dataset in (DATASET, OTHER):
        writer.put_samples(
            dataset,
            [
                SampleRecord(n, f"toy-{n}.png", n % 3 if dataset.classes else -1, p)
                for n, p in enumerate(pictures)
            ],
        )
    writer.put_samples(
        SOURCES,
        [SampleRecord(n, name, -1, pictures[n]) for n, name in enumerate(("rocket", "astronaut"))],
    )
    writer.put_samples(
        GRATINGS, [SampleRecord(n, f"grating {n}", -1, pictures[n]) for n in range(12)]
    )
    node, unit = UNIT
    units = next(n.units for n in samples.NODES if n.id == node)
    writer.put([*of_node(node, units), *of_unit(node, unit)])
