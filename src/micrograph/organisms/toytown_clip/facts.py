"""What is true of a toytown picture, as plain tags: the ground truth behind its captions.

A tag is `kind:value`: `thing:car`, `family:vehicle`, `part:wheel`, `color:red` (of the thing),
`around:green` (the colour around it), `setting:street`, `light:dark`, `size:small`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from micrograph.organisms.toytown.parts import PARTS
from micrograph.organisms.toytown.scenes import CLASSES, DrawnScene

Facts = frozenset[str]

FAMILIES: dict[str, tuple[str, ...]] = {
    "vehicle": (
        "car",
        "bus",
        "tram",
        "van",
        "lorry",
        "bicycle",
        "tractor",
        "locomotive",
        "boat",
        "balloon",
    ),
    "building": ("house", "church", "castle", "windmill", "lighthouse"),
    "animal": ("cat", "fox", "owl", "rabbit", "zebra", "giraffe", "fish", "butterfly"),
    "plant": ("flower", "tree", "palm", "pine"),
}
"""Faces, mushrooms and clocks are of none of them."""

SETTINGS = {
    "land": "land",
    "street": "street",
    "wall": "wall",
    "sea": "sea",
    "green": "leaves",
    "clouds": "sky",
    "any": "pattern",
}

HUES: tuple[tuple[float, str], ...] = (
    (0.04, "red"),
    (0.115, "orange"),
    (0.19, "yellow"),
    (0.44, "green"),
    (0.69, "blue"),
    (0.83, "purple"),
    (0.945, "pink"),
    (1.01, "red"),
)
"""Upper ends of hue, 0..1, and how the colours below them are called."""

COLORS: tuple[str, ...] = (
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
    "black",
    "grey",
    "white",
)

SEEN = 48
"""Subsamples (12 pixels) of a part that have to be visible for it to be mentioned."""


def color_shares(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Share of the pixels [n, rgb] that have each of `COLORS`, [color]."""
    rgb = pixels.astype(np.float64) / 255
    value, low = rgb.max(1), rgb.min(1)
    spread = value - low
    saturation = spread / np.maximum(value, 1e-9)
    r, g, b = rgb.T
    safe = np.maximum(spread, 1e-9)
    hue = (
        np.select(
            [value == r, value == g], [((g - b) / safe) % 6, (b - r) / safe + 2], (r - g) / safe + 4
        )
        / 6
    )
    names = np.array([COLORS.index(name) for _, name in HUES])
    named = names[np.searchsorted([end for end, _ in HUES], hue, side="right")]
    brown = (hue >= 0.015) & (hue < 0.13) & (value < 0.6)
    named = np.where(brown, COLORS.index("brown"), named)
    grey = np.select(
        [value > 0.78, value < 0.22],
        [COLORS.index("white"), COLORS.index("black")],
        COLORS.index("grey"),
    )
    named = np.where((saturation < 0.18) | (value < 0.15), grey, named)
    return np.bincount(named, minlength=len(COLORS)) / max(1, len(named))


def _tags(kind: str, shares: NDArray[np.float64], least: float) -> set[str]:
    return {f"{kind}:{COLORS[i]}" for i in np.flatnonzero(shares >= least)}


def family(thing: str) -> str | None:
    """The family of a class, if it has one."""
    return next((f for f, members in FAMILIES.items() if thing in members), None)


def facts(scene: DrawnScene) -> Facts:
    """Everything that captions may say of this picture, and nothing that is not to be seen."""
    thing = CLASSES[scene.label]
    found = {f"thing:{thing}", f"setting:{SETTINGS[scene.setting]}"}
    if kin := family(thing):
        found.add(f"family:{kin}")
    visible = scene.masks.reshape(len(PARTS), -1).sum(1, dtype=np.int64) >= SEEN
    found |= {f"part:{PARTS[i]}" for i in np.flatnonzero(visible)}
    on, off = scene.figure >= 3, scene.figure == 0
    found |= _tags("color", color_shares(scene.image[on]), 0.27)
    found |= _tags("around", color_shares(scene.image[off]), 0.34)
    light = scene.image.mean() / 255
    if light < 0.36:
        found.add("light:dark")
    if light > 0.6:
        found.add("light:bright")
    share = on.mean()
    if share < 0.18:
        found.add("size:small")
    if share > 0.4:
        found.add("size:big")
    return frozenset(found)
