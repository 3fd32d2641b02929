"""What a library asks of an index: `micrograph.index` is one, and nothing here needs any."""

from collections.abc import Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from micrograph.atlas.scan import State

if TYPE_CHECKING:
    from micrograph.atlas.snapshot import Snapshot

States = Mapping[Path, State]
"""Files, each in the state in which a library met it."""


class Index(Protocol):
    """Keeps what follows from atlases. Everything in it can be had from the files as well: where
    it does not know, it says None, and who asked reads the files."""

    def follow(self, snapshot: "Snapshot") -> None:
        """Bring itself up to date, in its own time."""

    def kept(self, files: States, name: str) -> bytes | None:
        """What was made of files in just this state under a name."""

    def without(self, files: States, text: str, kind: str) -> Set[Path]:
        """Those of `files` that surely have nothing of a kind ("model", "node", "label") that a
        search for `text` finds."""
