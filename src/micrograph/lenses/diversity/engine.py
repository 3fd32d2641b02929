"""Diversity: is there more than one thing that excites a unit?

Several pictures of a unit are optimized together, each rewarded for differing from the others.
Olah et al., "Feature Visualization", Distill 2017, section "Diversity".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt

from micrograph.errors import BadInput
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import Job, Rendered, StepHook
from micrograph.models.model import Model
from micrograph.optimize import Pictures, Settings, channel, evaluate, memory, optimize
from micrograph.optimize.diversity import diverse

VARIANTS = ("facets",)
FACETS = (4, 6, 9, 12, 16)


@dataclass(frozen=True)
class Diversity:
    """The technique; see `micrograph.lenses.engines.base.Technique`.

    Pictures are mosaics without gaps. `data`: "columns" and "rows" of the mosaic, "scores" of its
    facets, row by row.
    """

    name: str = "diversity"
    level: str = "unit"
    revision: int = 1

    def jobs(
        self,
        model: Model,
        *,
        preset: str = "standard",
        steps: int | None = None,
        size: int | None = None,
        seed: int = 0,
        repeats: int = 1,
        facets: int = 4,
        weight: float = 1.0,
        variants: Sequence[str] = VARIANTS,
    ) -> list[Job]:
        """One job for each repeat. `size` is that of one facet; `weight` that of the penalty."""
        common.known_variants(self.name, variants, VARIANTS)
        if facets not in FACETS:
            raise BadInput(f"facets {facets!r} make no mosaic; expected one of {FACETS}")
        common.in_range("weight", weight, 0.0, 1000.0)
        settings = presets.settings(preset, model, steps=steps, size=size)
        return [
            Job(
                self.name,
                "facets",
                each,
                {
                    **common.signature(self, model, each),
                    "objective": "channel",
                    "facets": facets,
                    "weight": float(weight),
                    "parameterization": "fourier",
                    **settings.as_dict(),
                },
            )
            for each in common.seeds(seed, repeats)
        ]

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
                    {"columns": facets // rows, "rows": rows, "scores": scores[own]},
                )


DIVERSITY = Diversity()
