"""The plan of a render: tasks for the results that an atlas lacks, a few of each node first."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from micrograph.errors import MicrographError
from micrograph.lenses.engines.base import AnyEngine, Job, SweepEngine
from micrograph.optimize import memory
from micrograph.recipe import digest
from micrograph.tasks import Task

if TYPE_CHECKING:
    from micrograph.models.model import Model

FIRST = 16
"""Units of every node that come before all the rest, so that each page shows something early."""

Units = tuple[int, ...] | None
"""Units of a node; None is the node as a whole."""


@dataclass(frozen=True)
class NodeWork:
    """What one recipe wants of one node: all units that are wanted, those of them that the atlas
    lacks, and how many go together."""

    task: Task
    """With all units that are wanted, as if they went together."""
    node: str
    missing: frozenset[int | None]
    batch: int

    @property
    def wanted(self) -> Sequence[int | None]:
        units = self.task.units[self.node]
        return (None,) if units is None else units


@dataclass(frozen=True)
class Plan:
    """`total` counts results to make, `there` those in the atlas already; `nothing` lists the views
    and nodes (`LENS VARIANT at NODE`) for which the lens has no result. `wholes` are the lenses
    that make a result of each node beside those of its units, `refused` the nodes that options do
    not fit, with the reason."""

    tasks: tuple[Task, ...]
    total: int
    there: int
    nothing: tuple[str, ...] = ()
    wholes: frozenset[str] = frozenset()
    refused: Mapping[str, MicrographError] = field(default_factory=dict)

    def results_of(self, task: Task) -> int:
        """How many results it gives."""
        return task.size + (len(task.units) if task.technique in self.wholes else 0)


def job_at(model: "Model", node: str, job: Job) -> Job:
    """The job at `node`: where a dictionary makes the node, its digest goes into the recipe."""
    attached = model.attached(node)
    if attached is None:
        return job
    return replace(job, recipe={**job.recipe, "dictionary": attached.dictionary.digest})


class StoredResults(Protocol):
    """Says what is there already."""

    def missing(
        self, node: str, units: Sequence[int | None], recipe: Mapping[str, Any]
    ) -> list[int | None]:
        """Those of `units` that are not there by `recipe`, in their order."""
        ...


def make_plan(
    model: "Model",
    stored: StoredResults,
    jobs: Sequence[tuple[AnyEngine, Job]],
    units: Mapping[str, Sequence[int]],
    batch: int | None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Plan:
    """Plan `jobs` for `units` (by node id, in the order wanted).

    `batch` is a fixed number of units; None lets the engine say how many run fastest together.
    That depends on the model, the node and the options only, never on the memory that happens to be
    free: a plan that is made again has the same batches. `options` are those of each lens, by its
    name: an executor makes the jobs again from them.
    """
    work: list[NodeWork] = []
    sweeps: list[Task] = []
    nothing: list[str] = []
    refused: dict[str, MicrographError] = {}
    there = 0
    wholes = frozenset(
        one.name for one, _ in jobs if isinstance(one, SweepEngine) and one.lens.whole
    )
    for engine, plain in _distinct(jobs):
        own = (options or {}).get(engine.name, {})
        lacking: dict[str, tuple[Job, dict[str, Units]]] = {}
        for node, of_node in units.items():
            job = job_at(model, node, plain)
            wanted: Units = None if engine.level == "node" else tuple(of_node)
            subjects: Sequence[int | None] = (None,) if wanted is None else wanted
            missing = frozenset(stored.missing(node, subjects, job.recipe))
            if engine.name in wholes and not missing:
                if stored.missing(node, (None,), job.recipe):
                    missing = frozenset(subjects[:1])  # killed between these and that of the node
                else:
                    there += 1
            there += len(subjects) - len(missing)
            if not missing:
                continue
            if isinstance(engine, SweepEngine):
                left = None if wanted is None else tuple(u for u in wanted if u in missing)
                lacking.setdefault(digest(job.recipe), (job, {}))[1][node] = left
                continue
            try:
                with memory.fixed_budget():
                    size = engine.batch_size(model, node, job)
            except MicrographError as error:
                refused[node] = error
                continue
            if size < 1:
                nothing.append(f"{engine.name} {job.variant} at {node}")
                continue
            task = _task(model, job, {node: wanted}, own)
            work.append(NodeWork(task, node, missing, batch or size))
        if isinstance(engine, SweepEngine):
            sweeps += [_task(model, job, nodes, own) for job, nodes in lacking.values()]
    tasks = (*sweeps, *in_waves(work))
    plan = Plan(tasks, 0, there, tuple(nothing), wholes, refused)
    return replace(plan, total=sum(map(plan.results_of, tasks)))


def in_waves(work: Sequence[NodeWork]) -> Iterator[Task]:
    """A few units of every recipe and node first, then the rest of each."""
    for one in work:
        yield from _cut(one, one.wanted[:FIRST])
    for one in work:
        yield from _cut(one, one.wanted[FIRST:])


def _cut(work: NodeWork, units: Sequence[int | None]) -> Iterator[Task]:
    """Batches of nearly equal size: twenty units in batches of at most 16 are 10 and 10.

    All units are cut, and only then those left out that are there: a render that goes on after an
    interruption has the batches it would have had, and so the same pictures to the last bit.
    """
    count = -(-len(units) // work.batch)
    for k in range(count):
        part = units[k * len(units) // count : (k + 1) * len(units) // count]
        lacking = [unit for unit in part if unit in work.missing]
        if lacking:
            whole = lacking == [None]
            numbers = None if whole else tuple(unit for unit in lacking if unit is not None)
            yield replace(work.task, units={work.node: numbers})


def _task(
    model: "Model",
    job: Job,
    units: Mapping[str, Units],
    options: Mapping[str, Any],
) -> Task:
    recipe = json.loads(json.dumps(job.recipe))  # as it comes back from JSON: lists, no tuples
    return Task(model.id, recipe, units, options)


def _distinct(
    jobs: Sequence[tuple[AnyEngine, Job]],
) -> list[tuple[AnyEngine, Job]]:
    """Every recipe once."""
    return list({digest(job.recipe): (engine, job) for engine, job in jobs}.values())
