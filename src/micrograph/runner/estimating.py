"""How long a render will take, from a few of its steps, measured here and now."""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from math import ceil, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from micrograph import lenses
from micrograph.atlas import Atlas, encode
from micrograph.atlas.encode import check_format
from micrograph.lenses.engines.base import AnyEngine, Job, SweepEngine
from micrograph.optimize import memory
from micrograph.recipe import digest
from micrograph.runner.plan import Plan, job_at, make_plan
from micrograph.runner.prepared import prepared
from micrograph.runner.progress import duration
from micrograph.tasks import Task

if TYPE_CHECKING:
    from micrograph.models.model import Model
    from micrograph.models.node import Node

SAMPLES = 4
"""Nodes, spread over the network, at which each recipe is measured; others lie between."""
STEPS = 3
"""Steps that are measured, behind one that is not: the first is slower."""
_REDIRECTED = 2
"""Steps of a measurement that redirect ReLUs, where the recipe has such steps: they take longer
than those behind them, so that one of each kind has to be measured."""
PATIENCE = 5.0
"""Seconds after which a measurement ends with the step at work."""
BYTES_PER_PIXEL = 0.215
"""Of a stored picture: those of the gallery have 0.210 to 0.217, whatever their size."""
TIMES = {
    "avif": ((10, 30, 50, 80, 100), (0.24, 0.51, 1.0, 2.54, 8.94)),
    "webp": ((10, 50, 75, 90, 100), (0.76, 1.41, 1.71, 2.49, 3.52)),
    "png": ((1, 100), (9.36, 9.36)),
}
"""How much larger pictures of that format get, by quality: measured on three of toytown's units."""
BYTES_PER_RESULT = 500
"""What an atlas takes beside the picture."""


@dataclass(frozen=True)
class Estimate:
    """What a render would do: `results` to make beside those that are `there`, in about `seconds`
    on this machine as it is now, with `bytes` of pictures (of those lenses whose pictures have a
    size that is known before). `steps` were measured for it."""

    results: int
    there: int
    seconds: float
    bytes: int
    steps: int

    def __str__(self) -> str:
        if not self.results:
            return f"nothing to do: {self.there} results are there already"
        many = "1 result" if self.results == 1 else f"{self.results} results"
        known = f" ({self.there} are there already)" if self.there else ""
        size = f", {_size(self.bytes)} of pictures" if self.bytes else ""
        steps = "1 step" if self.steps == 1 else f"{self.steps} steps"
        return (
            f"{many}{known}, about {duration(self.seconds)}{size}; "
            f"from {steps} measured on this machine just now"
        )


def estimate(
    model: "Model",
    atlas_dir: Path | str,
    *,
    technique: str | Iterable[str] = "feature_vis",
    nodes: "str | Node | Iterable[str | Node] | None" = None,
    units: str | int | Iterable[int | str] | None = None,
    batch: int | str = "auto",
    image_format: str = "avif",
    quality: int | None = None,
    alone: Callable[[], AbstractContextManager[None]] = nullcontext,
    **options: Any,
) -> Estimate:
    """How long `render` would take with the same arguments; nothing is stored.

    A few steps of each recipe are made at up to four nodes, which takes seconds where the render
    takes minutes. What else the machine has to do counts, as it would for the render.

    Parameters:
        alone: a context in which each measurement is made.

    Raises:
        As `render`, but for what concerns writing.

    Example:
        >>> import tempfile
        >>> import micrograph
        >>> model = micrograph.load("toytown")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = micrograph.estimate(model, folder, nodes="conv0", units="0-2", size=32)
        >>> found.results, found.there, found.seconds > 0
        (3, 0, True)
    """
    times = _times(image_format, check_format(image_format, quality))
    asked = prepared(model, atlas_dir, technique, nodes, units, batch, options)
    stored = Atlas.open(asked.path) if asked.path.exists() else _Nothing()
    plan = make_plan(model, stored, asked.jobs, asked.wanted, asked.batch, asked.options)
    seconds, steps = 0.0, 0
    for tasks in _by_recipe(plan).values():
        rates: list[tuple[int, float]] = []
        for task in _spread(model, tasks):
            with alone():
                whole, done = _measured(model, task, asked.jobs)
            steps += done
            rates.append((_depth(model, task), whole / max(1, task.size)))
        depths, each = zip(*sorted(rates), strict=True)
        seconds += sum(
            float(np.interp(_depth(model, task), depths, each)) * task.size for task in tasks
        )
    size = sum(_bytes(task, times) * plan.results_of(task) for task in plan.tasks)
    return Estimate(plan.total, plan.there, seconds, round(size), steps)


class _Nothing:
    """An atlas that is not there yet."""

    def missing(
        self, node: str, units: Sequence[int | None], recipe: Mapping[str, Any]
    ) -> list[int | None]:
        return list(units)


def _by_recipe(plan: Plan) -> dict[str, list[Task]]:
    """Seeds and dictionaries take as long as each other."""
    found: dict[str, list[Task]] = {}
    for task in plan.tasks:
        same = {key: v for key, v in task.recipe.items() if key not in ("seed", "dictionary")}
        found.setdefault(digest(same), []).append(task)
    return found


