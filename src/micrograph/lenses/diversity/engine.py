"""Diversity: is there more than one thing that excites a unit?

Several pictures of a unit are optimized together, each rewarded for differing from the others.
Olah et al., "Feature Visualization", Distill 2017, section "Diversity".
"""

from collections.abc import Iterator, Sequence
from math import isqrt

import numpy as np

from micrograph.lenses.diversity.lens import LENS, DiversityParams, DiversityResult
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, StepHook
from micrograph.models.model import Model
from micrograph.optimize import Pictures, Settings, channel, evaluate, memory, optimize
from micrograph.optimize.diversity import diverse


class DiversityEngine(BatchEngine[DiversityParams]):
    """The engine of diversity."""

    lens = LENS
    revision = 2

    def plan(self, model: Model, params: DiversityParams) -> list[Job]:
        """One job for each repeat."""
        settings = presets.settings(params.preset, model, steps=params.steps, size=params.size)
        made = {
            "objective": "channel",
            "facets": params.facets,
            "weight": params.weight,
            "parameterization": "fourier",
            **settings.as_dict(),
        }
        return [Job(self.recipe(model, "facets", seed, **made)) for seed in params.seeds]

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        together = memory.batch_size(model, node, job.recipe["size"])
        return max(1, together // int(job.recipe["facets"]))

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """The score is that of the strongest facet: the unit's mean activation on it."""
        node, facets = model.node(node).id, int(job.recipe["facets"])

        def climb(part: Sequence[int], hook: StepHook | None) -> tuple[Pictures, list[float]]:
            done = optimize(
                model,
                diverse(node, part, facets, job.recipe["weight"]),
                Settings.from_dict(job.recipe),
                seeds=[common.key(job.seed, node, u, k) for u in part for k in range(facets)],
                on_step=hook,
            )
            alone = channel(node, [unit for unit in part for _ in range(facets)])
            return done, evaluate(model, alone, done.images).tolist()

        rows = isqrt(facets)
        for part, (done, scores), seconds in common.in_memory(units, climb, on_step):
            pictures = done.as_uint8()
            for i, unit in enumerate(part):
                own = slice(i * facets, (i + 1) * facets)
                yield Rendered(
                    node,
                    unit,
                    common.mosaic(pictures[own], facets // rows),
                    max(scores[own]),
                    seconds,
                    DiversityResult(columns=facets // rows, rows=rows, scores=tuple(scores[own])),
                )

    def score(
        self,
        model: Model,
        node: str,
        units: Sequence[int | None],
        job: Job,
        pictures: Sequence[np.ndarray],
    ) -> Sequence[float]:
        facets = int(job.recipe["facets"])
        rows = isqrt(facets)
        parts = common.cut(pictures, facets // rows, rows)
        each = [unit for unit in units for _ in range(facets)]
        scores = common.channel_scores(model, node, each, parts)
        return [max(scores[k * facets : (k + 1) * facets]) for k in range(len(units))]


ENGINE = DiversityEngine()
