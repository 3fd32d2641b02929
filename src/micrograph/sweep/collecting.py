"""Sweeping: every picture of a dataset through the network once, all nodes tallied."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from micrograph import heap
from micrograph.datasets import Dataset, batches
from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.models.running.reducing import many_units
from micrograph.steps import StepHook
from micrograph.sweep import part
from micrograph.sweep.look import Look
from micrograph.sweep.tally import Spec, Tally

CHECKPOINT = 512
"""Pictures after which unfinished work is written down."""


def batch_size(model: Model) -> int:
    """Pictures that go through the network together; part of what decides the last bits."""
    return model.together(32 if model.preprocessing.size <= 128 else 16)


def specify(
    model: Model, dataset: Dataset, look: Look, *, largest: int, smallest: int, code: str
) -> Spec:
    """What a sweep of `dataset` with the nodes of `look` is."""
    attached = [model.attached(node.id) for node in look.nodes]
    weights = [model.digest, *(one.dictionary.digest for one in attached if one is not None)]
    return Spec(
        model.id,
        "+".join(weights),
        dataset.digest,
        len(dataset),
        len(dataset.classes),
        batch_size(model),
        largest,
        smallest,
        tuple((node.id, node.units, look.before[node.id]) for node in look.nodes),
        code,
    )


def shard(spec: Spec, number: int, of: int) -> range:
    """The batches of shard `number` (from 1) of `of`: cuts are between batches only, so that a
    picture is always run with the same others."""
    if not 1 <= number <= of:
        raise BadInput(f"shard {number}/{of} is not understood; expected 1/{of} to {of}/{of}")
    return range(spec.batches * (number - 1) // of, spec.batches * number // of)


def collect(
    model: Model,
    dataset: Dataset,
    look: Look,
    tally: Tally,
    indices: Sequence[int],
    on_step: StepHook | None = None,
    checkpoint: Path | None = None,
) -> None:
    """Add the batches `indices` that `tally` lacks; writes it to `checkpoint` now and then.

    Raises Conflict when a picture changes meanwhile, BadInput when none of those can be used.
    """
    todo = [index for index in indices if not tally.done[index]]
    step = len(indices) - len(todo)
    every = max(1, CHECKPOINT // tally.spec.batch)
    decoded = batches(dataset, model.preprocessing, tally.spec.batch, todo)
    # Networks of very many units take too much memory as it is.
    memory = nullcontext() if many_units(look.nodes) else heap.kept()
    with memory:
        for batch in decoded:
            seen = look(
                batch.images(model.device), batch.index, tally.wants_means(batch), tally.bars(batch)
            )
            tally.add(batch, seen, look.sampled)
            step += 1
            if checkpoint is not None and (step % every == 0 or step == len(indices)):
                meant = indices if isinstance(indices, range) else None
                part.write(tally, checkpoint, dataset.spec, meant)
            if on_step is not None:
                on_step(step, len(indices))
    if tally.complete and not np.isfinite(tally.arrays["max"]).any():
        reason = next(iter(tally.skipped.values()), "there is none")
        raise BadInput(f"no picture of the dataset {dataset.name} can be used: {reason}")
