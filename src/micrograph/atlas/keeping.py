"""What a library asks of an index: `micrograph.index` is one, and nothing here needs any."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from micrograph.atlas.scan import State

if TYPE_CHECKING:
    from micrograph.atlas.snapshot import Snapshot

States = Mapping[Path, State]
"""Files, each in the state in which a library met it."""

Row = tuple[str | None, int | None, str]
"""Something that can be found in an atlas: its node, its unit, its text."""


class AtlasIndex(Protocol):
    """Keeps what follows from atlases. Everything in it can be had from the files as well: where
    it does not know, it says None, and who asked reads the files."""

    def follow(self, snapshot: "Snapshot") -> None:
        """Bring itself up to date, in its own time."""

    def kept(self, path: Path, state: State, name: str) -> bytes | None:
        """What was made of a file in just this state under a name."""

    def hits(self, files: States, text: str, kind: str) -> Mapping[Path, tuple[Row, ...]]:
        """What a search for `text` finds of a kind ("model", "node", "label") in those of `files`
        that it knows and that have one such row or none; which of several comes first only the
        file itself can say."""
