"""Dataset examples: what does a unit respond to in real pictures, and how selectively?

One sweep over a dataset keeps, for every unit at once, the pictures on which it was largest and
smallest, some at every level between, and statistics of all its values.
"""

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from micrograph import sweep
from micrograph.datasets import Dataset, open_dataset
from micrograph.datasets.reading import picture
from micrograph.errors import BadInput
from micrograph.lenses.engines.base import Job, Rendered, Sample, Source, StepHook
from micrograph.models.model import Model
from micrograph.sweep import part

FILE = "sweep.part"
"""Unfinished work in a workspace; also where a merged sweep is put, to be stored."""


@dataclass(frozen=True)
class _Context:
    dataset: Dataset
    pictures: bool


@dataclass(frozen=True)
class DatasetExamples:
    """The technique; see `micrograph.lenses.engines.base.Sweep`."""

    name: str = "dataset_examples"
    level: str = "unit"
    revision: int = 1

    def jobs(
        self,
        model: Model,
        *,
        dataset: str = "toytown",
        k: int = 16,
        pictures: bool = True,
        seed: int = 0,
    ) -> list[Job]:
        """One job. `dataset` as `micrograph.datasets.open_dataset` takes it; `k` pictures are kept
        at the top of each unit and half as many at the bottom; with `pictures` false, none is put
        into the atlas, only their numbers."""
        if not (isinstance(k, int) and 1 <= k <= 256):
            raise BadInput(f"k {k!r} is out of range; expected 1 to 256")
        if not (isinstance(seed, int) and 0 <= seed < 2**31):
            raise BadInput(f"seed {seed!r} is out of range; expected 0 to {2**31 - 1}")
        if not isinstance(pictures, bool):
            raise BadInput(f"pictures {pictures!r} is not understood; expected true or false")
        opened = open_dataset(dataset)
        recipe: dict[str, Any] = {
            "technique": self.name,
            "dataset": opened.digest,
            "dataset_name": opened.name,
            "k": k,
            "seed": seed,
            "model": model.id,
            "weights": model.digest,
            "code": f"{self.name}/{self.revision}",
        }
        if not pictures:  # so that the pictures can be asked for later
            recipe["pictures"] = False
        return [Job(self.name, opened.name, seed, recipe, _Context(opened, pictures))]

    def begin(
        self, model: Model, nodes: Sequence[str], job: Job
    ) -> tuple[Dataset, sweep.Look, sweep.Spec]:
        """What `job` sweeps at `nodes`."""
        dataset: Dataset = job.context.dataset
        look = sweep.Look(model, [model.node(node) for node in nodes])
        k = job.recipe["k"]
        code = f"{self.name}/{self.revision}"
        spec = sweep.specify(model, dataset, look, largest=k, smallest=max(1, k // 2), code=code)
        return dataset, look, spec

    def sweep(
        self,
        model: Model,
        targets: Mapping[str, Sequence[int]],
        job: Job,
        workspace: Path,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered | Sample]:
        """Scores are the largest activation on any picture."""
        started = time.perf_counter()
        dataset, look, spec = self.begin(model, list(targets), job)
        tally = _begun(workspace / FILE, spec)
        if tally is None:
            tally = sweep.Tally(spec)
        elif tally.spec != spec:  # begun with more nodes, some of which are stored by now
            look = sweep.Look(model, [model.node(node) for node, _, _ in tally.spec.nodes])
        indices = range(spec.batches)
        sweep.collect(model, dataset, look, tally, indices, on_step, workspace / FILE)
        _tell_left_out(dataset, tally.skipped)
        units = sum(len(chosen) for chosen in targets.values())
        share = (time.perf_counter() - started) / max(1, units)
        source = Source(
            dataset.name,
            dataset.digest,
            dataset.title,
            len(dataset),
            model.preprocessing.size,
            dataset.licence,
            dataset.classes,
        )
        told: set[int] = set()
        for node, chosen in targets.items():
            for unit, data in zip(
                chosen, sweep.unit_data(tally, node, chosen, job.seed), strict=True
            ):
                for number in sorted(sweep.referred(data) - told):
                    told.add(number)
                    yield _sample(model, job.context, source, number)
                data = {"dataset": dataset.digest, **data}
                yield Rendered(node, unit, None, data["max"], share, data)
            about = {"dataset": dataset.digest, "skipped": len(tally.skipped)}
            reasons = [[n, tally.skipped[n]] for n in sorted(tally.skipped)[:20]]
            about["reasons"] = reasons
            yield Rendered(node, None, None, 0.0, 0.0, about, sweep.node_arrays(tally, node))


def _tell_left_out(dataset: Dataset, skipped: Mapping[int, str]) -> None:
    """Warns of what is not part of the results, with the first reason."""
    told = [f"{count} other files ({reason})" for reason, count in dataset.left_out.items()]
    if skipped:
        first = skipped[min(skipped)]
        told.insert(0, f"{len(skipped)} of {len(dataset)} pictures left out (first: {first})")
    if told:
        warnings.warn(f"dataset {dataset.name}: {'; '.join(told)}", stacklevel=3)


def _begun(path: Path, spec: sweep.Spec) -> sweep.Tally | None:
    """Unfinished work of this very sweep, if there is any: of these nodes, and maybe of more."""
    if not path.exists():
        return None
    try:
        tally, _ = part.read(path)
    except BadInput:  # left over by another version; it is only time that is lost
        return None
    same = {**tally.spec.as_dict(), "nodes": None} == {**spec.as_dict(), "nodes": None}
    return tally if same and set(spec.nodes) <= set(tally.spec.nodes) else None


def _sample(model: Model, context: _Context, source: Source, number: int) -> Sample:
    entry = context.dataset.entries[number]
    image = picture(context.dataset, model.preprocessing, number) if context.pictures else None
    return Sample(source, number, entry.name, entry.cls, image)


DATASET_EXAMPLES = DatasetExamples()