def _spread(model: "Model", tasks: Sequence[Task]) -> list[Task]:
    """The largest task at each of a few nodes, the first and the last among them."""
    largest: dict[int, Task] = {}
    for task in tasks:
        depth = _depth(model, task)
        if depth not in largest or task.size > largest[depth].size:
            largest[depth] = task
    depths = sorted(largest)
    count = min(SAMPLES, len(depths))
    places = np.linspace(0, len(depths) - 1, count).round().astype(int).tolist()
    return [largest[depths[place]] for place in dict.fromkeys(places)]


def _depth(model: "Model", task: Task) -> int:
    return max(model.node(node).index for node in task.units)


class _Enough(BaseException):
    """Ends the work that was measured."""


class _Clock:
    """A hook that notes when steps are done, and ends the work after a few. `redirected` of its
    steps, as the work has them, are of the slower kind; None where there is one kind only."""

    def __init__(self, redirected: int | None = None, device: str = "cpu") -> None:
        self.times: list[tuple[float, float]] = []
        self.started = time.perf_counter()
        self.redirected, self.device = redirected, device

    def __call__(self, step: int, steps: int) -> None:
        if self.device == "cuda":  # whose work goes on while the next steps are handed to it
            torch.cuda.synchronize()
        now = time.perf_counter()
        self.times.append((now, step / steps))
        if len(self.times) > STEPS or (now - self.started > PATIENCE and len(self.times) > 1):
            raise _Enough

    def whole(self) -> float:
        """Seconds for all steps, by those that were noted."""
        (first, before), *middle, (last, after) = self.times
        if self.redirected is None or not middle:
            return (last - first) / max(after - before, 1e-9)
        slow, at = middle[0]
        steps = round(1 / (at - before))
        redirected = min(self.redirected, steps)
        plain = (last - slow) / len(middle)
        # The last step stands for the passes that measure what the pictures reach.
        return redirected * (slow - first) + (steps - redirected + 1) * plain


def _measured(
    model: "Model", task: Task, jobs: Sequence[tuple[AnyEngine, Job]]
) -> tuple[float, int]:
    """Seconds that a task takes, and how many steps say so."""
    clock = _Clock(task.recipe.get("redirect_steps"), model.device.type)
    try:
        with tempfile.TemporaryDirectory() as folder, memory.fixed_budget():
            for _ in _results(model, task, jobs, clock, Path(folder)):
                pass
    except _Enough:
        return clock.whole() + _encoding(task), len(clock.times) - 1
    return time.perf_counter() - clock.started, max(1, len(clock.times))


def _encoding(task: Task) -> float:
    """Seconds to encode a picture of each unit, in all processors, where their size is known."""
    size = task.recipe.get("size")
    if not isinstance(size, int):
        return 0.0
    coarse = np.random.default_rng(0).integers(0, 256, (size // 4 + 1, size // 4 + 1, 3), np.uint8)
    picture = coarse.repeat(4, 0).repeat(4, 1)[:size, :size]
    started = time.perf_counter()
    encode(np.ascontiguousarray(picture))
    each = time.perf_counter() - started
    return each * ceil(task.size / min(task.size, os.cpu_count() or 1))


def _results(
    model: "Model",
    task: Task,
    jobs: Sequence[tuple[AnyEngine, Job]],
    clock: _Clock,
    folder: Path,
) -> Iterator[Any]:
    engine = lenses.get(task.technique)
    job = next(
        job
        for one, plain in jobs
        for job in [job_at(model, next(iter(task.units)), plain)]
        if one is engine and digest(job.recipe) == digest(task.recipe)
    )
    if "redirect_steps" in job.recipe:
        job = replace(job, recipe={**job.recipe, "redirect_steps": _REDIRECTED})
    targets = {node: list(units or ()) for node, units in task.units.items()}
    if isinstance(engine, SweepEngine):
        return engine.sweep(model, targets, job, folder / "part", clock)
    ((node, units),) = targets.items()
    return engine.run(model, node, units, job, clock)


def _times(image_format: str, quality: int) -> float:
    """How much larger a picture gets than with the usual format and quality."""
    return float(np.exp(np.interp(quality, TIMES[image_format][0], np.log(TIMES[image_format][1]))))


def _bytes(task: Task, times: float) -> float:
    """Of one result; 0 where the size of its picture is not known before."""
    size = task.recipe.get("size")
    if not isinstance(size, int):
        return 0.0
    many = [task.recipe.get(name, 1) for name in ("facets", "together")]
    shares = task.recipe.get("shares")
    pictures = prod(n for n in many if isinstance(n, int)) * (len(shares) if shares else 1)
    return BYTES_PER_RESULT + BYTES_PER_PIXEL * times * size * size * pictures


def _size(size: int) -> str:
    """For people: "300 kB", "9 MB"."""
    if size < 1e6:
        return f"{max(1, round(size / 1e3))} kB"
    return f"{size / 1e6:.1f} MB" if size < 1e7 else f"{size / 1e6:.0f} MB"
