"""What is true of units of a network that looks at toytown: by masks, and by scenes drawn again.

Three truths, each stricter than the one before:

- *shown*: the source means a part, and the target a thing that is composed of it. Units mean what
  the exact masks show where they fire (network dissection).
- *needed*: and erasing the part from the scenes takes away at least half of the target's answer, at
  the place where it answered. The generator draws the same scene again without the part.
- *carried*: and what erasing does to the source alone, everything else being as in the whole scene,
  takes something of the target: the part reaches the target by way of this source.

None of them knows of the evidence that claims are judged by, and they use other pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from micrograph.circuits.claims.answers import as_map
from micrograph.circuits.claims.silencing import Replaying
from micrograph.circuits.claims.statistics import bootstrap
from micrograph.files import fresh_file
from micrograph.models.model import Model
from micrograph.organisms.toytown import scenes
from micrograph.organisms.toytown.composition import COMPOSED
from micrograph.organisms.toytown.parts import PARTS

THINGS = tuple(COMPOSED)
FIRST = scenes.HELD_OUT + 10_000
"""Seed of the first scene; those of the evidence begin at `HELD_OUT`."""
CELLS = 12
SHOWN = 1 / 3
"""The share of a cell from which it counts as showing a concept."""
LEAST = 30
"""Pixels of a part that can be erased."""
QUANTILE = 0.99
"""A unit fires where it is above this quantile of all its values."""
TOP = 20
"""Scenes on which a unit's answer is looked at: its strongest ones."""
FEWEST = 5
"""Of these, at least so many must show the part."""


@dataclass(frozen=True)
class Scenes:
    """`images` uint8 [scene, y, x, rgb] and `erased` [row, y, x, rgb], where `rows` [row, 2] names
    scene and part; bool over cells, `parts` [scene, part, y, x], `things` [scene, thing, y, x]."""

    images: np.ndarray
    parts: np.ndarray
    things: np.ndarray
    erased: np.ndarray
    rows: np.ndarray


def drawn(count: int, folder: Path) -> Scenes:
    """Scenes, and each of them again without each part of its thing; kept in `folder`."""
    file = folder / f"scenes-{count}.npz"
    if not file.exists():
        parts = np.zeros((count, len(PARTS), CELLS, CELLS), bool)
        things = np.zeros((count, len(THINGS), CELLS, CELLS), bool)
        images, erased, rows = [], [], []
        for number in range(count):
            one = scenes.scene(FIRST + number)
            parts[number] = _cells(one.masks) > SHOWN
            things[number, one.label] = _cells(one.figure[None])[0] > SHOWN
            images.append(one.image)
            for part in sorted(COMPOSED[THINGS[one.label]]):
                if one.masks[PARTS.index(part)].sum() / 4 >= LEAST:
                    erased.append(scenes.picture(one.seed, without=[part]))
                    rows.append((number, PARTS.index(part)))
        folder.mkdir(parents=True, exist_ok=True)
        with fresh_file(file) as fresh, fresh.open("wb") as out:
            np.savez(
                out,
                images=np.stack(images),
                parts=parts,
                things=things,
                erased=np.stack(erased),
                rows=np.array(rows),
            )
    with np.load(file) as kept:
        return Scenes(**{name: kept[name] for name in kept.files})


def _cells(counts: np.ndarray) -> np.ndarray:
    step = counts.shape[-1] // CELLS
    found: np.ndarray = counts.reshape(-1, CELLS, step, CELLS, step).mean((2, 4)) / 4
    return found


