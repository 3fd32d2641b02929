"""Feature visualization: what would excite a unit most?

A picture is optimized, from noise, to drive one unit: on average over the whole map (channel) or at
its centre (neuron), up or down (negative). Olah et al., "Feature Visualization", Distill 2017.
"""

import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from micrograph.errors import BadInput, not_found
from micrograph.models.model import Model
from micrograph.optimize import (
    Objective,
    Settings,
    channel,
    evaluate,
    memory,
    neuron,
    optimize,
)
from micrograph.techniques import presets
from micrograph.techniques.base import Job, Rendered, StepHook

OBJECTIVES = {"channel": channel, "neuron": neuron}
VARIANTS = ("channel", "channel-negative", "neuron", "neuron-negative")


@dataclass(frozen=True)
class FeatureVis:
    """The technique; see `micrograph.techniques.base.Technique`."""

    name: str = "feature_vis"
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
        variants: Sequence[str] = ("channel",),
    ) -> list[Job]:
        """One job for each variant and repeat; repeat r has seed `seed + r`."""
        settings = presets.settings(
            preset, model.preprocessing, model.device, steps=steps, size=size
        )
        if not 0 <= seed < 2**31:
            raise BadInput(f"seed {seed} is out of range; expected 0 to {2**31 - 1}")
        if not 1 <= repeats <= 64:
            raise BadInput(f"repeats {repeats} is out of range; expected 1 to 64")
        return [
            Job(self.name, variant, seed + r, self._recipe(model, variant, seed + r, settings))
            for r in range(repeats)
            for variant in dict.fromkeys(variants)
        ]

    def _recipe(
        self, model: Model, variant: str, seed: int, settings: Settings
    ) -> dict[str, Any]:
        if variant not in VARIANTS:
            raise not_found("variant", variant, VARIANTS, self.name)
        kind, _, sign = variant.partition("-")
        return {
            "technique": self.name,
            "objective": kind,
            "negative": sign == "negative",
            "seed": seed,
            "model": model.id,
            "weights": model.digest,
            "code": f"{self.name}/{self.revision}",
            "parameterization": "fourier",
            **settings.as_dict(),
        }

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        return memory.batch_size(model, node, job.recipe["size"])

    def run(
        self, model: Model, node: str, units: Sequence[int], job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """Scores are the unit's own activation, not negated (before a ReLU if negative)."""
        node = model.node(node).id
        started = time.perf_counter()
        try:
            pictures, scores = self._climb(model, node, units, job, on_step)
        except (RuntimeError, MemoryError) as error:
            if len(units) == 1 or not memory.is_out_of_memory(error):
                raise
            pictures = None
        if pictures is None:  # Outside the handler, so that the failed batch's tensors are gone.
            half = len(units) // 2
            for part in (units[:half], units[half:]):
                yield from self.run(model, node, part, job, on_step)
            return
        seconds = (time.perf_counter() - started) / len(units)
        for unit, image, score in zip(units, pictures, scores, strict=True):
            yield Rendered(node, unit, image, score, seconds)

    def _climb(
        self, model: Model, node: str, units: Sequence[int], job: Job, on_step: StepHook | None
    ) -> tuple[Any, list[float]]:
        target = self.target(node, units, job)
        # The node is part of the key, so that unit 3 starts elsewhere in every node.
        key = zlib.crc32(node.encode())
        done = optimize(
            model,
            -target if job.recipe["negative"] else target,
            Settings.from_dict(job.recipe),
            seeds=[(job.seed, key, unit) for unit in units],
            on_step=on_step,
        )
        return done.as_uint8(), evaluate(model, target, done.images).tolist()

    def target(self, node: str, units: Sequence[int], job: Job) -> Objective:
        """The activation that a job drives, positive for both signs."""
        make = OBJECTIVES[job.recipe["objective"]]
        return make(node, list(units), pre_relu=job.recipe["negative"])


FEATURE_VIS = FeatureVis()
