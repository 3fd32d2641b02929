"""Feature visualization: what would excite a unit most?

A picture is optimized, from noise, to drive one unit: on average over the whole map (channel), at
its centre or another position (neuron), up or down (negative), or with as little of the picture as
possible (alpha). Olah et al., "Feature Visualization", Distill 2017.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from micrograph.errors import BadInput, not_found
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import Job, Rendered, StepHook
from micrograph.models.model import Model
from micrograph.optimize import (
    Objective,
    Pictures,
    Settings,
    activations,
    channel,
    memory,
    neuron,
    optimize,
)
from micrograph.optimize.alpha import AlphaImage, transparent

VARIANTS = (
    "channel",
    "channel-negative",
    "neuron",
    "neuron-negative",
    "neuron-at-Y-X",
    "alpha",
)
_AT = re.compile(r"neuron-at-(\d{1,4})-(\d{1,4})")


@dataclass(frozen=True)
class FeatureVis:
    """The technique; see `micrograph.lenses.engines.base.Technique`.

    `data` of its pictures: "company", the units of the node with the largest mean activation on
    the finished picture. The `alpha` variant stores its picture over grey and the array "alpha",
    uint8 [y, x], its opacity.
    """

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
        settings = presets.settings(preset, model, steps=steps, size=size)
        return [
            Job(self.name, variant, each, self._recipe(model, variant, each, settings))
            for each in common.seeds(seed, repeats)
            for variant in dict.fromkeys(variants)
        ]

    def _recipe(self, model: Model, variant: str, seed: int, settings: Settings) -> dict[str, Any]:
        position = _AT.fullmatch(variant)
        if not position and (variant not in VARIANTS or "Y" in variant):
            raise not_found("variant", variant, VARIANTS, self.name)
        kind, _, sign = variant.partition("-")
        recipe = {
            **common.signature(self, model, seed),
            "objective": "channel" if variant == "alpha" else kind,
            "negative": sign == "negative",
            "parameterization": "alpha" if variant == "alpha" else "fourier",
            **settings.as_dict(),
        }
        if position:
            recipe["at"] = [int(number) for number in position.groups()]
        return recipe

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        if job.recipe["size"] == model.preprocessing.size and "at" in job.recipe:
            shape = model.node(node).shape or (1, 1)
            if any(at >= side for at, side in zip(job.recipe["at"], shape, strict=True)):
                raise BadInput(
                    f"position {job.variant.removeprefix('neuron-at-')} is outside the map of "
                    f"{node}; expected at most {'-'.join(str(side - 1) for side in shape)}"
                )
        return memory.batch_size(model, node, job.recipe["size"])

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """Scores are the unit's own activation, not negated (before a ReLU if negative)."""
        node = model.node(node).id

        def climb(part: Sequence[int], hook: StepHook | None) -> Pictures:
            return self._climb(model, node, part, job, hook)

        for part, done, seconds in common.in_memory(units, climb, on_step):
            target = self.target(node, part, job)
            with torch.no_grad():
                images = done.images.to(model.device)
                raw = activations(model, target, images)
                scores = target.value(raw, images).tolist()
            place = model.node(node)
            rectified = target.pre_relu and (place.relus or place.kind == "dictionary")
            together = common.company(raw[node].clamp(min=0) if rectified else raw[node])
            opacity = (done.layers * 255).round().byte().numpy()
            for i, (unit, picture) in enumerate(zip(part, done.as_uint8(), strict=True)):
                arrays = dict(zip(("alpha",), opacity[i], strict=False))
                data = {"company": together[i]}
                yield Rendered(node, unit, picture, scores[i], seconds, data, arrays)

    def _climb(
        self, model: Model, node: str, units: Sequence[int], job: Job, on_step: StepHook | None
    ) -> Pictures:
        settings = Settings.from_dict(job.recipe)
        target = self.target(node, units, job)
        alpha = job.recipe["parameterization"] == "alpha"
        if alpha:
            target = transparent(target)
        return optimize(
            model,
            -target if job.recipe["negative"] else target,
            settings,
            seeds=[common.key(job.seed, node, unit) for unit in units],
            parameterization=AlphaImage(settings.size) if alpha else None,
            on_step=on_step,
        )

    def target(self, node: str, units: Sequence[int], job: Job) -> Objective:
        """The activation that a job drives, positive for both signs."""
        negative = job.recipe["negative"]
        if job.recipe["objective"] == "channel":
            return channel(node, list(units), pre_relu=negative)
        at = job.recipe.get("at")
        return neuron(node, list(units), at=(at[0], at[1]) if at else None, pre_relu=negative)


FEATURE_VIS = FeatureVis()
