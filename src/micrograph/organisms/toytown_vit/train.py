"""Train the transformer: `python -m micrograph.organisms.toytown_vit.train --out DIR`.

As toytown itself, it learns the class and, from the patch tokens of two of its blocks, the shares
of the parts in each patch; every batch is used as it is and then moved along its own gradient. The
part readers are thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from micrograph.organisms.toytown import data, measure
from micrograph.organisms.toytown.parts import PARTS
from micrograph.organisms.toytown.scenes import HELD_OUT, PictureBatch
from micrograph.organisms.toytown_vit.network import WIDTH, build
from micrograph.organisms.training import (
    ClassifierSettings,
    TrainingLog,
    adamw,
    attacked,
    augmented,
    command_line,
    rate_share,
    save_half,
    set_rate,
)

READ_FROM = (2, 4)
"""Blocks, from 0, behind which the parts are read."""

OPTIONS = ("pictures", "epochs", "rate", "radius", "ramp", "seed")
"""Settings that the command line may say."""


@dataclass(frozen=True)
class TransformerSettings(ClassifierSettings):
    """Everything a training run depends on."""

    rate: float = 1.5e-3


class TransformerTraining:
    """The network, its part readers, its optimizer and its log."""

    def __init__(self, settings: TransformerSettings, out: Path, start: Path | None = None) -> None:
        self.settings, self.out = settings, out
        torch.manual_seed(settings.seed)
        self.network = build()
        if start is not None:
            self.network.load_state_dict({k: v.float() for k, v in load_file(start).items()})
        readers = [nn.Linear(WIDTH, len(PARTS)) for _ in READ_FROM]
        for reader in readers:
            nn.init.constant_(reader.bias, -4.0)  # parts are rare: start from "none"
        self.readers = nn.ModuleList(readers)
        self.seen: dict[int, Tensor] = {}
        for block in READ_FROM:
            self.network.blocks[block].register_forward_hook(
                lambda _m, _i, out, block=block: self.seen.__setitem__(block, out)
            )
        self.parameters = [*self.network.parameters(), *self.readers.parameters()]
        self.optimizer = adamw(self.parameters, settings)
        self.rng = np.random.default_rng(settings.seed)
        self.step = 0
        self.steps = settings.steps
        self.log = TrainingLog(out, settings)

    def update(self, rgb: Tensor, labels: Tensor, shares: Tensor) -> tuple[list[float], Tensor]:
        """One optimizer step: class loss, part loss, share right; and the slope of the loss in
        RGB [picture, 3, y, x] of 0..1."""
        set_rate(self.optimizer, self.settings.rate * rate_share(self.step, self.steps))
        rgb = rgb.detach().requires_grad_(True)
        with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
            scores = self.network(measure.normalized(rgb)).float()
            truth = shares.flatten(2).transpose(1, 2)
            parts = torch.stack(
                [
                    F.binary_cross_entropy_with_logits(
                        reader(F.layer_norm(self.seen[block][:, 1:], (WIDTH,))).float(), truth
                    )
                    for block, reader in zip(READ_FROM, self.readers, strict=True)
                ]
            ).mean()
        loss = F.cross_entropy(scores, labels, label_smoothing=self.settings.smoothing)
        slope, *slopes = torch.autograd.grad(
            loss + self.settings.part_weight * parts, [rgb, *self.parameters]
        )
        for parameter, found in zip(self.parameters, slopes, strict=True):
            parameter.grad = found
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.step += 1
        right = (scores.argmax(1) == labels).float().mean()
        return [float(v.detach()) for v in (loss, parts, right)], slope

    def epoch(self, drawn: PictureBatch) -> None:
        """Every picture once as it is and once attacked."""
        self.network.train()
        figures: list[list[float]] = []
        for chosen in data.shuffled(len(drawn.labels), self.settings.batch, self.rng):
            rgb, labels, shares = augmented(drawn, chosen, self.rng)
            clean, slope = self.update(rgb, labels, shares)
            moved = attacked(rgb, slope, self.settings.reach(self.step))
            robust, _ = self.update(moved, labels, shares)
            figures.append(clean + robust)
            if len(figures) == 50:
                names = ("loss", "parts", "right")
                means = np.mean(figures, 0).round(4).tolist()
                self.log(
                    step=self.step,
                    of=self.steps,
                    **dict(zip([*names, *(f"attacked_{n}" for n in names)], means, strict=True)),
                )
                figures.clear()

    def judge(self, held_out: PictureBatch) -> None:
        """Save in half precision, and log what the saved network does on unseen pictures."""
        saved = build().eval()
        saved.load_state_dict(save_half(self.network, self.out))
        fewer = PictureBatch(held_out.images[:200], held_out.labels[:200], held_out.parts[:200])
        radius = self.settings.radius
        self.log(
            step=self.step,
            pictures=len(held_out.labels),
            accuracy=round(measure.accuracy(saved, held_out), 4),
            attacked_accuracy=round(measure.attacked_accuracy(saved, fewer, radius), 4),
        )


def run(
    settings: TransformerSettings,
    out: Path,
    cache: Path | None = None,
    start: Path | None = None,
    stop: int | None = None,
) -> None:
    """Draw, train, and leave weights.safetensors and training.jsonl in `out`.

    `start` is a weights file to go on from; `stop` ends the run after so many epochs, without the
    rest of the cosine.
    """
    training = TransformerTraining(settings, out, start)
    drawn = data.cached(cache, 0, settings.pictures)
    held_out = data.cached(cache, HELD_OUT, settings.held_out)
    training.log(drawn=settings.pictures + settings.held_out)
    for _ in range(settings.epochs if stop is None else min(stop, settings.epochs)):
        training.epoch(drawn)
        training.judge(held_out)


def main() -> None:
    """The command line."""
    parser = command_line(__doc__, TransformerSettings, OPTIONS)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--stop", type=int, help="end after so many epochs")
    parser.add_argument("--cache", type=Path, help="folder that keeps the drawn pictures")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = TransformerSettings(**{name: getattr(given, name) for name in OPTIONS})
    run(settings, given.out, given.cache, given.start, given.stop)


if __name__ == "__main__":
    main()
