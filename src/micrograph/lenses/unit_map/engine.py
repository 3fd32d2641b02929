"""Map of units: which units are alike, all at a glance?

Units of a node (variant `node`) or of all nodes (`model`) are laid out in two dimensions so
that those which fire on the same pictures lie close together; see `lenses.unit_map.layout`.
A unit's profile is its largest activation on each picture of a dataset.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from micrograph.datasets import Batch, Dataset, batches, open_dataset
from micrograph.errors import BadInput
from micrograph.lenses.engines.base import Job, Rendered, StepHook, SweepEngine
from micrograph.lenses.unit_map.layout import Layout, lay_out
from micrograph.lenses.unit_map.lens import FEWEST, LENS, UnitMapParams, UnitMapResult
from micrograph.models.model import Model

BATCH = 16
MOST_VALUES = 1 << 28
"""Of units on pictures, which are all in memory to be laid out: 1 GB."""


class UnitMapEngine(SweepEngine[UnitMapParams]):
    """The engine of maps of units."""

    lens = LENS

    def plan(self, model: Model, params: UnitMapParams) -> list[Job]:
        """One job for each variant. Raises BadInput and Unavailable as `open_dataset` does."""
        look = _DatasetProfiles(open_dataset(params.dataset), params.pictures)
        _check_enough(look.dataset, len(look.dataset))
        made = {"pictures": params.pictures, "dataset": look.dataset.digest}
        return [
            Job(self.recipe(model, variant, params.seed, variant=variant, **made), look)
            for variant in dict.fromkeys(params.variants)
        ]

    def sweep(
        self,
        model: Model,
        targets: Mapping[str, Sequence[int]],
        job: Job,
        workspace: Path,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """Per node the places of its units, float32 [unit, 2] in 0..1; the score is how much more
        neighbours correlate than any two units. One map at a time of `model` is whole: that of the
        nodes named in `data["together"]`."""
        started = time.perf_counter()
        nodes = [model.node(name).id for name in targets]
        maps = [[node] for node in nodes] if job.variant == "node" else [nodes]
        steps = 100 + 10 * len(maps)  # looking takes longer than laying out

        def looked(share: float) -> None:
            if on_step is not None:
                on_step(int(100 * share), steps)

        profiles = job.context.profiles(model, nodes, looked)
        for number, together in enumerate(maps, 1):
            layout = lay_out(profiles.of(together), job.seed)
            if on_step is not None:
                on_step(100 + 10 * number, steps)
            first = 0
            for node in together:
                count = len(profiles.of([node]))
                seconds, started = time.perf_counter() - started, time.perf_counter()
                yield Rendered(
                    node,
                    None,
                    None,
                    layout.near - layout.random,
                    seconds,
                    job.context.describe(layout, together, layout.xy[first : first + count]),
                )
                first += count


@dataclass(frozen=True)
class _Profiles:
    """The largest activation of each unit on each picture, float32 [picture, unit], the units of
    each node where `spans` says."""

    values: np.ndarray
    spans: Mapping[str, slice]

    def of(self, nodes: Sequence[str]) -> np.ndarray:
        """[unit, picture] of some nodes, one after the other."""
        spans = [self.spans[node] for node in nodes]
        if all(a.stop == b.start for a, b in pairwise(spans)):
            return self.values[:, spans[0].start : spans[-1].stop].T
        return np.concatenate([self.values[:, span].T for span in spans])


@dataclass
class _DatasetProfiles:
    """A dataset and the units' profiles on it, which both variants need."""

    dataset: Dataset
    most: int
    seen: int = 0
    _profiles: _Profiles | None = None

    def profiles(
        self, model: Model, nodes: Sequence[str], on_share: Callable[[float], None]
    ) -> _Profiles:
        """Those of the units of `nodes`.

        Pictures that cannot be read or give no finite activations are left out. Raises BadInput
        where fewer than FEWEST remain, and where there are too many of units and pictures.
        """
        if self._profiles is not None and self._profiles.spans.keys() >= set(nodes):
            on_share(1)
            return self._profiles
        size = model.together(BATCH)
        there = -(-len(self.dataset) // size)
        count = min(there, -(-self.most // size))
        indices = [k * there // count for k in range(count)]
        ends = np.cumsum([model.node(node).units for node in nodes]).tolist()
        starts = [0, *ends[:-1]]
        spans = {node: slice(a, b) for node, a, b in zip(nodes, starts, ends, strict=True)}
        units = max(1, ends[-1])
        if count * size * units > MOST_VALUES:
            raise BadInput(
                f"a map of {units} units on {count * size} pictures does not fit into memory; "
                f"--pictures {max(FEWEST, MOST_VALUES // units // size * size)} does"
            )
        values = np.empty((count * size, units), np.float32)
        seen = 0
        for done, batch in enumerate(batches(self.dataset, model.preprocessing, size, indices), 1):
            top = self._look(model, nodes, batch)
            fine = np.all([np.isfinite(found).all(1) for found in top.values()], axis=0)
            fine &= batch.valid
            more = int(fine.sum())
            for node, span in spans.items():
                values[seen : seen + more, span] = top[node][fine]
            seen += more
            on_share(done / count)
        self.seen = seen
        _check_enough(self.dataset, self.seen)
        self._profiles = _Profiles(values[:seen], spans)
        return self._profiles

    @torch.no_grad()
    def _look(self, model: Model, nodes: Sequence[str], batch: Batch) -> dict[str, np.ndarray]:
        """The largest activations, float32 [picture, unit] of each node."""

        def largest(node: str, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
            top = values.flatten(2).amax(2) if values.ndim > 2 else values.clone()
            return (top.float(),)

        found = model.reduced(batch.images(model.device), nodes, largest)
        return {node: top.cpu().numpy() for node, (top,) in found.items()}

    def describe(self, layout: Layout, together: Sequence[str], xy: np.ndarray) -> UnitMapResult:
        """The stored result for a node's part of a map, `xy` [unit, 2]."""
        return UnitMapResult(
            method=f"t-SNE (perplexity {layout.perplexity:.0f}) of the units' largest "
            f"activations on {self.seen} pictures of {self.dataset.title}, then a grid.",
            dataset=self.dataset.digest,
            pictures=self.seen,
            columns=layout.columns,
            together=tuple(together),
            trustworthiness=layout.trustworthiness,
            near=layout.near,
            random=layout.random,
            xy=xy,
        )


def _check_enough(dataset: Dataset, pictures: int) -> None:
    if pictures < FEWEST:
        raise BadInput(
            f"{dataset.title} has {pictures} pictures that can be used; "
            f"a map of units needs at least {FEWEST}"
        )


ENGINE = UnitMapEngine()
