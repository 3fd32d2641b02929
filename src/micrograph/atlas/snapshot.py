"""A library at one moment: what a request, or a script, reads from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from micrograph.atlas.outline import Outline
from micrograph.atlas.reading import Reading
from micrograph.atlas.records import Hit, ModelRecord
from micrograph.atlas.scan import State
from micrograph.errors import not_found

KINDS = ("model", "node", "label")
"""Kinds of hits, in the order in which a search gives them."""


@dataclass(frozen=True)
class Problem:
    """A file that is not shown, and one line that says why."""

    path: Path
    message: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """What a `Library` held when it was last looked at; it never changes.

    `readings` are its models by id: those with atlases in order of precedence, then the outlines of
    those that are only known. `problems` are the files that are not shown, `outlines` the whole
    catalogue, `files` the atlas files with the state in which they were met. Models, nodes and
    problems are as they were then; pictures and results are read from the files when asked for.
    """

    readings: Mapping[str, Reading]
    problems: tuple[Problem, ...]
    outlines: Mapping[str, Outline]
    files: Mapping[Path, State]

    def models(self) -> list[ModelRecord]:
        """Every model there is: those with atlases in order of first appearance, then those that
        are only known."""
        return [reading.model for reading in self.readings.values()]

    def atlases(self) -> list[Reading]:
        """The models with atlases."""
        return list(self._atlases)

    @cached_property
    def _atlases(self) -> tuple[Reading, ...]:
        return tuple(r for r in self.readings.values() if not isinstance(r, Outline))

    def model(self, id: str) -> Reading:
        """The atlas of a model, or its outline. Raises NotFound with close names."""
        if id not in self.readings:
            raise not_found("model", id, self.readings)
        return self.readings[id]

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """Hits of all models, models and nodes before labels."""
        hits = [hit for reading in self.readings.values() for hit in reading.search(text, limit)]
        return sorted(hits, key=lambda hit: KINDS.index(hit.kind))[:limit]
