"""What a site shows: the atlases of several folders, read together."""

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from micrograph.atlas.format import SUFFIX
from micrograph.atlas.merged import Merged
from micrograph.atlas.outline import Outline, read_catalogue
from micrograph.atlas.read import Atlas
from micrograph.atlas.reading import Reading
from micrograph.atlas.records import Hit, ModelRecord
from micrograph.errors import MicrographError, not_found


@dataclass(frozen=True)
class Problem:
    """A file that is not shown, and one line that says why."""

    path: Path
    message: str


def bundled_gallery() -> Path:
    """The folder of atlases that ship inside the package."""
    return Path(__file__).parent.parent / "gallery"


class Library:
    """Atlases by model, from folders and files in order of precedence.

    `catalogue` is a folder of outlines: models in it that have no atlas come last, and are known
    though nothing of them is rendered.

    Every question first looks (by `stat` alone) for files that came, went or changed, so pages
    follow a render. A file that cannot be read is listed in `problems`; the rest is shown.
    """

    def __init__(self, places: Iterable[Path | str], catalogue: Path | None = None) -> None:
        self.places = tuple(Path(place) for place in places)
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._seen: dict[Path, tuple[int, ...]] | None = None
        self._opened: dict[Path, Atlas | Problem] = {}
        self._models: dict[str, Reading] = {}
        self._problems: tuple[Problem, ...] = ()

    @cached_property
    def outlines(self) -> Mapping[str, Outline]:
        """The catalogue by model, whether or not there are atlases of them."""
        return {} if self._catalogue is None else read_catalogue(self._catalogue)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Files that are not shown."""
        self._refresh()
        return self._problems

    def models(self) -> list[ModelRecord]:
        """Every model there is: those with atlases in order of first appearance, then those that
        are only known."""
        return [atlas.model for atlas in self._refresh().values()]

    def atlases(self) -> list[Reading]:
        """The models with atlases."""
        return [found for found in self._refresh().values() if not isinstance(found, Outline)]

    def model(self, id: str) -> Reading:
        """The atlas of a model, or its outline. Raises NotFound with close names."""
        models = self._refresh()
        if id not in models:
            raise not_found("model", id, models)
        return models[id]

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """Hits of all models, models and nodes before labels."""
        hits = [hit for atlas in self._refresh().values() for hit in atlas.search(text, limit)]
        order = ("model", "node", "label")
        return sorted(hits, key=lambda hit: order.index(hit.kind))[:limit]

    def _refresh(self) -> dict[str, Reading]:
        with self._lock:
            seen = dict(_stat(self.places))
            if seen != self._seen:
                before = self._seen or {}
                for path, state in seen.items():
                    if before.get(path) != state:
                        self._opened[path] = _open(path)
                merged, self._problems = _merge(
                    [self._opened[path] for path in seen], self.outlines
                )
                known = {id: o for id, o in self.outlines.items() if id not in merged}
                self._models = {**merged, **known}
                self._seen = seen
            return self._models


def _stat(places: Sequence[Path]) -> Iterable[tuple[Path, tuple[int, ...]]]:
    """Every atlas file in order of precedence, with what changes when the file does."""
    for place in places:
        # os.path, because it takes what may not be looked into for what is not there.
        if os.path.isdir(place):
            files = sorted(place.glob(f"*{SUFFIX}"))
        else:
            files = [place] if os.path.exists(place) else []
        for path in files:
            try:
                status = os.stat(path)
            except OSError:
                continue
            yield path, (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _open(path: Path) -> Atlas | Problem:
    try:
        return Atlas.open(path)
    except MicrographError as error:
        return Problem(path, str(error))


def _differing(one: Atlas, other: Atlas) -> str:
    """A node that both have, made by different dictionaries; "" if there is none."""
    made = [{id: d.digest for id, d in atlas.dictionaries.items()} for atlas in (one, other)]
    return next(
        (
            node
            for node in [*made[0], *made[1]]
            if node in one.nodes and node in other.nodes and made[0].get(node) != made[1].get(node)
        ),
        "",
    )


def _merge(
    files: Iterable[Atlas | Problem], outlines: Mapping[str, Outline]
) -> tuple[dict[str, Merged], tuple[Problem, ...]]:
    """Files of one model and one weights digest together; other weights are a problem."""
    by_model: dict[str, list[Atlas]] = {}
    problems: list[Problem] = []
    for file in files:
        if isinstance(file, Problem):
            problems.append(file)
            continue
        group = by_model.setdefault(file.model.id, [])
        if group and group[0].model.digest != file.model.digest:
            problems.append(
                Problem(
                    file.path,
                    f"{file.path} is not shown: it was made from other weights of {file.model.id} "
                    f"({file.model.digest[:12]}) than {group[0].path} "
                    f"({group[0].model.digest[:12]}); keep them in different folders",
                )
            )
        elif other := next((there for there in group if _differing(there, file)), None):
            problems.append(
                Problem(
                    file.path,
                    f"{file.path} is not shown: its {_differing(other, file)} is of another "
                    f"dictionary than that of {other.path}; keep them in different folders",
                )
            )
        else:
            group.append(file)
    return {id: Merged(group, outlines.get(id)) for id, group in by_model.items()}, tuple(problems)
