"""The names of the parts that toytown's things are composed of, shared between the classes."""

from __future__ import annotations

PARTS: tuple[str, ...] = (
    # vehicles
    "wheel",
    "window",
    "door",
    "body",
    "cabin",
    "lamp",
    "cargo",
    "pole",
    "frame",
    # buildings
    "wall",
    "roof",
    "chimney",
    "battlement",
    "cross",
    "blade",
    # animals and faces
    "head",
    "eye",
    "ear",
    "nose",
    "mouth",
    "beak",
    "whisker",
    "hair",
    "torso",
    "leg",
    "neck",
    "tail",
    "mane",
    "fin",
    "wing",
    "antenna",
    # plants
    "petal",
    "disc",
    "stem",
    "leaf",
    "foliage",
    "trunk",
    "cap",
    # things
    "dial",
    "rim",
    "hand",
    "hull",
    "mast",
    "sail",
    "envelope",
    "basket",
)

NONE = len(PARTS)
"""The part number of everything that is no part: background, clutter."""

_INDEX = {name: i for i, name in enumerate(PARTS)}


def part_index(name: str) -> int:
    """The row of part `name` in every mask array."""
    try:
        return _INDEX[name]
    except KeyError:
        raise KeyError(f"no part {name!r}; toytown's parts are {', '.join(PARTS)}") from None
