"""A library at one moment: what a request, or a script, reads from."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from micrograph.atlas.keeping import Index
from micrograph.atlas.merged import Merged
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
    index: Index | None = None

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

    @cached_property
    def spelled(self) -> Mapping[str, tuple[str, ...]]:
        """Which models know a node by a spelling, in small letters."""
        found: dict[str, dict[str, None]] = {}
        for id, reading in self.readings.items():
            for name in reading.aliases:
                found.setdefault(name.lower(), {})[id] = None
        return {name: tuple(ids) for name, ids in found.items()}

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """Hits of all models, models and nodes before labels.

        The index says only which files have nothing to say; what there is, and in what order, the
        files say themselves, until there is enough.
        """
        found: dict[str, list[Hit]] = {}
        first: list[Hit] = []
        for kind in KINDS:
            nothing = self.index.without(self.files, text, kind) if self.index else frozenset()
            for id, reading in self.readings.items():
                if id not in found and not _all_in(nothing, reading):
                    found[id] = reading.search(text, limit)
                first += [hit for hit in found.get(id, ()) if hit.kind == kind]
                if len(first) >= limit:
                    return first[:limit]
        return first


def _all_in(paths: Set[Path], reading: Reading) -> bool:
    """Whether a model is made of these files only; never for one that is only known."""
    return isinstance(reading, Merged) and all(part.path in paths for part in reading.parts)
