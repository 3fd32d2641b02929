"""Rendering into an atlas on this machine; stopped at any moment, it goes on where it was."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograph import lenses
from micrograph.atlas import AtlasWriter
from micrograph.atlas.encode import check_format
from micrograph.errors import MicrographError
from micrograph.events import Event, Step
from micrograph.runner.describe import (
    dictionary_records,
    made_with,
    model_record,
    node_records,
)
from micrograph.runner.executor import Executor, LocalExecutor, remove_finished_work
from micrograph.runner.failing import by_reason
from micrograph.runner.frames import checked_frames
from micrograph.runner.plan import Plan, make_plan
from micrograph.runner.prepared import prepared
from micrograph.runner.progress import Progress, Silent
from micrograph.runner.results import TaskResults
from micrograph.runner.save import Saver
from micrograph.runner.stored_pictures import PictureFormat
from micrograph.tasks import Task

if TYPE_CHECKING:
    from micrograph.models.model import Model
    from micrograph.models.node import Node


@dataclass(frozen=True)
class Summary:
    """What a render did. `there` results were in the atlas before; `skipped` are addresses whose
    result came out with a score or data that are not finite; `nothing` names nodes where a lens has
    nothing to say; `failed` are those that something went wrong with, and the reason; `interrupted`
    tells of Ctrl-C, `made_way` of another writer that came first."""

    rendered: int
    there: int
    seconds: float
    path: Path
    skipped: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()
    interrupted: bool = False
    made_way: bool = False
    failed: Mapping[str, MicrographError] = field(default_factory=dict)
    coverage: str = ""
    """What is said of the modules that have no node."""

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
            engines = dict.fromkeys(one.partition(" ")[0] for one in self.nothing)
            why = "; ".join(reason for name in engines if (reason := lenses.get(name).nothing))
            parts.append(
                f"there is nothing to show for {_few(self.nothing)}" + (f" ({why})" if why else "")
            )
        if self.failed:
            count = "1 node" if len(self.failed) == 1 else f"{len(self.failed)} nodes"
            reasons = by_reason(self.failed)
            more = f" and {len(reasons) - 2} other reasons" if len(reasons) > 2 else ""
            parts.append(f"{count} could not be rendered ({'; '.join(reasons[:2])}{more})")
        if self.interrupted:
            parts.append("interrupted: the same command goes on from here")
        if self.coverage:
            parts.append(self.coverage)
        return "; ".join(parts) + f": {self.path}"


def _few(names: Sequence[str]) -> str:
    """The first three, and whether there are more."""
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def render(
    model: "Model",
    atlas_dir: Path | str,
    *,
    technique: str | Iterable[str] = "feature_vis",
    nodes: "str | Node | Iterable[str | Node] | None" = None,
    units: str | int | Iterable[int | str] | None = None,
    batch: int | str = "auto",
    progress: Progress | None = None,
    on_event: Callable[[Event], None] | None = None,
    frames: int = 0,
    makes_way: bool = False,
    image_format: str = "avif",
    quality: int | None = None,
    **options: Any,
) -> Summary:
    """Render what the atlas of a model lacks, batch by batch, each stored when it is finished.

    The atlas is the file `atlas_dir/<model id>.atlas`; it is made where there is none. Everything
    is checked before anything is written. Ctrl-C keeps what is stored and returns a summary of
    that; the same call goes on from there, and gives the same pictures as an unbroken one. A node
    that something goes wrong with is left out, and the summary says so; only where nothing at all
    is made, and nothing was there, its error is raised.

    Parameters:
        model: the model, as `micrograph.load` or `Model.of` give it.
        atlas_dir: the folder of the atlas.
        technique: one lens, or several.
        nodes: one id, alias or glob, or several; None for all nodes worth seeing.
        units: a selection such as `"0-63,100"`, a number, or several; None for all units of each
            node.
        batch: how many units are rendered together, 1 to 4096; "auto" for what runs fastest, which
            depends on the model, the node and the options alone.
        progress: shows how far the render is, in results.
        on_event: called with `Step` (of the batch under way) and `Stored` (a result is in the
            atlas) as they happen; with `Stored` from another thread.
        frames: after how many steps `on_event` gets a picture as it stands (`Step.frame`, a data
            URL of at most 64 kB), and after the last; 0 for none.
        makes_way: wait while another process writes the atlas, and stop when one wants to; the same
            call goes on then.
        image_format: "avif", "webp" or "png".
        quality: of AVIF and WebP, 1 to 100; None for the format's usual one.
        options: go to the lenses that have them (preset, steps, size in pixels, seed, ...).

    Returns:
        What was done, in numbers.

    Raises:
        NotFound: for unknown names.
        BadInput: for values that make no sense.
        Conflict: when another process writes this atlas, or it was made from other weights.
        Unavailable: when the atlas cannot be written.

    Example:
        >>> import tempfile
        >>> import micrograph
        >>> from micrograph.runner import render
        >>> model = micrograph.load("toytown")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     done = render(model, folder, nodes="conv0", units="0-2", size=32, steps=2)
        >>> done.rendered, done.there, done.path.name
        (3, 0, 'toytown.atlas')
    """
    frames = checked_frames(frames)
    check_format(image_format, quality)
    asked = prepared(model, atlas_dir, technique, nodes, units, batch, options)
    path, jobs, wanted = asked.path, asked.jobs, asked.wanted
    started = time.monotonic()
    progress = progress or Silent()
    records = node_records(model)
    dictionaries = dictionary_records(model)
    with AtlasWriter.open(
        path, model_record(model), records, dictionaries, makes_way=makes_way
    ) as writer:
        plan = make_plan(model, writer, jobs, wanted, asked.batch, asked.options)
        remove_finished_work(model, writer, jobs, wanted)
        plan = replace(plan, tasks=tuple(replace(task, frames=frames) for task in plan.tasks))
        progress.start(plan.total, plan.there, str(path))
        kept_as = PictureFormat(image_format, quality)
        saver = Saver(writer, made_with(model), kept_as, on_event)
        interrupted = made_way = False
        failed = dict(plan.refused)

        def heard(event: Event) -> None:
            if isinstance(event, Step) and writer.is_wanted:
                raise _MadeWay
            if on_event is not None:
                on_event(event)

        try:
            with saver:
                executor = LocalExecutor(model, path, jobs, kept_as)
                _run(executor, plan, saver, progress, heard, failed)
        except KeyboardInterrupt:
            interrupted = True
        except _MadeWay:
            made_way = True
        finally:
            progress.finish()
    if failed and not (saver.stored or plan.there or interrupted or made_way):
        raise next(iter(failed.values()))
    return Summary(
        rendered=saver.stored,
        there=plan.there,
        seconds=time.monotonic() - started,
        path=path,
        skipped=tuple(saver.skipped),
        nothing=plan.nothing,
        interrupted=interrupted,
        made_way=made_way,
        failed=failed,
        coverage=str(model.coverage),
    )


class _MadeWay(BaseException):
    """Ends a render at once, as Ctrl-C does: another process wants to write."""


def _run(
    executor: Executor,
    plan: Plan,
    saver: Saver,
    progress: Progress,
    on_event: Callable[[Event], None],
    failed: dict[str, MicrographError],
) -> None:
    """Let the executor do the tasks, and store their results; `failed` gets what went wrong."""
    done = 0

    def on_step(task: Task, step: Step) -> None:
        saver.check()  # a full disk ends the batch at once, not after it
        progress.update(done + plan.results_of(task) * step.step / step.steps, _words(task))
        on_event(step)

    for event in executor.run(plan.tasks, on_step):
        if isinstance(event, TaskResults):
            saver.save(event)
            continue
        done += plan.results_of(event.task)
        failed.update(event.failed)
        if event.keeps:
            saver.wait()
    progress.update(done, "the end")


def _words(task: Task) -> str:
    """What is being done, for people."""
    where = next(iter(task.units)) if len(task.units) == 1 else task.technique
    return f"{where} {task.variant}"
