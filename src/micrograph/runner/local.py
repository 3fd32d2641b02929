"""Rendering into an atlas on this machine; stopped at any moment, it goes on where it was."""

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograph import lenses
from micrograph.atlas import AtlasWriter
from micrograph.atlas.encode import check_format
from micrograph.atlas.format import SUFFIX
from micrograph.errors import BadInput, Conflict
from micrograph.lenses.engines.base import Job, Rendered, Sample, StepHook, Sweep
from micrograph.recipe import digest
from micrograph.runner.describe import (
    dictionary_records,
    made_with,
    model_record,
    node_records,
)
from micrograph.runner.options import jobs_of
from micrograph.runner.plan import Batch, Plan, SweepBatch, make_plan
from micrograph.runner.progress import Progress, Silent
from micrograph.runner.save import Saver
from micrograph.runner.select import choose_nodes, choose_units, find_attached

if TYPE_CHECKING:
    from micrograph.models.model import Model


CHUNK = 256
"""Results of a sweep that are stored in one transaction."""


@dataclass(frozen=True)
class Summary:
    """What a render did. `there` results were in the atlas before; `skipped` are addresses whose
    result came out with a score or data that are not finite; `nothing` names nodes where a lens has
    nothing to say; `interrupted` tells of Ctrl-C."""

    rendered: int
    there: int
    seconds: float
    path: Path
    skipped: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def rate(self) -> float:
        """Results per second."""
        return self.rendered / self.seconds if self.seconds > 0 else 0.0

    def __str__(self) -> str:
        made = "1 result" if self.rendered == 1 else f"{self.rendered} results"
        parts = [f"{made} in {self.seconds:.0f} s ({self.rate:.2f}/s)"]
        if self.there:
            parts.append(f"{self.there} were there already")
        if self.skipped:
            parts.append(
                f"{len(self.skipped)} came out without finite numbers and were left out "
                f"({_few(self.skipped)})"
            )
        if self.nothing:
            parts.append(f"there is nothing to show for {_few(self.nothing)}")
        if self.interrupted:
            parts.append("interrupted: the same command goes on from here")
        return "; ".join(parts) + f": {self.path}"


def _few(names: Sequence[str]) -> str:
    """The first three, and whether there are more."""
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def render(
    model: "Model",
    atlas_dir: Path | str,
    *,
    technique: Sequence[str] = ("feature_vis",),
    nodes: Sequence[str] | None = None,
    units: str | None = None,
    batch: int | str = "auto",
    progress: Progress | None = None,
    image_format: str = "avif",
    quality: int | None = None,
    **options: Any,
) -> Summary:
    """Render what `atlas_dir/<model id>.atlas` lacks, batch by batch, each stored when finished.

    `nodes` are ids, aliases or globs, by default all worth seeing; `units` a selection such as
    `0-63,100`; `batch` a number of units or "auto"; `options` go to the techniques that have them
    (preset, steps, size, seed, ...). Ctrl-C keeps what is stored and returns a summary of that.

    Everything is checked before anything is written. Raises NotFound for unknown names, BadInput
    for values that make no sense, Conflict when another process writes this atlas or it was made
    from other weights, Unavailable when it cannot be written.
    """
    size = _checked_batch(batch)
    check_format(image_format, quality)
    found = [lenses.get(name) for name in dict.fromkeys(technique)]
    jobs = jobs_of(found, model, options)
    find_attached(model, nodes or ())
    chosen = choose_nodes(model.nodes, nodes, model.id)
    largest = max((node.units for node in chosen), default=0)
    wanted = {node.id: choose_units(node, units, largest) for node in chosen}
    for lens, job in jobs:
        if not isinstance(lens, Sweep):
            for node in wanted:
                lens.batch_size(model, node, job)  # refuses options that do not fit the node
    started = time.monotonic()
    progress = progress or Silent()
    path = Path(atlas_dir) / f"{model.id}{SUFFIX}"
    records = node_records(model)
    dictionaries = dictionary_records(model)
    with AtlasWriter.open(path, model_record(model), records, dictionaries) as writer:
        plan = make_plan(model, writer, jobs, wanted, size)
        progress.start(plan.total, plan.there, str(path))
        stored: list[int] = []
        saver = Saver(writer, made_with(model), image_format, quality, stored.append)
        interrupted = False
        try:
            with saver:
                _run(model, plan, saver, progress, path)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            progress.finish()
    return Summary(
        rendered=sum(stored),
        there=plan.there,
        seconds=time.monotonic() - started,
        path=path,
        skipped=tuple(saver.skipped),
        nothing=plan.nothing,
        interrupted=interrupted,
    )


def _run(model: "Model", plan: Plan, saver: Saver, progress: Progress, path: Path) -> None:
    done = 0
    for batch in plan.batches:
        if isinstance(batch, SweepBatch):
            _sweep(model, batch, saver, _told(batch, done, saver, progress), path)
        else:
            saver.save(batch.job, _render(model, batch, _told(batch, done, saver, progress)))
        done += batch.size
    progress.update(done, "the end")


def _told(batch: Batch | SweepBatch, done: int, saver: Saver, progress: Progress) -> StepHook:
    """What tells `progress` of the steps of a batch, of which `done` results are made before."""
    where = batch.technique.name if isinstance(batch, SweepBatch) else batch.node
    doing = f"{where} {batch.job.variant}"

    def on_step(step: int, steps: int) -> None:
        saver.check()  # a full disk ends the batch at once, not after it
        progress.update(done + batch.size * step / steps, doing)

    progress.update(done, doing)
    return on_step


def _render(model: "Model", batch: Batch, on_step: StepHook) -> list[Rendered | Sample]:
    units = [unit for unit in batch.units if unit is not None]
    return list(batch.technique.run(model, batch.node, units, batch.job, on_step))


def _sweep(model: "Model", batch: SweepBatch, saver: Saver, on_step: StepHook, path: Path) -> None:
    """Store a sweep's results as they come; its unfinished work lies in a folder beside `path`."""
    workspace = workspace_of(path, batch.job)
    targets = {node: [u for u in units if u is not None] for node, units in batch.targets.items()}
    results = batch.technique.sweep(model, targets, batch.job, workspace, on_step)
    try:
        for part in _chunks(results, CHUNK):
            saver.save(batch.job, part)
        saver.wait()
    except Conflict:  # what was swept is not what is there now: nothing can go on from it
        shutil.rmtree(workspace, ignore_errors=True)
        raise
    shutil.rmtree(workspace, ignore_errors=True)


def workspace_of(path: Path, job: Job) -> Path:
    """The folder for unfinished work of a sweep into the atlas at `path`."""
    return path.with_name(f"{path.name}.{digest(job.recipe)[:12]}.part")


def _chunks(results: Iterator[Rendered | Sample], size: int) -> Iterator[list[Rendered | Sample]]:
    part: list[Rendered | Sample] = []
    for result in results:
        part.append(result)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def _checked_batch(batch: int | str) -> int | None:
    """The fixed batch size, or None for "auto"."""
    if batch == "auto":
        return None
    if isinstance(batch, int) and 1 <= batch <= 4096:
        return batch
    raise BadInput(f"batch {batch!r} is not usable; expected auto, or a number from 1 to 4096")
