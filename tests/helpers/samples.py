"""A small atlas of an invented model, for tests that need one to read."""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from micrograph.atlas import AtlasWriter, ModelRecord, NodeRecord, Picture, Visualization, encode

MODEL = ModelRecord(
    id="tinynet",
    title="TinyNet",
    digest="ab" * 32,
    summary="A net of four nodes.",
    parameters=1234,
    labels=("car", "bus", "wild cat"),
    preprocessing={"size": 32, "resize": 32},
    paper="On small nets",
    paper_url="https://example.org/tiny",
    licence="CC0",
    lineage="invented",
)


def node(
    id: str,
    index: int,
    units: int,
    parents: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
    kind: str = "conv",
) -> NodeRecord:
    """A node of a map 8 x 8, or a flat one when `kind` is "dense"."""
    shape = () if kind == "dense" else (8, 8)
    field = (3 + 4 * index, 2, -1, "exact")
    return NodeRecord(id, index, kind, units, shape, *field, parents, aliases)


NODES = (
    node("conv0", 0, 8),
    node("mixed1a", 1, 16, ("conv0",), ("1a", "inception_1a")),
    node("mixed1b", 2, 12, ("mixed1a",), ("1b",)),
    node("logits", 3, 3, ("mixed1b",), ("fc",), kind="dense"),
)


def image(seed: int, size: int = 32) -> np.ndarray:
    """Coloured waves, uint8 [size, size, 3], different for each seed."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    waves = [np.sin(6.3 * (a * x + b * y) + c) for a, b, c in rng.uniform(0, 4, (3, 3))]
    return np.round(np.stack(waves, -1) * 100 + 128).astype(np.uint8)


def picture(seed: int, size: int = 32) -> Picture:
    """`image` as PNG."""
    return encode(image(seed, size), "png")


def recipe(variant: str = "channel", seed: int = 0, size: int = 32, **more: Any) -> dict[str, Any]:
    """A recipe in the form techniques make them."""
    return {
        "technique": "feature_vis",
        "variant": variant,
        "view": variant,
        "seed": seed,
        "size": size,
        "model": MODEL.id,
        "digest": MODEL.digest,
        "revision": 1,
        **more,
    }


def visualization(
    node: str,
    unit: int | None,
    variant: str = "channel",
    seed: int = 0,
    size: int = 32,
    created: str = "2026-11-21T12:00:00Z",
    data: Mapping[str, Any] | None = None,
    **more: Any,
) -> Visualization:
    """A visualization whose picture depends on the address and the recipe."""
    what = zlib.crc32(repr((node, unit, variant, seed, size, sorted(more.items()))).encode())
    return Visualization(
        node=node,
        unit=unit,
        recipe=recipe(variant, seed, size, **more),
        score=what % 1000 / 10,
        picture=picture(what, size),
        data=data or {},
        made_with={"micrograph": "0.1.0"},
        created=created,
        seconds=0.5,
    )


def sample_atlas(
    folder: Path,
    visualizations: Iterable[Visualization] | None = None,
    model: ModelRecord = MODEL,
    nodes: tuple[NodeRecord, ...] = NODES,
) -> Path:
    """Write `folder/<model>.atlas`; by default every unit's channel picture at 32 px, and unit 0
    of every node with both signs, two seeds and 64 px. Returns its path."""
    if visualizations is None:
        visualizations = [visualization(n.id, u) for n in nodes for u in range(n.units)] + [
            visualization(n.id, 0, variant, seed, 64)
            for n in nodes
            for variant in ("channel", "channel-negative")
            for seed in (0, 1)
        ]
    path = folder / f"{model.id}.atlas"
    with AtlasWriter.open(path, model, nodes) as writer:
        writer.put(visualizations)
    return path
