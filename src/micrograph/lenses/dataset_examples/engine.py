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
from micrograph.lenses.dataset_examples.lens import (
    LENS,
    ExamplesParams,
    ExamplesResult,
    Histogram,
    LevelBand,
    SweptNode,
)
from micrograph.lenses.engines.base import (
    Job,
    PictureSource,
    Rendered,
    Sample,
    StepHook,
    SweepEngine,
)
from micrograph.models.model import Model
from micrograph.sweep import part

FILE = "sweep.part"
"""Unfinished work in a workspace; also where a merged sweep is put, to be stored."""


@dataclass(frozen=True)
class _Context:
    dataset: Dataset
    pictures: bool


class DatasetExamplesEngine(SweepEngine[ExamplesParams]):
    """The engine of dataset examples. Its variant is the dataset's name."""

    lens = LENS

    def plan(self, model: Model, params: ExamplesParams) -> list[Job]:
        """One job. Raises as `micrograph.datasets.open_dataset`."""
        opened = open_dataset(params.dataset)
        made: dict[str, Any] = {
            "dataset": opened.digest,
            "dataset_name": opened.name,
            "k": params.k,
        }
        if not params.pictures:  # so that the pictures can be asked for later
            made["pictures"] = False
        recipe = self.recipe(model, opened.name, params.seed, **made)
        return [Job(recipe, _Context(opened, params.pictures and not opened.published))]

    def unfinished(self, workspace: Path) -> Mapping[str, int]:
        """Those of the tally that was written last; none where nothing can go on from it."""
        try:
            return {node: units for node, units, _ in part.spec_of(workspace / FILE).nodes}
        except BadInput:
            return {}

    def prepare(
        self, model: Model, nodes: Sequence[str], job: Job
    ) -> tuple[Dataset, sweep.Look, sweep.Spec]:
        """The dataset, the observer and the specification of the sweep of `job` at `nodes`."""
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
        dataset, look, spec = self.prepare(model, list(targets), job)
        tally = _unfinished_tally(workspace / FILE, spec)
        if tally is None:
            tally = sweep.Tally(spec)
        elif tally.spec != spec:  # begun with more nodes, some of which are stored by now
            look = sweep.Look(model, [model.node(node) for node, _, _ in tally.spec.nodes])
        indices = range(spec.batches)
        sweep.collect(model, dataset, look, tally, indices, on_step, workspace / FILE)
        _warn_of_left_out(dataset, tally.skipped)
        units = sum(len(chosen) for chosen in targets.values())
        share = (time.perf_counter() - started) / max(1, units)
        source = PictureSource(
            dataset.name,
            dataset.digest,
            dataset.title,
            len(dataset),
            model.preprocessing.size,
            dataset.licence,
            dataset.classes,
        )
        given_out: set[int] = set()
        for node, chosen in targets.items():
            for unit, data in zip(
                chosen, sweep.unit_data(tally, node, chosen, job.seed), strict=True
            ):
                found = _result(dataset.digest, data)
                for number in sorted(found.numbers - given_out):
                    given_out.add(number)
                    yield _sample(model, job.context, source, number)
                yield Rendered(node, unit, None, found.max, share, found)
            whole = SweptNode(
                dataset=dataset.digest,
                skipped=len(tally.skipped),
                reasons=tuple((n, tally.skipped[n]) for n in sorted(tally.skipped)[:20]),
                profiles=sweep.node_arrays(tally, node),
            )
            yield Rendered(node, None, None, 0.0, 0.0, whole)


def _result(digest: str, data: Mapping[str, Any]) -> ExamplesResult:
    """The result from `sweep.unit_data`; numbers keep their digits."""
    shown = data["histogram"]
    return ExamplesResult(
        **{
            **data,
            "dataset": digest,
            "top": tuple(map(tuple, data["top"])),
            "bottom": tuple(map(tuple, data["bottom"])),
            "bands": tuple(
                LevelBand(low=b["low"], high=b["high"], examples=tuple(map(tuple, b["examples"])))
                for b in data["bands"]
            ),
            "histogram": Histogram(shown["low"], shown["high"], shown["counts"], shown["of"]),
            "classes": tuple(map(tuple, data["classes"])),
        }
    )


def _warn_of_left_out(dataset: Dataset, skipped: Mapping[int, str]) -> None:
    """Warn of pictures and files that are not in the results, with the first reason."""
    reasons = [f"{count} other files ({reason})" for reason, count in dataset.left_out.items()]
    if skipped:
        first = skipped[min(skipped)]
        reasons.insert(0, f"{len(skipped)} of {len(dataset)} pictures left out (first: {first})")
    if reasons:
        warnings.warn(f"dataset {dataset.name}: {'; '.join(reasons)}", stacklevel=3)


def _unfinished_tally(path: Path, spec: sweep.Spec) -> sweep.Tally | None:
    """The tally of an interrupted sweep of the same kind over these nodes, and maybe more."""
    if not path.exists():
        return None
    try:
        tally, _ = part.read(path)
    except BadInput:  # left by another version: the sweep starts anew
        return None
    same = {**tally.spec.as_dict(), "nodes": None} == {**spec.as_dict(), "nodes": None}
    return tally if same and set(spec.nodes) <= set(tally.spec.nodes) else None


def _sample(model: Model, context: _Context, source: PictureSource, number: int) -> Sample:
    entry = context.dataset.entries[number]
    image = picture(context.dataset, model.preprocessing, number) if context.pictures else None
    return Sample(source, number, entry.name, entry.cls, image)


ENGINE = DatasetExamplesEngine()
