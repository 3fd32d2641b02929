"""Train the toytown network: `python -m micrograph.organisms.toytown.train --out DIR`.

Two objectives: the class, and the part maps, read by one linear layer from each mixed4 node and
thrown away afterwards. Every batch is used twice, as it is and then moved a fixed L2 distance
along the gradient that the first pass gave for free, so that the network learns features that a
small change of the picture cannot fake; such networks have the clearest feature visualizations.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors.torch import load_file
from torch import Tensor, nn

from micrograph.organisms.toytown import data, measure
from micrograph.organisms.toytown.network import MIXED, ToyTown, build, fold, unfold
from micrograph.organisms.toytown.parts import PARTS
from micrograph.organisms.toytown.scenes import HELD_OUT, PictureBatch, batch
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

READ_FROM = ("mixed4a", "mixed4b", "mixed4c")
OPTIONS = ("pictures", "epochs", "rate", "radius", "ramp", "seed", "workers")
"""Settings that the command line may say."""


@dataclass(frozen=True)
class ToyTownSettings(ClassifierSettings):
    """Everything a training run depends on."""

    rate: float = 3e-3
    radius: float = 2.0
    ramp: float = 0.4
    workers: int = 2
    """Replicas that share each batch; part of the recipe, since batch statistics are per share."""


class Replica:
    """The network with its part readout; several share parameters and work side by side.

    Two single-threaded workers, each on its share of the batch, wait for each other once per
    step. Two threads inside every operation wait thousands of times, which is many times slower
    as soon as anything else runs on the machine.
    """

    def __init__(self, network: ToyTown, heads: nn.ModuleDict):
        self.network = network
        self.heads = heads
        self.seen: dict[str, Tensor] = {}
        self.parameters = [*network.parameters(), *heads.parameters()]
        for name in READ_FROM:
            network.get_submodule(name).register_forward_hook(
                lambda _m, _i, out, name=name: self.seen.__setitem__(name, out)
            )

    def twin(self) -> Replica:
        """The same parameters (the very tensors), own batch statistics."""
        network = build(norm=True)
        for name, module in network.named_modules():
            for key in module._parameters:
                module._parameters[key] = self.network.get_submodule(name)._parameters[key]
        return Replica(network, self.heads)

    def slopes(
        self, settings: ToyTownSettings, rgb: Tensor, labels: Tensor, shares: Tensor
    ) -> Slopes:
        """Forward and backward on RGB in 0..1 [picture, rgb, y, x]."""
        rgb = rgb.detach().requires_grad_(True)
        with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
            scores = self.network(measure.normalized(rgb)).float()
            parts = torch.stack(
                [
                    F.binary_cross_entropy_with_logits(head(self.seen[name]).float(), shares)
                    for name, head in self.heads.items()
                ]
            ).mean()
        loss = F.cross_entropy(scores, labels, label_smoothing=settings.smoothing)
        whole = loss + settings.part_weight * parts
        by_pixels, *by_parameter = torch.autograd.grad(whole, [rgb, *self.parameters])
        right = (scores.argmax(1) == labels).float().mean()
        figures = {"loss": loss.detach(), "parts": parts.detach(), "right": right}
        return Slopes(by_pixels, by_parameter, {k: float(v) for k, v in figures.items()})


@dataclass(frozen=True)
class Slopes:
    """What one replica found on its share of a batch."""

    by_pixels: Tensor
    by_parameter: list[Tensor]
    figures: dict[str, float]


def _unfolded(weights: Path) -> ToyTown:
    """A shipped network made fit for training again."""
    folded = build().eval()
    folded.load_state_dict(load_file(weights))
    sample = measure.pixels(batch(range(128)).images)
    return unfold(folded, measure.normalized(sample))


class ToyTownTraining:
    """A network, its part reader, its optimizer and its log."""

    def __init__(self, settings: ToyTownSettings, out: Path, start: ToyTown | None = None):
        self.settings = settings
        self.out = out
        torch.manual_seed(settings.seed)
        self.network = measure.channels_last(build(norm=True) if start is None else start)
        heads = {name: nn.Conv2d(MIXED[name].out, len(PARTS), 1) for name in READ_FROM}
        for head in heads.values():
            assert head.bias is not None
            nn.init.constant_(head.bias, -4.0)  # parts are rare: start from "none"
        first = Replica(self.network, nn.ModuleDict(heads))
        self.replicas = [first, *(first.twin() for _ in range(settings.workers - 1))]
        self.pool = ThreadPoolExecutor(
            settings.workers, initializer=torch.set_num_threads, initargs=(1,)
        )
        self.optimizer = adamw(first.parameters, settings)
        self.rng = np.random.default_rng(settings.seed)
        self.step = 0
        self.steps = settings.steps
        self.log = TrainingLog(out, settings)

    def train(self) -> None:
        """PictureBatch statistics are used and gathered."""
        for replica in self.replicas:
            replica.network.train()

    def update(
        self,
        rgb: Tensor,
        labels: Tensor,
        shares: Tensor,
    ) -> tuple[dict[str, float], Tensor]:
        """One optimizer step; returns the figures for the log and the slope of the loss in RGB."""
        set_rate(self.optimizer, self.settings.rate * rate_share(self.step, self.steps))
        count = len(self.replicas)
        shards = zip(rgb.chunk(count), labels.chunk(count), shares.chunk(count), strict=True)
        jobs = [
            self.pool.submit(replica.slopes, self.settings, *shard)
            for replica, shard in zip(self.replicas, shards, strict=True)
        ]
        found = [job.result() for job in jobs]
        for i, parameter in enumerate(self.replicas[0].parameters):
            parameter.grad = torch.stack([f.by_parameter[i] for f in found]).mean(0)
        self.optimizer.step()
        self.step += 1
        figures = {k: sum(f.figures[k] for f in found) / count for k in found[0].figures}
        return figures, torch.cat([f.by_pixels for f in found])

    def epoch(self, drawn: PictureBatch, held_out: PictureBatch, progress: Progress) -> None:
        """Every picture once as it is and once attacked; judged half-way and at the end."""
        self.train()
        size = self.settings.batch
        total = len(drawn.labels) // size
        task = progress.add_task("training", total=total)
        sums: dict[str, list[float]] = {}
        for i, chosen in enumerate(data.shuffled(len(drawn.labels), size, self.rng)):
            rgb, labels, shares = augmented(drawn, chosen, self.rng)
            clean, slope = self.update(rgb, labels, shares)
            moved = attacked(rgb, slope, self.settings.reach(self.step))
            robust, _ = self.update(moved, labels, shares)
            for prefix, figures in (("", clean), ("attacked_", robust)):
                for key, value in figures.items():
                    sums.setdefault(prefix + key, []).append(value)
            if i % 25 == 24:
                means = {k: round(float(np.mean(v)), 4) for k, v in sums.items()}
                self.log(step=self.step, of=self.steps, **means)
                sums.clear()
            if i + 1 in (total // 2, total):
                self.judge(held_out, last=self.step == self.steps)
                self.train()
            progress.advance(task)
        progress.remove_task(task)

    def judge(self, held_out: PictureBatch, *, last: bool) -> None:
        """Fold, save, and log what the network can do on pictures it has not seen."""
        self.network.eval()
        folded = fold(self.network)
        folded.load_state_dict(save_half(folded, self.out))
        few = self.settings.held_out if last else 400
        some = PictureBatch(held_out.images[:few], held_out.labels[:few], held_out.parts[:few])
        thousand = PictureBatch(some.images[:1000], some.labels[:1000], some.parts[:1000])
        fewer = PictureBatch(some.images[:200], some.labels[:200], some.parts[:200])
        folded = measure.channels_last(folded)
        live = measure.liveliness(folded, thousand)
        with torch.no_grad():
            self.network(measure.normalized(measure.pixels(thousand.images[:500])))
            first = self.replicas[0]
            maps = first.heads[READ_FROM[-1]](first.seen[READ_FROM[-1]])
        precision = measure.part_precision(maps, thousand.parts[:500])
        radius = self.settings.radius
        self.log(
            step=self.step,
            accuracy=round(measure.accuracy(folded, some), 4),
            pictures=len(some.labels),
            attacked_accuracy=round(measure.attacked_accuracy(folded, fewer, radius), 4),
            dead={k: int((v == 0).sum()) for k, v in live.items() if (v == 0).any()},
            rarest=round(min(float(v.min()) for v in live.values()), 6),
            part_precision_mean=round(float(np.mean(list(precision.values()))), 4),
            **({"part_precision": {k: round(v, 3) for k, v in precision.items()}} if last else {}),
        )


def run(
    settings: ToyTownSettings,
    out: Path,
    cache: Path | None = None,
    start: Path | None = None,
    stop: int | None = None,
) -> None:
    """Draw the pictures, train, and leave weights.safetensors and training.jsonl in `out`.

    `start` is a weights file to go on from instead of from random weights; `stop` ends the run
    after the epoch that reaches this many steps, without the rest of the cosine.
    """
    training = ToyTownTraining(settings, out, _unfolded(start) if start else None)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("drawing", total=settings.pictures + settings.held_out)
        drawn = data.cached(
            cache, 0, settings.pictures, progress=lambda n: progress.advance(task, n)
        )
        held_out = data.cached(
            cache, HELD_OUT, settings.held_out, progress=lambda n: progress.advance(task, n)
        )
        training.log(drawn=settings.pictures + settings.held_out)
        for _ in range(settings.epochs):
            training.epoch(drawn, held_out, progress)
            if stop is not None and training.step >= stop:
                break


def main() -> None:
    """The command line."""
    parser = command_line(__doc__, ToyTownSettings, OPTIONS)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--stop", type=int, help="end at the epoch that reaches this step")
    parser.add_argument("--cache", type=Path, help="folder that keeps the drawn pictures")
    parser.add_argument("--quick", action="store_true", help="a three-minute trial")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = ToyTownSettings(**{name: getattr(given, name) for name in OPTIONS})
    if given.quick:
        settings = replace(settings, pictures=6000, epochs=3, held_out=500)
    run(settings, given.out, given.cache, given.start, given.stop)


if __name__ == "__main__":
    main()
