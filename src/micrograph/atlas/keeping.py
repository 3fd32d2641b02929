"""What a library needs of an index. `micrograph.index` is one; a library works without, too."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from micrograph.atlas.scan import State

if TYPE_CHECKING:
    from micrograph.atlas.snapshot import Snapshot

States = Mapping[Path, State]
"""Files, each in the state in which a library found it."""

Row = tuple[str | None, int | None, str]
"""An entry that a search can find in an atlas: its node, its unit, its text."""


class AtlasIndex(Protocol):
    """Keeps values computed from atlases. Where it has none, it returns None: the caller computes
    them from the files."""

    def follow(self, snapshot: "Snapshot") -> None:
        """Bring itself up to date, in its own time."""

    def stored_value(self, path: Path, state: State, name: str) -> bytes | None:
        """The value of that name for a file in exactly this state."""

    def hits(self, files: States, text: str, kind: str) -> Mapping[Path, tuple[Row, ...]]:
        """What a search for `text` finds of a kind ("model", "node", "label") in those of `files`
        that it knows and that have at most one such row; only the file itself can put several in
        order."""
