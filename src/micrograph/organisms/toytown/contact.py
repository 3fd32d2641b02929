"""A contact sheet of the classes: `python -m micrograph.organisms.toytown.contact --out FILE`."""

from __future__ import annotations

import argparse
from colorsys import hsv_to_rgb
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from micrograph.organisms.toytown.canvas import SUPER
from micrograph.organisms.toytown.scenes import CLASSES, HELD_OUT, scene

COLUMNS = 10
GAP = 2


def painted_parts(masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Masks [part, y, x] as a picture [y, x, rgb]: one colour per part, black where none is."""
    # the golden ratio keeps the hues of neighbours apart
    colors = [hsv_to_rgb(i * 0.618 % 1, 0.45 + 0.4 * (i % 2), 0.95) for i in range(len(masks))]
    shares = masks.astype(float) / SUPER**2
    mixed: NDArray[np.float64] = np.einsum("pyx,pc->yxc", shares, np.array(colors))
    return (mixed * 255).clip(0, 255).astype(np.uint8)


def sheet(per_class: int = 2, size: int = 96) -> NDArray[np.uint8]:
    """All classes, ten to a row: `per_class` pictures under each other, then the last's parts."""
    tall = (per_class + 1) * (size + GAP)
    rows = -(-len(CLASSES) // COLUMNS)
    page = np.full((rows * (tall + 4 * GAP), COLUMNS * (size + GAP), 3), 255, dtype=np.uint8)
    for label in range(len(CLASSES)):
        top = label // COLUMNS * (tall + 4 * GAP)
        left = label % COLUMNS * (size + GAP)
        for i in range(per_class + 1):
            made = scene(HELD_OUT + 50 * label + min(i, per_class - 1), label, size)
            tile = made.image if i < per_class else painted_parts(made.masks)
            y = top + i * (size + GAP)
            page[y : y + size, left : left + size] = tile
    return page


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Draw a contact sheet of toytown's classes.")
    parser.add_argument("--out", type=Path, required=True, help="picture file to write")
    Image.fromarray(sheet()).save(parser.parse_args().out, quality=80)


if __name__ == "__main__":
    main()
