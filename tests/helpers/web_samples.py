"""A small invented model with an Inception module, hostile words and a wide node, as an atlas."""

import zlib
from pathlib import Path

import numpy as np

from micrograph.atlas import AtlasWriter, ModelRecord, NodeRecord, Picture, Visualization, encode

HOSTILE = '<script>alert("x")</script>'
MODEL = ModelRecord(
    id="tinynet",
    title=f"TinyNet {HOSTILE}",
    digest="ab" * 32,
    summary=f"Small & {HOSTILE}",
    parameters=1234,
    labels=("car", HOSTILE, "wild cat"),
    preprocessing={"size": 32, "resize": 32},
    paper="On small nets",
    paper_url="javascript:alert(1)",
    licence="CC0",
    lineage="invented",
)


def node(
    id: str,
    index: int,
    units: int,
    parents: tuple[str, ...] = (),
    kind: str = "conv",
    aliases: tuple[str, ...] = (),
    shape: tuple[int, ...] = (8, 8),
) -> NodeRecord:
    return NodeRecord(id, index, kind, units, shape, 3 + index, 2, -1, "exact", parents, aliases)


NODES = (
    node("conv0", 0, 8),
    node("pool0", 1, 8, ("conv0",), "pool"),
    node("mixed1a_1x1", 2, 6, ("pool0",)),
    node("mixed1a_3x3_reduce", 3, 4, ("pool0",)),
    node("mixed1a_3x3", 4, 10, ("mixed1a_3x3_reduce",)),
    node("mixed1a", 5, 16, ("mixed1a_1x1", "mixed1a_3x3"), "concat", ("1a", "inception_1a")),
    node("wide", 6, 1024, ("mixed1a",)),
    node("empty", 7, 5, ("wide",)),
    node("logits", 8, 3, ("empty",), "dense", ("fc",), shape=()),
)
VARIANTS = ("channel", "neuron", "channel-negative", "neuron-negative")


def picture(key: int, size: int = 32) -> Picture:
    """Coloured waves, different for each key."""
    rng = np.random.default_rng(key)
    y, x = np.mgrid[0:size, 0:size] / size
    waves = [np.sin(6.3 * (a * x + b * y) + c) for a, b, c in rng.uniform(0, 4, (3, 3))]
    return encode(np.round(np.stack(waves, -1) * 100 + 128).astype(np.uint8), "png")


_WIDE = [picture(1000 + key, 16) for key in range(40)]


def visualization(
    node: str,
    unit: int,
    variant: str = "channel",
    seed: int = 0,
    size: int = 32,
    shared: Picture | None = None,
) -> Visualization:
    key = zlib.crc32(f"{node} {unit} {variant} {seed} {size}".encode())
    recipe = {
        "technique": "feature_vis",
        "variant": variant,
        "view": variant,
        "seed": seed,
        "size": size,
        "model": MODEL.id,
        "digest": MODEL.digest,
        "revision": 1,
    }
    return Visualization(
        node=node,
        unit=unit,
        recipe=recipe,
        score=key % 1000 / 10,
        picture=shared or picture(key, size),
        made_with={"micrograph": "0.1.0", "torch": "2.13.0"},
        created="2026-11-21T12:00:00Z",
        seconds=0.5,
    )


def visualizations() -> list[Visualization]:
    """Every unit's channel picture but those of `empty`; unit 3 of mixed1a has all there is."""
    plain = [
        visualization(n.id, u)
        for n in NODES
        if n.id in ("conv0", "mixed1a", "logits")
        for u in range(n.units)
    ]
    wide = [visualization("wide", u, shared=_WIDE[u % 40]) for u in range(1024)]
    rich = [
        visualization("mixed1a", 3, variant, seed, 64) for variant in VARIANTS for seed in (0, 1)
    ]
    return plain + wide + rich


def write(folder: Path) -> Path:
    """Write `folder/tinynet.atlas`."""
    path = folder / f"{MODEL.id}.atlas"
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        writer.put(visualizations())
    return path
