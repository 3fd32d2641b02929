"""Who does the tasks: today this process, later others as well."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from micrograph import lenses
from micrograph.atlas import AtlasWriter, Picture
from micrograph.errors import BadInput, Conflict, MicrographError
from micrograph.events import Step
from micrograph.files import remove_folder
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, Sample, StepHook, SweepEngine
from micrograph.optimize import memory
from micrograph.recipe import canonical, digest
from micrograph.runner.examples import ExamplesInAtlases
from micrograph.runner.failing import Listener, in_one_line, unusable
from micrograph.runner.frames import step_hook
from micrograph.runner.options import jobs_of
from micrograph.runner.plan import job_at
from micrograph.runner.results import TaskFinished, TaskResults
from micrograph.runner.select import find_attached
from micrograph.runner.stored_pictures import PictureFormat, scored_as_stored
from micrograph.tasks import Task

if TYPE_CHECKING:
    from micrograph.models.model import Model

CHUNK = 256
"""Results of a sweep that are given together, at most."""
CHUNK_BYTES = 32 << 20
"""Bytes of pictures and arrays with which they are given all the same."""

OnStep = Callable[[Task, Step], None]
"""Told of each step of a task while it is under way; may raise to stop."""


class Executor(Protocol):
    """Does tasks somewhere, and gives what they make as it comes."""

    def run(
        self, tasks: Iterable[Task], on_step: OnStep | None = None
    ) -> Iterator[TaskResults | TaskFinished]:
        """Results of each task, and that it is finished; the order of tasks is the executor's own.

        Steps are told by `on_step`, because they happen while the iterator is at work; step 0 says
        that a task has begun. They have a frame as often as the task wants it. Raises as the lenses
        do.
        """
        ...


class LocalExecutor:
    """Does tasks one after the other in this process.

    `known` are jobs that are made already; others are made from the options of their task.
    `atlas` is the file that results go to: unfinished work of sweeps lies beside it. `stored` is
    how it will keep pictures: then what each reaches as it is kept is measured too.
    """

    def __init__(
        self,
        model: "Model",
        atlas: Path,
        known: Sequence[tuple[BatchEngine[Any] | SweepEngine[Any], Job]] = (),
        stored: PictureFormat | None = None,
    ) -> None:
        self.model, self.atlas, self.stored = model, atlas, stored
        self._jobs: dict[str, list[Job]] = {}
        for lens, job in known:
            self._jobs.setdefault(lens.name, []).append(job)
        self._made: set[tuple[str, str]] = set()
        self._found: dict[tuple[str, str], Job] = {}

    def run(
        self, tasks: Iterable[Task], on_step: OnStep | None = None
    ) -> Iterator[TaskResults | TaskFinished]:
        """As `Executor.run`. Raises BadInput for a task of another model, Conflict where weights or
        pictures here are not those that the task was planned with.

        What else goes wrong costs its node, whose other tasks of that recipe fail with it.
        """
        lost: dict[tuple[str, str], MicrographError] = {}
        for task in tasks:
            lens = lenses.get(task.technique)
            job = self._job(lens, task)
            listener = Listener(_hook(task, on_step))
            listener.hook(0, 1)
            if isinstance(lens, SweepEngine):
                yield from self._sweep(lens, task, job, listener)
                continue
            ((node, units),) = task.units.items()
            place = digest(task.recipe), node
            if place not in lost:
                files: tuple[Picture | None, ...] = ()
                try:
                    with memory.fixed_budget():
                        made = lens.run(self.model, node, list(units or ()), job, listener.hook)
                        results = tuple(made)
                    if self.stored is not None:
                        results, files = scored_as_stored(
                            lens, self.model, node, job, results, self.stored
                        )
                except Exception as error:  # of a network, a lens: whatever it is
                    if listener.raised:
                        raise
                    lost[place] = in_one_line(error)
                else:
                    yield TaskResults(task, results, files)
            failed = lost.get(place)
            yield TaskFinished(task, failed={node: failed} if failed is not None else {})

    def _sweep(
        self, lens: SweepEngine[Any], task: Task, job: Job, listener: Listener
    ) -> Iterator[TaskResults | TaskFinished]:
        """Results as they come; unfinished work is deleted once all are stored. Nodes that cannot
        be looked at are left out."""
        workspace = workspace_of(self.atlas, job.recipe)
        targets = {node: list(units or ()) for node, units in task.units.items()}

        def swept() -> Iterator[TaskResults]:
            found = lens.sweep(self.model, targets, job, workspace, listener.hook)
            for part in _chunks(found, CHUNK):
                yield TaskResults(task, part)

        lost: dict[str, MicrographError] = {}
        try:
            yield from swept()
        except Conflict:
            if not listener.raised:  # what was swept is not what is there now: it is of no use
                remove_folder(workspace)
            raise
        except Exception:
            lost = {} if listener.raised else unusable(self.model, targets)
            if not lost:
                raise
            for node in lost:
                del targets[node]
            if targets:
                yield from swept()
        yield TaskFinished(task, keeps=True, failed=lost)
        remove_folder(workspace)

    def _job(self, lens: BatchEngine[Any] | SweepEngine[Any], task: Task) -> Job:
        """What the lens is to do: the job whose recipe is the task's."""
        if task.model != self.model.id:
            raise BadInput(f"a task of {task.model} given to {self.model.id}; load that model")
        find_attached(self.model, list(task.units))
        wanted, node = digest(task.recipe), next(iter(task.units))
        if (found := self._find(task.technique, wanted, node)) is not None:
            return found
        made = (task.technique, canonical(task.options))
        if made not in self._made:
            self._made.add(made)
            stored = ExamplesInAtlases(self.atlas)
            jobs = jobs_of([lens], self.model, dict(task.options), stored)
            self._jobs.setdefault(task.technique, []).extend(job for _, job in jobs)
        if (found := self._find(task.technique, wanted, node)) is not None:
            return found
        raise Conflict(
            f"the {task.technique} of {task.model}/{node} was planned with other weights, pictures "
            f"or code than there are here (recipe {wanted[:12]}); plan it anew"
        )

    def _find(self, technique: str, wanted: str, node: str) -> Job | None:
        if (technique, wanted) not in self._found:
            for plain in self._jobs.get(technique, ()):
                job = job_at(self.model, node, plain)
                self._found[technique, digest(job.recipe)] = job
        return self._found.get((technique, wanted))


