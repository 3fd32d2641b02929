"""MaCo: what would excite a unit most, among pictures with the spectrum of natural ones?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor

from micrograph.errors import not_found
from micrograph.lenses.engines import common
from micrograph.lenses.engines.base import Job, Rendered, StepHook
from micrograph.lenses.engines.presets import fast_precision
from micrograph.models.model import Model
from micrograph.optimize import channel, evaluate, memory
from micrograph.optimize.maco import MacoSettings, maco

PRESETS = {
    "draft": MacoSettings(steps=64, crops=6),
    "standard": MacoSettings(steps=128, crops=12),
    "microscope": MacoSettings(),  # the paper's
}
VARIANTS = ("channel",)


@dataclass(frozen=True)
class Maco:
    """The technique; see `micrograph.lenses.engines.base.Technique`.

    Pictures are faded to grey where they mattered little; the array "alpha", uint8 [y, x], is the
    opacity.
    """

    name: str = "maco"
    level: str = "unit"
    revision: int = 1

    def jobs(
        self,
        model: Model,
        *,
        preset: str = "standard",
        steps: int | None = None,
        size: int | None = None,
        crops: int | None = None,
        seed: int = 0,
        repeats: int = 1,
        variants: Sequence[str] = VARIANTS,
    ) -> list[Job]:
        """One job for each repeat. `size` is by default 16/7 of the network's input, as the
        paper's 512 px for 224; `crops` of the picture are looked at in every step."""
        if preset not in PRESETS:
            raise not_found("preset", preset, PRESETS)
        common.known_variants(self.name, variants, VARIANTS)
        chosen = PRESETS[preset]
        settings = replace(
            chosen,
            size=size if size is not None else round(model.preprocessing.size / 7) * 16,
            steps=steps if steps is not None else chosen.steps,
            crops=crops if crops is not None else chosen.crops,
            precision=fast_precision(model.device),
        )
        return [
            Job(
                self.name,
                "channel",
                each,
                {
                    **common.signature(self, model, each),
                    "objective": "channel",
                    "parameterization": "phase",
                    **settings.as_dict(),
                },
            )
            for each in common.seeds(seed, repeats)
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
            small = F.interpolate(
                pictures / 255, (model.preprocessing.size,) * 2, mode="bilinear", antialias=True
            )
            scores = evaluate(model, channel(node, list(part)), small).tolist()
            for i, unit in enumerate(part):
                yield Rendered(
                    node,
                    unit,
                    pictures[i].byte().permute(1, 2, 0).numpy(),
                    scores[i],
                    seconds,
                    arrays={"alpha": alphas[i].byte().numpy()},
                )


MACO = Maco()
