"""MaCo: what would excite a unit most, among pictures with the spectrum of natural ones?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from micrograph.lenses.engines import common
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, StepHook
from micrograph.lenses.engines.presets import fast_precision
from micrograph.lenses.maco.lens import LENS, MacoParams, MacoResult
from micrograph.models.model import Model
from micrograph.optimize import channel, evaluate, memory
from micrograph.optimize.maco import MacoSettings, maco

PRESETS = {
    "draft": MacoSettings(steps=40, crops=4),
    "standard": MacoSettings(steps=64, crops=6),
    "microscope": MacoSettings(),  # the paper's
}


class MacoEngine(BatchEngine[MacoParams]):
    """The engine of MaCo."""

    lens = LENS
    revision = 2

    def plan(self, model: Model, params: MacoParams) -> list[Job]:
        """One job for each repeat. The paper's 512 px for a network that sees 224 are 16/7 of its
        input."""
        chosen = PRESETS[params.preset]
        asked = {"size": params.size, "steps": params.steps, "crops": params.crops}
        settings = replace(
            chosen,
            **{"size": round(model.preprocessing.size / 7) * 16}
            | {name: value for name, value in asked.items() if value is not None},
            precision=fast_precision(model.device),
        )
        made = {"objective": "channel", "parameterization": "phase", **settings.as_dict()}
        return [
            Job(self.recipe(model, "channel", seed, **made))
            for seed in range(params.seed, params.seed + params.repeats)
        ]

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        together = memory.batch_size(model, node, model.preprocessing.size)
        return max(1, together // int(job.recipe["crops"]))

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """Scores are the unit's mean activation on the picture scaled to the network's input."""
        node = model.node(node).id
        settings = MacoSettings.from_dict(dict(job.recipe))

        def climb(part: Sequence[int], hook: StepHook | None) -> tuple[Tensor, Tensor]:
            target = channel(node, [unit for unit in part for _ in range(settings.crops)])
            seeds = [common.key(job.seed, node, unit) for unit in part]
            return maco(model, target, settings, seeds=seeds, on_step=hook)

        for part, (images, alpha), seconds in common.in_memory(units, climb, on_step):
            alphas = (alpha * 255).round()
            faded = 0.5 + alphas[:, None] / 255 * (images - 0.5)
            pictures = (faded * 255).round()
            scores = _scores(model, node, part, pictures / 255)
            for i, unit in enumerate(part):
                yield Rendered(
                    node,
                    unit,
                    pictures[i].byte().permute(1, 2, 0).numpy(),
                    scores[i],
                    seconds,
                    MacoResult(alpha=alphas[i].byte().numpy()),
                )

    def score(
        self,
        model: Model,
        node: str,
        units: Sequence[int | None],
        job: Job,
        pictures: Sequence[np.ndarray],
    ) -> Sequence[float]:
        chosen = [unit for unit in units if unit is not None]
        return _scores(model, node, chosen, common.as_images(pictures))


def _scores(model: Model, node: str, units: Sequence[int], images: Tensor) -> list[float]:
    """Of pictures [unit, 3, y, x] in 0..1 of any size."""
    size = model.preprocessing.size
    small = F.interpolate(images, (size, size), mode="bilinear", antialias=True)
    found: list[float] = evaluate(model, channel(node, list(units)), small).tolist()
    return found


ENGINE = MacoEngine()
