"""A library at one moment: what a request, or a script, reads from."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from micrograph.atlas.keeping import AtlasIndex, Row
from micrograph.atlas.merged import Merged
from micrograph.atlas.outline import Outline
from micrograph.atlas.read import Atlas
from micrograph.atlas.reading import Reading
from micrograph.atlas.records import Hit, ModelRecord
from micrograph.atlas.rows import KINDS
from micrograph.atlas.scan import State
from micrograph.errors import DamagedAtlas, MicrographError, not_found

_LOG = logging.getLogger("micrograph.atlas")


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
    catalogue, `files` the atlas files with the state in which they were met. `unsearched` are those
    that are shown, but whose words cannot be searched; a search may find more of them. Models,
    nodes and problems are as they were then; pictures and results are read from the files when
    asked for.
    """

    readings: Mapping[str, Reading]
    problems: tuple[Problem, ...]
    outlines: Mapping[str, Outline]
    files: Mapping[Path, State]
    index: AtlasIndex | None = None
    unsearched: dict[Path, Problem] = field(default_factory=dict)

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
    def ids_by_folded(self) -> Mapping[str, str]:
        """Ids of the models by what they are in small letters."""
        return {id.lower(): id for id in self.readings}

    @cached_property
    def models_by_spelling(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of the models that have a node of a spelling, by spelling in small letters."""
        found: dict[str, dict[str, None]] = {}
        for id, reading in self.readings.items():
            for name in reading.aliases:
                found.setdefault(name.lower(), {})[id] = None
        return {name: tuple(ids) for name, ids in found.items()}

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """Hits of all models, models and nodes before labels.

        Model by model until there are enough. Files that have at most one such hit by the index are
        not read.
        """
        asked: dict[str, list[Hit]] = {}
        found: list[Hit] = []
        for kind in KINDS:
            known = self.index.hits(self.files, text, kind) if self.index else {}
            for id, reading in self.readings.items():
                hits = None if id in asked else _known_hits(reading, kind, known)
                if hits is None:
                    if id not in asked:
                        asked[id] = self._search(reading, text, limit)
                    hits = [hit for hit in asked[id] if hit.kind == kind]
                found += hits
                if len(found) >= limit:
                    return found[:limit]
        return found

    def _search(self, reading: Reading, text: str, limit: int) -> list[Hit]:
        """What a model has, file by file; nothing of those that cannot be searched."""
        found: dict[Hit, None] = {}
        for part in reading.parts if isinstance(reading, Merged) else [reading]:
            try:
                found |= dict.fromkeys(part.search(text, limit))
            except MicrographError as error:
                _LOG.warning("not searched: %s", error)
                if isinstance(part, Atlas) and isinstance(error, DamagedAtlas):
                    why = str(error.__cause__ or error)
                    self.unsearched.setdefault(part.path, unsearched(part.path, why))
        return [*found][:limit]


def unsearched(path: Path, why: str) -> Problem:
    """The problem of a file whose words cannot be searched."""
    return Problem(
        path,
        f"{path} is shown, but not searched: its index is damaged ({why}); "
        f"`micrograph atlas repair` makes it anew",
    )


def _known_hits(
    reading: Reading, kind: str, known: Mapping[Path, tuple[Row, ...]]
) -> list[Hit] | None:
    """A model's hits of a kind from the index; None where the model itself has to be asked, because
    hits of several files need an order."""
    if not isinstance(reading, Merged):
        return None
    rows = [known.get(part.path) for part in reading.parts]
    if len(rows) > 1:
        return None if any(row is None or row for row in rows) else []
    if rows[0] is None:
        return None
    id = reading.model.id
    return [Hit(kind, id, node, unit, text.partition("\n")[0]) for node, unit, text in rows[0]]
