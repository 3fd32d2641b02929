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
    """What `pack` made of one file."""

    def __init__(self, packed: bytes) -> None:
        self.packed = packed
        self._of_node: dict[str, dict[int, int]] = {}

    def find(self, node: str, unit: int) -> Tile | None:
        """The tile of a unit, None where there is none."""
        at = self._places_of(node).get(unit)
        if at is None:
            return None
        line, _, _ = self.packed[at : at + _LONGEST].partition(b"\n")
        try:
            digest, mime, width, height, color, score, seed = line.decode().split("\t")
            size = int(width), int(height)
            return Tile(unit, digest, unquote(mime), *size, color, float(score), int(seed))
        except ValueError:
            return None

    def _places_of(self, node: str) -> dict[int, int]:
        """Where the tile of each unit of a node stands."""
        if node not in self._of_node:
            line = re.compile(b"\n" + re.escape(node.encode()) + rb"/(\d+)\t")
            found = {int(there[1]): there.end() for there in line.finditer(self.packed)}
            self._of_node[node] = found
        return self._of_node[node]


class KeptTiles:
    """What the index has of one model."""

    def __init__(self, atlas: Reading) -> None:
        self._packed = _PACKED.get(atlas, None, lambda: _all_packed(atlas))

    def of(self, node: str, unit: int) -> tuple[bool, Tile | None]:
        """The tile of a unit, None without a picture, and whether that is known. The files have to
        be asked where several have one, or where the index does not know one of them."""
        there = [tile for packed in self._packed if (tile := packed.find(node, unit))]
        known = bool(self._packed) and len(there) < 2
        return known, there[0] if known and there else None


_MOST_BYTES = 8 << 20
_PACKED: Remembered[list[PackedTiles]] = Remembered(
    _MOST_BYTES, lambda found: sum(len(one.packed) for one in found) or _MOST_BYTES + 1
)
"""What was read from indices. Nothing is not kept: an index may know a file a moment later."""


def _all_packed(atlas: Reading) -> list[PackedTiles]:
    """Of every file of a model; nothing where one of them is not known in its present state."""
    if not isinstance(atlas, Merged) or atlas.index is None or not atlas.states:
        return []
    found = []
    for part in atlas.parts:
        packed = atlas.index.stored_value(part.path, atlas.states[part.path], KEPT_AS)
        if packed is None:
            return []
        found.append(PackedTiles(packed))
    return found
