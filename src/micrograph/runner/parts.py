"""A sweep that is cut into parts, on machines that need not know of each other, and put together.

The parts hold what one sweep would have found, to the last bit.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from micrograph import sweep
from micrograph.atlas.format import SUFFIX
from micrograph.errors import BadInput, Unavailable
from micrograph.files import sole_writer
from micrograph.lenses.dataset_examples.engine import ENGINE as DATASET_EXAMPLES
from micrograph.lenses.dataset_examples.engine import FILE
from micrograph.lenses.engines.base import Job
from micrograph.recipe import digest
from micrograph.runner.executor import workspace_of
from micrograph.runner.local import Summary, render
from micrograph.runner.plan import job_at
from micrograph.runner.progress import Progress, Silent
from micrograph.runner.select import choose_nodes, find_attached
from micrograph.sweep import part

if TYPE_CHECKING:
    from micrograph.models.model import Model


def sweep_part(
    model: "Model",
    out: Path,
    *,
    dataset: str,
    shard: tuple[int, int] = (1, 1),
    nodes: Sequence[str] | None = None,
    k: int = 16,
    progress: Progress | None = None,
) -> sweep.Tally:
    """Sweep shard `(i, n)` of a dataset into the file `out`, written now and then and at the end.

    What is in `out` already is gone on from. Raises BadInput if that is something else, Unavailable
    if `out` cannot be written, Conflict while another sweep writes it.
    """
    if not os.access(out.parent, os.W_OK) or not out.parent.is_dir() or out.is_dir():
        raise Unavailable(
            f"cannot write {out}; its folder must be there and be yours to write in, and it be no "
            "folder"
        )
    with sole_writer(out):
        return _sweep_part(model, out, dataset, shard, nodes, k, progress or Silent())


def _sweep_part(
    model: "Model",
    out: Path,
    dataset: str,
    shard: tuple[int, int],
    nodes: Sequence[str] | None,
    k: int,
    progress: Progress,
) -> sweep.Tally:
    find_attached(model, nodes or ())
    (job,) = DATASET_EXAMPLES.jobs(model, dataset=dataset, k=k)
    ids = [node.id for node in choose_nodes(model.nodes, nodes, model.id)]
    job = _job_at(model, ids, job)
    opened, look, spec = DATASET_EXAMPLES.prepare(model, ids, job)
    indices = sweep.shard(spec, *shard)
    tally = sweep.Tally(spec)
    if out.exists():
        tally, _ = part.read(out)
        spec.check(tally.spec)
    pictures = min(len(indices) * spec.batch, len(opened))
    progress.start(pictures, 0, str(out))

    def on_step(step: int, steps: int) -> None:
        progress.update(pictures * step / steps, f"{opened.name}, shard {shard[0]}/{shard[1]}")

    try:
        sweep.collect(model, opened, look, tally, indices, on_step, out)
    finally:
        progress.finish()
    part.write(tally, out, opened.spec, indices)
    return tally


def _job_at(model: "Model", nodes: Sequence[str], job: Job) -> Job:
    """The job at all of `nodes`. Raises BadInput where dictionaries make some of them only: those
    have recipes of their own."""
    jobs = {digest(one.recipe): one for one in (job_at(model, node, job) for node in nodes)}
    if len(jobs) > 1:
        raise BadInput(
            "nodes of the network and of a dictionary cannot be swept in the same parts; name "
            "those of one kind with --node, and sweep the others in parts of their own"
        )
    return next(iter(jobs.values()), job)


def merge_parts(files: Sequence[Path]) -> tuple[sweep.Tally, str]:
    """The sweep that these files are parts of, and the dataset as the first of them named it.

    Raises BadInput for parts of different sweeps and if some are missing, Conflict for overlaps.
    """
    if not files:
        raise BadInput("no parts given; expected the files that micrograph sweep --out wrote")
    whole, source = part.read(files[0])
    for file in files[1:]:
        whole.merge(part.read(file, to_merge=True)[0])
    if not whole.complete:
        unfinished = [str(file) for file in files if part.left_of(file)]
        if unfinished:
            raise BadInput(
                f"not finished: {', '.join(unfinished[:3])}{', ...' if unfinished[3:] else ''}; "
                "run the command again that makes it, which goes on where it was"
            )
        first = int(whole.done.argmin()) * whole.spec.batch
        share = whole.done.mean()
        raise BadInput(
            f"the parts hold {share:.1%} of the dataset; pictures from number {first} on are "
            "missing: give all parts, each finished"
        )
    return whole, source


def store_merged(
    model: "Model",
    whole: sweep.Tally,
    atlas_dir: Path,
    *,
    dataset: str,
    progress: Progress | None = None,
) -> Summary:
    """Put a merged sweep into the atlas, with the pictures that it names, from `dataset`.

    It lies in a file from then on, and `whole` is emptied: two of them may not fit into memory.

    Raises BadInput if the dataset or the weights are not those that were swept, and for a sweep
    that is not complete, or was stored already.
    """
    if not whole.complete:
        raise BadInput(
            f"a sweep of {whole.spec.model} that is not complete, or was stored already; merge its "
            "parts anew"
        )
    (job,) = DATASET_EXAMPLES.jobs(model, dataset=dataset, k=whole.spec.largest)
    find_attached(model, [node for node, _, _ in whole.spec.nodes])
    nodes = [node for node, _, _ in whole.spec.nodes]
    if job.recipe["dataset"] != whole.spec.dataset:
        raise BadInput(
            f"the dataset {dataset} has changed since it was swept (its digest is "
            f"{job.recipe['dataset'][:16]}..., in the parts {whole.spec.dataset[:16]}...); name "
            "the one that was swept with --dataset, or sweep it anew"
        )
    _, _, spec = DATASET_EXAMPLES.prepare(model, nodes, job)
    spec.check(whole.spec)
    job = _job_at(model, nodes, job)
    workspace = workspace_of(atlas_dir / f"{model.id}{SUFFIX}", job.recipe)
    part.write(whole, workspace / FILE, dataset)
    whole.empty()
    return render(
        model,
        atlas_dir,
        technique=[DATASET_EXAMPLES.name],
        nodes=nodes,
        progress=progress,
        dataset=dataset,
        k=whole.spec.largest,
    )
