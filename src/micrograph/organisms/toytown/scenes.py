"""Toytown's pictures: 30 classes of things composed of shared parts, with exact part masks.

`scene(seed)` is a pure function of its arguments: the same seed gives the same picture on every
machine and in every process (up to the rounding of the image library's polygon filling).
Seeds below `HELD_OUT` are for training, those from `HELD_OUT` on for judging.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from micrograph.organisms.toytown import animals, buildings, faces, nature, vehicles
from micrograph.organisms.toytown.canvas import SUPER, Canvas
from micrograph.organisms.toytown.classes import CLASSES as CLASSES
from micrograph.organisms.toytown.palette import between, chance, color
from micrograph.organisms.toytown.parts import NONE, PARTS, part_index
from micrograph.organisms.toytown.surroundings import background, clutter, foreground
from micrograph.organisms.toytown.textures import SIDE, stack, texture_index

Painter = Callable[[Canvas], None]

PAINTERS: dict[str, Painter] = {  # in the order of CLASSES
    "car": vehicles.car,
    "bus": vehicles.bus,
    "tram": vehicles.tram,
    "van": vehicles.van,
    "lorry": vehicles.lorry,
    "bicycle": vehicles.bicycle,
    "tractor": vehicles.tractor,
    "locomotive": vehicles.locomotive,
    "boat": vehicles.boat,
    "balloon": vehicles.balloon,
    "house": buildings.house,
    "church": buildings.church,
    "castle": buildings.castle,
    "windmill": buildings.windmill,
    "lighthouse": buildings.lighthouse,
    "face": faces.face,
    "cat": faces.cat,
    "fox": faces.fox,
    "owl": faces.owl,
    "rabbit": faces.rabbit,
    "zebra": animals.zebra,
    "giraffe": animals.giraffe,
    "fish": animals.fish,
    "butterfly": animals.butterfly,
    "flower": nature.flower,
    "tree": nature.tree,
    "palm": nature.palm,
    "pine": nature.pine,
    "mushroom": nature.mushroom,
    "clock": nature.clock,
}

HELD_OUT = 1_000_000_000
"""First seed that is never trained on."""

UPRIGHT = frozenset({"butterfly", "fish", "balloon", "flower", "clock"})
"""Classes that may lean much further than the others (which stand on the ground)."""


@dataclass(frozen=True)
class DrawnScene:
    """One picture and all that is known about it."""

    image: NDArray[np.uint8]
    """[y, x, rgb], 0..255."""
    label: int
    """Index into `CLASSES`."""
    masks: NDArray[np.uint8]
    """[part, y, x] in the order of `PARTS`: how many of a pixel's 4 subsamples show the part.

    Occlusion is taken into account, so that one pixel's parts add up to at most 4. Parts that
    belong to clutter are included: a loose wheel is a wheel.
    """
    figure: NDArray[np.uint8]
    """[y, x]: how many of a pixel's 4 subsamples show the labelled thing itself."""
    seed: int
    setting: str
    """What is behind it: land, street, wall, sea, green, clouds, or any texture."""