def workspace_of(atlas: Path, recipe: Mapping[str, Any]) -> Path:
    """The folder for unfinished work of a sweep into an atlas."""
    return atlas.with_name(f"{atlas.name}.{digest(recipe)[:12]}.part")


def remove_finished_work(
    model: "Model",
    writer: AtlasWriter,
    jobs: Iterable[tuple[BatchEngine[Any] | SweepEngine[Any], Job]],
    nodes: Iterable[str],
) -> None:
    """Remove the folders of sweeps at `nodes` whose every result is in the atlas: of one that was
    killed when it had stored the last of them."""
    for engine, plain in jobs:
        recipes = [job_at(model, node, plain).recipe for node in nodes]
        for recipe in {digest(one): one for one in recipes}.values():
            folder = workspace_of(writer.path, recipe)
            if not isinstance(engine, SweepEngine) or not folder.is_dir():
                continue
            left = engine.unfinished(folder)
            if left is not None and not any(
                node not in model.nodes or writer.missing(node, [*range(units), None], recipe)
                for node, units in left.items()
            ):
                remove_folder(folder)


def _hook(task: Task, on_step: OnStep | None) -> StepHook:
    if on_step is None:
        return lambda step, steps: None
    return step_hook(lambda step: on_step(task, step), task.frames)


def _chunks(
    results: Iterator[Rendered | Sample], size: int
) -> Iterator[tuple[Rendered | Sample, ...]]:
    part: list[Rendered | Sample] = []
    held = 0
    for result in results:
        part.append(result)
        held += _bytes_of(result)
        if len(part) == size or held >= CHUNK_BYTES:
            yield tuple(part)
            part, held = [], 0
    if part:
        yield tuple(part)


def _bytes_of(result: Rendered | Sample) -> int:
    arrays = [*result.arrays.values()] if isinstance(result, Rendered) else []
    return sum(array.nbytes for array in (result.image, *arrays) if array is not None)
