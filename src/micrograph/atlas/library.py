"""What a site shows: the atlases of several folders, read together."""

import threading
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from micrograph.atlas.format import damaged
from micrograph.atlas.keeping import AtlasIndex
from micrograph.atlas.merged import Merged, differing_node
from micrograph.atlas.outline import Outline, read_catalogue
from micrograph.atlas.read import Atlas
from micrograph.atlas.reading import Reading
from micrograph.atlas.records import Hit, ModelRecord
from micrograph.atlas.scan import State, scan
from micrograph.atlas.snapshot import Problem, Snapshot, unsearched
from micrograph.errors import MicrographError


def bundled_gallery() -> Path:
    """The folder of atlases that ship inside the package."""
    return Path(__file__).parent.parent / "gallery"


class Library:
    """Atlases by model, from folders and files in order of precedence.

    `catalogue` is a folder of outlines: models in it that have no atlas come last: they are known,
    though nothing of them is rendered.

    `snapshot` looks (by `stat` alone) for files that came, went or changed, so pages follow a
    render. Take one snapshot for several questions: the other methods take a new one each. A file
    that cannot be read is listed in `problems`; the rest is shown. With an `index`
    (`micrograph.index`) searches are answered from it where possible.
    """

    def __init__(
        self,
        places: Iterable[Path | str],
        catalogue: Path | None = None,
        index: AtlasIndex | None = None,
    ) -> None:
        self.places = tuple(Path(place) for place in places)
        self._catalogue = catalogue
        self._index = index
        self._lock = threading.Lock()
        self._opened: dict[Path, tuple[State, Atlas | Problem]] = {}
        self._latest: Snapshot | None = None

    @cached_property
    def outlines(self) -> Mapping[str, Outline]:
        """The catalogue by model, whether or not there are atlases of them."""
        return {} if self._catalogue is None else read_catalogue(self._catalogue)

    def snapshot(self) -> Snapshot:
        """What there is now, after one pass of `stat` over the folders; the same object as before
        as long as no file changed. Files that changed are opened, all others are not."""
        files = scan(self.places)
        latest = self._latest
        if latest is not None and list(latest.files.items()) == list(files.items()):
            return latest
        # One thread opens what changed. A file may take long: meanwhile the others go on with what
        # there was, if there was something.
        if not self._lock.acquire(blocking=latest is None) and latest is not None:
            return latest
        try:
            if self._latest is latest:
                self._latest = self._open_changed(files)
            return self._latest or self._open_changed(files)
        finally:
            self._lock.release()

    def unchanged(self) -> Snapshot | None:
        """The snapshot where no file changed since it was taken: by `stat` alone, without waiting
        for anything that is being opened."""
        latest = self._latest
        if latest is not None and [*latest.files.items()] == [*scan(self.places).items()]:
            return latest
        return None

    def _open_changed(self, files: Mapping[Path, State]) -> Snapshot:
        before = self._opened
        self._opened = {
            path: before[path]
            if path in before and before[path][0] == state
            else (state, _open(path))
            for path, state in files.items()
        }
        opened = [file for _, file in self._opened.values()]
        groups, problems = _groups(opened)
        merged = {id: self._merged(id, group, files) for id, group in groups.items()}
        known = {id: o for id, o in self.outlines.items() if id not in merged}
        snapshot = Snapshot(
            readings={**merged, **known},
            problems=problems,
            outlines=self.outlines,
            files=files,
            index=self._index,
            unsearched={
                file.path: unsearched(file.path, file.search_damage)
                for file in opened
                if isinstance(file, Atlas) and file.search_damage
            },
        )
        if self._index is not None:
            self._index.follow(snapshot)
        return snapshot

    def _merged(self, id: str, group: list[Atlas], files: Mapping[Path, State]) -> Reading:
        """The same object as before where no file of the model changed: caches by object stay
        valid."""
        before = self._latest.readings.get(id) if self._latest else None
        if isinstance(before, Merged) and before.parts == tuple(group):
            return before
        states = {part.path: files[part.path] for part in group}
        return Merged(group, self.outlines.get(id), states, self._index)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """As `Snapshot.problems`, now."""
        return self.snapshot().problems

    def models(self) -> list[ModelRecord]:
        """As `Snapshot.models`, now."""
        return self.snapshot().models()

    def atlases(self) -> list[Reading]:
        """As `Snapshot.atlases`, now."""
        return self.snapshot().atlases()

    def model(self, id: str) -> Reading:
        """As `Snapshot.model`, now."""
        return self.snapshot().model(id)

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """As `Snapshot.search`, now."""
        return self.snapshot().search(text, limit)


def _open(path: Path) -> Atlas | Problem:
    try:
        return Atlas.open(path)
    except MicrographError as error:
        return Problem(path, str(error))
    except Exception as error:  # whatever it is, the other files are shown
        return Problem(path, str(damaged(path, error)))


def _groups(
    files: Iterable[Atlas | Problem],
) -> tuple[dict[str, list[Atlas]], tuple[Problem, ...]]:
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
        elif other := next((there for there in group if differing_node(there, file)), None):
            problems.append(
                Problem(
                    file.path,
                    f"{file.path} is not shown: its {differing_node(other, file)} is of another "
                    f"dictionary than that of {other.path}; keep them in different folders",
                )
            )
        else:
            group.append(file)
    return by_model, tuple(problems)