def _count(hits: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Sum over each pixel's subsamples, [.., y * SUPER, x * SUPER] to [.., y, x]."""
    *lead, y, x = hits.shape
    cells = hits.reshape(*lead, y // SUPER, SUPER, x // SUPER, SUPER).astype(np.uint8)
    counts: NDArray[np.uint8] = cells.sum(axis=(-3, -1), dtype=np.uint8)
    return counts


def _paint(c: Canvas, label: int) -> None:
    """Everything in the picture, back to front."""
    rng = c.rng
    angle = between(rng, -pi, 0)
    c.light = (float(np.cos(angle)), float(np.sin(angle)))
    c.contrast = between(rng, 0.15, 0.4)
    background(c)
    clutter(c)
    name = CLASSES[label]
    lean = 0.5 if name in UPRIGHT else 0.2
    scale = between(rng, 0.33, 0.5)
    free = max(0.0, 0.5 - scale)
    c.place(
        0.5 + between(rng, -1, 1) * (free + 0.04),
        0.5 + between(rng, -1, 1) * (free + 0.02),
        scale,
        between(rng, -lean, lean),
        mirror=chance(rng, 0.5),
        shear=between(rng, -0.15, 0.15),
        aspect=between(rng, 0.85, 1.1),
    )
    c.figure_from = len(c) + 1
    PAINTERS[name](c)
    c.figure_to = len(c)
    if chance(rng, 0.6):
        foreground(c)


def _cast_shadow(c: Canvas, figure: NDArray[np.bool_], light: NDArray[np.float32]) -> None:
    """Darken what lies behind the thing, away from the light, softly; changes `light`."""
    depth = between(c.rng, 0.0, 0.55)
    small = Image.fromarray(figure[::4, ::4].astype(np.uint8) * 255)
    shift = 0.06 * small.width
    moved = small.transform(
        small.size,
        Image.Transform.AFFINE,
        (1, 0, shift * c.light[0], 0, 1, shift * c.light[1]),
        Image.Resampling.NEAREST,
    ).filter(ImageFilter.GaussianBlur(2))
    dark = np.asarray(moved.resize((c.side, c.side), Image.Resampling.BILINEAR), dtype=np.float32)
    light *= np.where(figure, np.float32(1), 1 - dark * np.float32(depth / 255))


def _photograph(
    c: Canvas,
    colors: list[NDArray[np.float32]],
    light: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """Light, lens and sensor: [y, x, rgb] uint8 at the picture's own size."""
    rng = c.rng
    size = c.size
    tint = color(rng, sat=(0.0, 0.16), val=(1.0, 1.0))
    exposure = between(rng, 0.85, 1.35)
    clouds = stack()[texture_index("cloud")]
    oy, ox = rng.integers(0, SIDE - size, 2).tolist() if size < SIDE else (0, 0)
    y, x = np.arange(size) + oy, np.arange(size) + ox
    haze = clouds[np.ix_(y % SIDE, x % SIDE)].astype(np.float32) / 255 - 0.5
    haze *= between(rng, 0.0, 0.35)
    haze += 1
    noise = rng.standard_normal((size, size, 3), dtype=np.float32)
    noise *= between(rng, 0.002, 0.03)
    out = np.empty((size, size, 3), dtype=np.float32)
    for i, plane in enumerate(colors):
        plane *= light
        mean = plane.reshape(size, SUPER, size, SUPER).sum(axis=(1, 3))
        mean *= haze
        mean *= exposure * tint[i] / SUPER**2
        out[..., i] = mean
    out += noise
    np.clip(out, 0, 1, out=out)
    return (out * 255 + 0.5).astype(np.uint8)


def _draw(
    seed: int, label: int | None, size: int, without: Collection[str] = ()
) -> tuple[Canvas, int, NDArray[np.intp]]:
    if size < 32:
        raise ValueError(f"scenes need at least 32 pixels a side to be recognizable, got {size}")
    rng = np.random.default_rng([2017, seed])
    drawn = int(rng.integers(len(CLASSES)))
    label = drawn if label is None else label
    if not 0 <= label < len(CLASSES):
        raise ValueError(f"label {label} is not in 0..{len(CLASSES) - 1}; see scenes.CLASSES")
    c = Canvas(size, rng)
    c.left_out = frozenset(PARTS[part_index(part)] for part in without)
    _paint(c, label)
    return c, label, c.numbers()


def _render(c: Canvas, numbers: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    figure = (numbers >= c.figure_from) & (numbers <= c.figure_to)
    colors, light = c.shade(numbers)
    _cast_shadow(c, figure, light)
    return _photograph(c, colors, light), figure


def scene(
    seed: int, label: int | None = None, size: int = 96, without: Collection[str] = ()
) -> DrawnScene:
    """The picture of this seed; its class is drawn from the seed unless a label is given.

    The parts named in `without` are left out wherever they would be: one sees what lies behind
    them, their shadow goes with them, and all else is as it was.
    """
    c, label, numbers = _draw(seed, label, size, without)
    image, figure = _render(c, numbers)
    parts = c.part_numbers(numbers)
    masks = np.zeros((len(PARTS), size, size), dtype=np.uint8)
    for part in np.unique(parts):
        if part != NONE:
            masks[part] = _count(parts == part)
    return DrawnScene(image, label, masks, _count(figure), seed, c.setting)


def picture(seed: int, size: int = 96, without: Collection[str] = ()) -> NDArray[np.uint8]:
    """The picture of this seed, [y, x, rgb]: `scene(seed).image` without the masks, sooner."""
    c, _, numbers = _draw(seed, None, size, without)
    return _render(c, numbers)[0]


def label_of(seed: int) -> int:
    """The class of the picture of this seed, without drawing it."""
    return int(np.random.default_rng([2017, seed]).integers(len(CLASSES)))


@dataclass(frozen=True)
class PictureBatch:
    """Many pictures with coarse part maps, as the training reads them."""

    images: NDArray[np.uint8]
    """[picture, y, x, rgb]."""
    labels: NDArray[np.int64]
    """[picture]."""
    parts: NDArray[np.uint8]
    """[picture, part, cell y, cell x]: share of the cell that shows the part, 0..255."""


def batch(seeds: Iterable[int], size: int = 96, cells: int = 12) -> PictureBatch:
    """Pictures of these seeds, with part masks averaged over cells x cells squares."""
    listed = list(seeds)
    if size % cells:
        raise ValueError(f"size {size} is not a multiple of {cells} cells; change one of them")
    images = np.empty((len(listed), size, size, 3), dtype=np.uint8)
    labels = np.empty(len(listed), dtype=np.int64)
    parts = np.empty((len(listed), len(PARTS), cells, cells), dtype=np.uint8)
    kinds = len(PARTS) + 1
    step = size * SUPER // cells
    at = np.arange(size * SUPER) // step
    cell = (at[:, None] * cells + at[None, :]) * kinds
    for i, seed in enumerate(listed):
        c, labels[i], numbers = _draw(seed, None, size)
        images[i] = _render(c, numbers)[0]
        hits = np.bincount((cell + c.part_numbers(numbers)).reshape(-1), minlength=cells**2 * kinds)
        share = hits.reshape(cells, cells, kinds)[..., : len(PARTS)] * (255.0 / step**2)
        parts[i] = np.rint(share).astype(np.uint8).transpose(2, 0, 1)
    return PictureBatch(images, labels, parts)