def as_images(pixels: np.ndarray) -> Tensor:
    """RGB [picture, 3, y, x] in 0..1."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255


@dataclass(frozen=True)
class Units:
    """Of the units of a node: `overlap` [unit, concept] with masks (intersection over union), `top`
    their strongest answers [scene, unit]; `fall` [unit, part] the share that erasing a part takes
    of the answers to those of the strongest scenes that show it, `shown` [unit, part] of them."""

    overlap: np.ndarray
    top: np.ndarray
    fall: np.ndarray
    shown: np.ndarray


@torch.no_grad()
def units_of(model: Model, nodes: tuple[str, str], seen: Scenes) -> tuple[Units, Units]:
    """What the units of both nodes mean (parts, and things), and what they lose when parts are
    erased."""
    maps = _joined([_maps(model, nodes, some) for some in _pieces(seen.images)])
    found = [one.flatten(2).max(2) for one in maps]
    without = []
    for rows, some in zip(_pieces(seen.rows), _pieces(seen.erased), strict=True):
        scene = torch.from_numpy(rows[:, 0])
        at = [where[scene][:, :, None] for _, where in found]
        after = _maps(model, nodes, some)
        without.append(
            [one.flatten(2).gather(2, k)[..., 0] for one, k in zip(after, at, strict=True)]
        )
    source, target = (
        _units(seen, one, peak.numpy(), after.numpy(), concepts)
        for one, (peak, _), after, concepts in zip(
            maps, found, _joined(without), (seen.parts, seen.things), strict=True
        )
    )
    return source, target


def _units(
    seen: Scenes, maps: Tensor, base: np.ndarray, after: np.ndarray, concepts: np.ndarray
) -> Units:
    top = (np.argsort(np.argsort(-base, axis=0, kind="stable"), axis=0) < TOP) & (base > 0)
    whole, used = base[seen.rows[:, 0]], top[seen.rows[:, 0]]
    fall, shown = (np.zeros((base.shape[1], len(PARTS))) for _ in range(2))
    for part in range(len(PARTS)):
        mine = seen.rows[:, 1] == part
        shown[:, part] = used[mine].sum(0)
        before, left = (np.where(used[mine], x[mine], 0).sum(0) for x in (whole, after))
        fall[:, part] = np.where(before > 0, 1 - left / np.maximum(before, 1e-9), 0)
    return Units(_overlaps(maps, concepts), base, fall, shown)


def _joined(pieces: list[list[Tensor]]) -> list[Tensor]:
    return [torch.cat(some) for some in zip(*pieces, strict=True)]


def _pieces(x: np.ndarray, size: int = 20) -> list[np.ndarray]:
    return [x[first : first + size] for first in range(0, len(x), size)]


def _maps(model: Model, nodes: tuple[str, str], pixels: np.ndarray) -> list[Tensor]:
    values = model.run(as_images(pixels), list(nodes))
    return [as_map(values[node]).float() for node in nodes]


def _overlaps(maps: Tensor, concepts: np.ndarray) -> np.ndarray:
    values = maps.numpy().transpose(1, 0, 2, 3).reshape(maps.shape[1], -1)
    limit = np.quantile(values, QUANTILE, axis=1, keepdims=True)
    fires = (values > np.maximum(limit, 0)).astype(np.float32)
    step = CELLS // maps.shape[2]
    count, kinds = concepts.shape[:2]
    there = concepts.reshape(count, kinds, CELLS // step, step, CELLS // step, step).mean((3, 5))
    there = (there > SHOWN).transpose(1, 0, 2, 3).reshape(kinds, -1).astype(np.float32)
    both = fires @ there.T
    found: np.ndarray = both / np.maximum(fires.sum(1)[:, None] + there.sum(1)[None] - both, 1)
    return found


def matched(found: np.ndarray, least: float, count: int) -> dict[int, int]:
    """The units that mean a concept: of `found` overlaps [unit, concept], the best `count` units of
    each concept that overlap by `least` and with no other concept more."""
    best = found.argmax(1)
    return {
        int(unit): concept
        for concept in range(found.shape[1])
        for unit in np.argsort(-found[:, concept], kind="stable")[:count]
        if found[unit, concept] >= least and best[unit] == concept
    }


@torch.no_grad()
def carried(
    model: Model,
    nodes: tuple[str, str],
    seen: Scenes,
    top: np.ndarray,
    unit: int,
    part: int,
    sources: Sequence[Sequence[int]],
    pictures: int = 6,
) -> list[tuple[float, float]]:
    """What the target `unit` loses where each group of sources alone does what it does in the scene
    without the part: the share at the place where it answers most, and the lower end of its 95 %
    interval; nothing where too few scenes show the part. `top` [scene, target unit] are its
    answers."""
    order = np.argsort(-top[:, unit], kind="stable")[:TOP]
    row_of = {int(s): k for k, (s, p) in enumerate(seen.rows) if p == part}
    rows = [row_of[int(s)] for s in order if int(s) in row_of and top[s, unit] > 0][:pictures]
    if len(rows) < FEWEST:
        return []
    source, target = nodes
    runs = Replaying(model, as_images(seen.images[seen.rows[rows, 0]]), source, target)
    without = model.run(as_images(seen.erased[rows]), [source])[source]
    base, where = runs.base[:, unit].flatten(1).max(1)
    found = []
    for some in sources:
        values = runs.values.clone()
        values[:, some] = without[:, some]
        after = runs.run(values)[:, unit].flatten(1).gather(1, where[:, None])[:, 0]
        shares = ((base - after) / base.clamp(min=1e-6)).numpy().astype(np.float64)
        found.append((float(shares.mean()), bootstrap(shares)[0]))
    return found
