"""Map of units: which units are alike, all at a glance?

Units of a node (variant `node`) or of all nodes (`model`) are laid out in two dimensions so
that those which fire on the same pictures lie close together; see `lenses.unit_map.layout`.
A unit's profile is its largest activation on each picture of a dataset.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from micrograph.datasets import Dataset, batches, open_dataset
from micrograph.errors import BadInput
from micrograph.lenses.engines.base import Job, Rendered, StepHook, SweepEngine
from micrograph.lenses.unit_map.layout import Layout, lay_out
from micrograph.lenses.unit_map.lens import FEWEST, LENS, UnitMapParams, UnitMapResult
from micrograph.models.model import Model

BATCH = 16


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
            layout = lay_out(np.concatenate([profiles[node] for node in together]), job.seed)
            if on_step is not None:
                on_step(100 + 10 * number, steps)
            first = 0
            for node in together:
                count = len(profiles[node])
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


@dataclass
class _DatasetProfiles:
    """A dataset and the units' profiles on it, which both variants need."""

    dataset: Dataset
    most: int
    seen: int = 0
    _profiles: dict[str, np.ndarray] = field(default_factory=dict)

    def profiles(
        self, model: Model, nodes: Sequence[str], on_share: Callable[[float], None]
    ) -> dict[str, np.ndarray]:
        """The largest activation of each unit of `nodes` on each picture, float32 [unit, picture].

        Pictures that cannot be read or give no finite activations are left out. Raises BadInput
        where fewer than FEWEST remain.
        """
        if self._profiles.keys() >= set(nodes):
            on_share(1)
            return self._profiles
        there = -(-len(self.dataset) // BATCH)
        count = min(there, -(-self.most // BATCH))
        indices = [k * there // count for k in range(count)]
        found: list[dict[str, Tensor]] = []
        for batch in batches(self.dataset, model.preprocessing, BATCH, indices):
            with torch.no_grad():
                values = model.run(batch.images(model.device), nodes)
            top = {node: v.flatten(2).amax(2) if v.ndim > 2 else v for node, v in values.items()}
            fine = torch.stack([t.isfinite().all(1) for t in top.values()]).all(0).cpu()
            fine &= torch.from_numpy(batch.valid)
            found.append({node: t.float().cpu()[fine] for node, t in top.items()})
            on_share(len(found) / count)
        self._profiles = {
            node: torch.cat([part[node] for part in found]).T.numpy() for node in nodes
        }
        self.seen = next(iter(self._profiles.values())).shape[1]
        _check_enough(self.dataset, self.seen)
        return self._profiles

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
