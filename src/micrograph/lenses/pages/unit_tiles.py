"""The one picture that stands for a unit anywhere, as an index keeps it of each atlas file.

A page that names units of a hundred models would else open as many files.
"""

import json
from dataclasses import asdict, fields

from micrograph.atlas.merged import Merged
from micrograph.atlas.read import Atlas
from micrograph.atlas.reading import Reading
from micrograph.atlas.records import Tile
from micrograph.lenses import lead

KEPT_AS = "unit-tiles-1"
"""The name under which an index keeps what `pack` makes of a file."""

_LONGEST = 4096
"""Bytes of a line, at most; colour and kind of a picture are short."""
_FIELDS = {field.name for field in fields(Tile)}


def pack(atlas: Atlas) -> bytes:
    """A line for each unit with a picture under the first view: its address in the model, a tab,
    and the tile in JSON."""
    return b"\n" + b"".join(
        _key(node, tile.unit) + json.dumps(asdict(tile)).encode() + b"\n"
        for node, tile in atlas.first_pictures(*lead())
    )


def find(packed: bytes, node: str, unit: int) -> Tile | None:
    """The tile of a unit in what `pack` made, None where there is none."""
    key = b"\n" + _key(node, unit)
    at = packed.find(key)
    if at < 0:
        return None
    line, _, _ = packed[at + len(key) : at + len(key) + _LONGEST].partition(b"\n")
    try:
        tile = json.loads(line)
    except ValueError:
        return None
    return Tile(**tile) if isinstance(tile, dict) and tile.keys() == _FIELDS else None


def _key(node: str, unit: int) -> bytes:
    return f"{node}/{unit}\t".encode()


class KeptTiles:
    """What the index has of one model; each file's part is asked for once."""

    def __init__(self, atlas: Reading) -> None:
        self._packed = _all_packed(atlas)

    def of(self, node: str, unit: int) -> Tile | None:
        """The tile of a unit; None where the files have to be asked: where none of them has one,
        where several have, or where the index does not know one of them."""
        there = [tile for packed in self._packed if (tile := find(packed, node, unit))]
        return there[0] if len(there) == 1 else None


def _all_packed(atlas: Reading) -> list[bytes]:
    """Of every file of a model; nothing where one of them is not known in its present state."""
    if not isinstance(atlas, Merged) or atlas.index is None or not atlas.states:
        return []
    found = []
    for part in atlas.parts:
        packed = atlas.index.stored_value(part.path, atlas.states[part.path], KEPT_AS)
        if packed is None:
            return []
        found.append(packed)
    return found
