"""What is to be done: the batches that an atlas lacks, in a pleasing order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from micrograph.atlas import AtlasWriter
from micrograph.lenses.engines.base import Job, Sweep, Technique
from micrograph.recipe import digest

if TYPE_CHECKING:
    from micrograph.models.model import Model

FIRST = 16
"""Units of every node that come before all the rest, so that each page shows something early."""


@dataclass(frozen=True)
class Task:
    """One job at one node: the units wanted (None stands for the node as a whole), those that the
    atlas lacks, how many go together."""

    technique: Technique[Any]
    job: Job
    node: str
    wanted: tuple[int | None, ...]
    missing: frozenset[int | None]
    batch: int


@dataclass(frozen=True)
class Batch:
    """Units to be rendered together and stored together."""

    technique: Technique[Any]
    job: Job
    node: str
    units: tuple[int | None, ...]

    @property
    def size(self) -> int:
        """Number of results that are wanted."""
        return len(self.units)


@dataclass(frozen=True)
class SweepBatch:
    """A technique that looks at all nodes in one go, and the units of each that the atlas lacks."""

    technique: Sweep[Any]
    job: Job
    targets: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of results that are wanted."""
        return sum(len(units) for units in self.targets.values())


@dataclass(frozen=True)
class Plan:
    """`total` results are to be made; `there` are in the atlas already; `nothing` are the views and
    nodes (`LENS VARIANT at NODE`) where the lens has nothing to say."""

    batches: tuple[Batch | SweepBatch, ...]
    total: int
    there: int
    nothing: tuple[str, ...] = ()


def job_at(model: "Model", node: str, job: Job) -> Job:
    """The job as it is done at `node`: where a dictionary makes the node, it is in the recipe."""
    attached = model.attached(node)
    if attached is None:
        return job
    return replace(job, recipe={**job.recipe, "dictionary": attached.dictionary.digest})


def make_plan(
    model: "Model",
    writer: AtlasWriter,
    jobs: Sequence[tuple[Technique[Any] | Sweep[Any], Job]],
    units: Mapping[str, Sequence[int]],
    batch: int | None,
) -> Plan:
    """Plan `jobs` for `units` (by node id, in the order wanted).

    `batch` is a fixed number of units; None lets the technique say what fits and runs fastest.
    """
    tasks: list[Task] = []
    sweeps: list[SweepBatch] = []
    nothing: list[str] = []
    there = 0
    for technique, plain in _distinct(jobs):
        lacking: dict[str, tuple[Job, dict[str, tuple[int | None, ...]]]] = {}
        for node, wanted in units.items():
            job = job_at(model, node, plain)
            targets: tuple[int | None, ...]
            targets = (None,) if technique.level == "node" else tuple(wanted)
            missing = frozenset(writer.missing(node, targets, job.recipe))
            there += len(targets) - len(missing)
            if not missing:
                continue
            if isinstance(technique, Sweep):
                left = tuple(unit for unit in targets if unit in missing)
                lacking.setdefault(digest(job.recipe), (job, {}))[1][node] = left
            else:
                size = technique.batch_size(model, node, job)
                if size < 1:
                    nothing.append(f"{technique.name} {job.variant} at {node}")
                    continue
                tasks.append(Task(technique, job, node, targets, missing, batch or size))
        if isinstance(technique, Sweep):
            sweeps += [SweepBatch(technique, job, nodes) for job, nodes in lacking.values()]
    batches: list[Batch | SweepBatch] = [*sweeps, *in_waves(tasks)]
    return Plan(tuple(batches), sum(batch.size for batch in batches), there, tuple(nothing))


def in_waves(tasks: Sequence[Task]) -> Iterator[Batch]:
    """A few units of every task first, then the rest task by task."""
    for task in tasks:
        yield from _cut(task, task.wanted[:FIRST])
    for task in tasks:
        yield from _cut(task, task.wanted[FIRST:])


def _cut(task: Task, units: Sequence[int | None]) -> Iterator[Batch]:
    """Batches of nearly equal size: twenty units in batches of at most 16 are 10 and 10.

    All units are cut, and only then those left out that are there: a render that goes on after an
    interruption has the batches it would have had, and so the same pictures to the last bit.
    """
    count = -(-len(units) // task.batch)
    for k in range(count):
        part = units[k * len(units) // count : (k + 1) * len(units) // count]
        if lacking := tuple(unit for unit in part if unit in task.missing):
            yield Batch(task.technique, task.job, task.node, lacking)


def _distinct(
    jobs: Sequence[tuple[Technique[Any] | Sweep[Any], Job]],
) -> list[tuple[Technique[Any] | Sweep[Any], Job]]:
    """Every recipe once."""
    return list({digest(job.recipe): (technique, job) for technique, job in jobs}.values())
