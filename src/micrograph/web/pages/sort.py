"""The order of units in a grid."""

import colorsys
from collections.abc import Mapping

from micrograph.parts.parts import Thumb

SORTS = {"unit": "Number", "strong": "Strongest", "weak": "Weakest", "colour": "Colour"}


def ordered(count: int, tiles: Mapping[int, Thumb], sort: str) -> list[int]:
    """Units in the order of `sort`; units without a picture come last, except by number."""
    if sort == "unit":
        return list(range(count))
    keys = {
        "strong": lambda t: -(t.score or 0.0),
        "weak": lambda t: t.score or 0.0,
        "colour": lambda t: _hue(t.image.color if t.image else ""),
    }
    known = sorted(tiles.values(), key=keys[sort])
    return [t.unit for t in known] + [u for u in range(count) if u not in tiles]


def _hue(color: str) -> float:
    """Place of "#rrggbb" on the colour circle, 0..1."""
    try:
        red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    except ValueError:
        return 0.0
    return colorsys.rgb_to_hsv(red, green, blue)[0]
