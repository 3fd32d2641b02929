"""Encoding and storing finished pictures beside the rendering of the next ones."""

import json
import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from micrograph.atlas import AtlasWriter, DatasetRecord, Picture, SampleRecord, Visualization
from micrograph.atlas.records import STORED_SCORE
from micrograph.events import Stored
from micrograph.lenses.engines.base import PictureSource, Rendered, Sample
from micrograph.runner.results import TaskResults
from micrograph.runner.stored_pictures import PictureFormat
from micrograph.tasks import Task

_WAITING = 2
"""Batches that may wait to be stored; beyond that rendering waits, and memory stays bounded."""


class Saver:
    """Stores batches in one thread of its own, each in one transaction; nobody else writes.

    `on_stored` is called, in that thread, with every result that is in the atlas. Its errors, and
    those of storing (a full disk), are raised by the next call of `check` or `save`, or on leaving.
    Leaving the context waits until all that was handed in is stored.
    """

    def __init__(
        self,
        writer: AtlasWriter,
        made_with: dict[str, str],
        kept_as: PictureFormat,
        on_stored: Callable[[Stored], None] | None = None,
    ) -> None:
        self._writer = writer
        self._made_with = made_with
        self._kept_as = kept_as
        self._on_stored = on_stored
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="micrograph-save")
        self._waiting: list[Future[None]] = []
        self.stored = 0
        """Results that are new in the atlas."""
        self.skipped: list[str] = []
        """Addresses (node/unit or node) of results with a score or data that are no finite numbers;
        not stored."""

    def __enter__(self) -> "Saver":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._thread.shutdown(wait=True)
        except KeyboardInterrupt:  # pressed again: the batch in hand is stored all the same
            self._thread.shutdown(wait=True)
            raise
        if error is None:
            self.check()

    def save(self, made: TaskResults) -> None:
        """Hand in a finished batch; waits while too many are waiting."""
        while len(self._waiting) >= _WAITING:
            self._waiting.pop(0).result()
        self._waiting.append(self._thread.submit(self._store, made))

    def wait(self) -> None:
        """Until all that was handed in is stored."""
        while self._waiting:
            self._waiting.pop(0).result()

    def check(self) -> None:
        """Raise what went wrong in the thread, if anything did, and where the atlas is gone."""
        self._writer.check_place()
        while self._waiting and self._waiting[0].done():
            self._waiting.pop(0).result()

    def _store(self, made: TaskResults) -> None:
        samples: dict[PictureSource, list[Sample]] = {}
        for result in made.results:
            if isinstance(result, Sample):
                samples.setdefault(result.source, []).append(result)
        for source, found in samples.items():
            self._writer.put_samples(_dataset(source), [self._sample(s) for s in found])
        rendered = [result for result in made.results if isinstance(result, Rendered)]
        finite = [one for one in rendered if _is_finite(one)]
        self.skipped += [_subject(one) for one in rendered if not _is_finite(one)]
        files = {id(one): file for one, file in zip(made.results, made.files, strict=False)}
        self.stored += self._writer.put(
            [self._visualization(made.task, one, files.get(id(one))) for one in finite]
        )
        if self._on_stored is not None:
            for one in finite:
                self._on_stored(Stored(_subject(one)))

    def _sample(self, sample: Sample) -> SampleRecord:
        picture = sample.image
        return SampleRecord(
            sample.number,
            sample.name,
            sample.cls,
            None if picture is None else self._kept_as.encode(picture),
        )

    def _visualization(self, task: Task, rendered: Rendered, file: Picture | None) -> Visualization:
        if file is None and rendered.image is not None:
            file = self._kept_as.encode(rendered.image)
        stored = rendered.stored_score
        more = {} if stored is None else {STORED_SCORE: stored}
        return Visualization(
            node=rendered.node,
            unit=rendered.unit,
            recipe=task.recipe,
            score=rendered.score,
            picture=file,
            data={**rendered.data, **more},
            made_with=self._made_with,
            seconds=rendered.seconds,
            arrays=rendered.arrays,
        )


def _subject(rendered: Rendered) -> str:
    return rendered.node if rendered.unit is None else f"{rendered.node}/{rendered.unit}"


def _is_finite(rendered: Rendered) -> bool:
    if not math.isfinite(rendered.score):
        return False
    try:
        json.dumps(rendered.data, allow_nan=False)
    except ValueError:
        return False
    return True


def _dataset(source: PictureSource) -> DatasetRecord:
    return DatasetRecord(
        source.name,
        source.digest,
        source.title,
        source.pictures,
        source.size,
        source.licence,
        source.classes,
    )
