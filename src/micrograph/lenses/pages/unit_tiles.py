"""The one picture that stands for a unit anywhere, as an index keeps it of each atlas file.

A page that names units of a hundred models would else open as many files.
"""

import re
from urllib.parse import quote, unquote

from micrograph.atlas.merged import Merged
from micrograph.atlas.read import Atlas
from micrograph.atlas.reading import Reading
from micrograph.atlas.records import Tile
from micrograph.atlas.remembered import Remembered
from micrograph.lenses import lead

KEPT_AS = "unit-tiles-2"
"""The name under which an index keeps what `pack` makes of a file."""

_LONGEST = 4096
"""Bytes of a line, at most; colour and kind of a picture are short."""


def pack(atlas: Atlas) -> bytes:
    """A line for each unit with a picture under the first view: its address in the model, and what
    its tile says, with tabs between."""
    lines = [
        f"{node}/{t.unit}\t{t.digest}\t{quote(t.mime)}\t{t.width}\t{t.height}\t{t.color}\t"
        f"{t.score!r}\t{t.seed}\n"
        for node, t in atlas.first_pictures(*lead())
    ]
    return f"\n{''.join(lines)}".encode()


class PackedTiles:
    """What `pack` made of some files."""

    def __init__(self, *packed: bytes) -> None:
        self.packed = packed
        self._of_node: dict[str, dict[int, list[tuple[bytes, int]]]] = {}

    def find(self, node: str, unit: int) -> list[Tile]:
        """The tiles of a unit: none, that of one file, or those of several."""
        places = self._of_node[node] if node in self._of_node else self._places_of(node)
        there = places.get(unit)
        if there is None:
            return []
        return [tile for packed, at in there if (tile := _tile_at(packed, at, unit))]

    def _places_of(self, node: str) -> dict[int, list[tuple[bytes, int]]]:
        """Where the tiles of each unit of a node stand."""
        line = re.compile(b"\n" + re.escape(node.encode()) + rb"/(\d+)\t")
        found: dict[int, list[tuple[bytes, int]]] = {}
        for packed in self.packed:
            for unit, at in {int(one[1]): one.end() for one in line.finditer(packed)}.items():
                found.setdefault(unit, []).append((packed, at))
        self._of_node[node] = found
        return found


def _tile_at(packed: bytes, at: int, unit: int) -> Tile | None:
    line, _, _ = packed[at : at + _LONGEST].partition(b"\n")
    try:
        digest, mime, width, height, color, score, seed = line.decode().split("\t")
        size = int(width), int(height)
        return Tile(unit, digest, unquote(mime), *size, color, float(score), int(seed))
    except ValueError:
        return None


class KeptTiles:
    """What the index has of one model."""

    def __init__(self, atlas: Reading) -> None:
        self._packed = _PACKED.get(atlas, None, lambda: _all_packed(atlas))

    def of(self, node: str, unit: int) -> tuple[bool, Tile | None]:
        """The tile of a unit, None without a picture, and whether that is known. The files have to
        be asked where several have one, or where the index does not know one of them."""
        there = self._packed.find(node, unit)
        known = bool(self._packed.packed) and len(there) < 2
        return known, there[0] if known and there else None


_MOST_BYTES = 8 << 20
_PACKED: Remembered[PackedTiles] = Remembered(
    _MOST_BYTES, lambda found: sum(map(len, found.packed)) or _MOST_BYTES + 1
)
"""What was read from indices. Nothing is not kept: an index may know a file a moment later."""


def _all_packed(atlas: Reading) -> PackedTiles:
    """Of every file of a model; nothing where one of them is not known in its present state."""
    if not isinstance(atlas, Merged) or atlas.index is None or not atlas.states:
        return PackedTiles()
    found = []
    for part in atlas.parts:
        packed = atlas.index.stored_value(part.path, atlas.states[part.path], KEPT_AS)
        if packed is None:
            return PackedTiles()
        found.append(packed)
    return PackedTiles(*found)
