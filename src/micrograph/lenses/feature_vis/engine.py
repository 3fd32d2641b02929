"""Feature visualization: what would excite a unit most?

A picture is optimized, from noise, to drive one unit: on average over the whole map (channel), at
its centre or another position (neuron), up or down (negative), or with as little of the picture as
possible (alpha). Olah et al., "Feature Visualization", Distill 2017.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from micrograph.errors import BadInput
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, StepHook
from micrograph.lenses.feature_vis.lens import AT, LENS, FeatureVisParams, FeatureVisResult
from micrograph.models.model import Model
from micrograph.optimize import (
    Objective,
    Pictures,
    Settings,
    activations,
    channel,
    evaluate,
    memory,
    neuron,
    optimize,
)
from micrograph.optimize.alpha import AlphaImage, transparent


class FeatureVisEngine(BatchEngine[FeatureVisParams]):
    """The engine of feature visualization."""

    lens = LENS
    revision = 2

    def plan(self, model: Model, params: FeatureVisParams) -> list[Job]:
        """One job for each variant and repeat."""
        settings = presets.settings(params.preset, model, steps=params.steps, size=params.size)
        return [
            Job(self.recipe(model, variant, seed, **_objective(variant), **settings.as_dict()))
            for seed in params.seeds
            for variant in dict.fromkeys(params.variants)
        ]

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
            together = common.largest_means(raw[node].clamp(min=0) if rectified else raw[node])
            opacity = (done.layers * 255).round().byte().numpy()
            for i, (unit, picture) in enumerate(zip(part, done.as_uint8(), strict=True)):
                kept = FeatureVisResult(
                    driven=tuple(together[i]), alpha=opacity[i][0] if len(opacity[i]) else None
                )
                yield Rendered(node, unit, picture, scores[i], seconds, kept)

    def score(
        self,
        model: Model,
        node: str,
        units: Sequence[int | None],
        job: Job,
        pictures: Sequence[np.ndarray],
    ) -> Sequence[float]:
        node, found = model.node(node).id, []
        chosen = [
            (unit, one) for unit, one in zip(units, pictures, strict=True) if unit is not None
        ]

        def evaluated(part: Sequence[tuple[int, np.ndarray]], _: StepHook | None) -> list[float]:
            target = self.target(node, [unit for unit, _ in part], job)
            scores: list[float] = evaluate(
                model, target, common.as_images([one for _, one in part])
            ).tolist()
            return scores

        for _, scores, _ in common.in_memory(chosen, evaluated):
            found += scores
        return found

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
            parameterization=AlphaImage(settings.size, settings.start) if alpha else None,
            on_step=on_step,
        )

    def target(self, node: str, units: Sequence[int], job: Job) -> Objective:
        """The activation that a job drives, positive for both signs."""
        negative = job.recipe["negative"]
        if job.recipe["objective"] == "channel":
            return channel(node, list(units), pre_relu=negative)
        at = job.recipe.get("at")
        return neuron(node, list(units), at=(at[0], at[1]) if at else None, pre_relu=negative)


def _objective(variant: str) -> dict[str, Any]:
    """The part of a recipe that a variant decides."""
    kind, _, sign = variant.partition("-")
    made: dict[str, Any] = {
        "objective": "channel" if variant == "alpha" else kind,
        "negative": sign == "negative",
        "parameterization": "alpha" if variant == "alpha" else "fourier",
    }
    if position := AT.fullmatch(variant):
        made["at"] = [int(number) for number in position.groups()]
    return made


ENGINE = FeatureVisEngine()
