"""Train the toytown network: `python -m micrograph.organisms.toytown.train --out DIR`.

Two objectives: the class, and the part maps, read by one linear layer from each mixed4 node and
thrown away afterwards. Every batch is used twice, as it is and then moved a fixed L2 distance
along the gradient that the first pass gave for free, so that the network learns features that a
small change of the picture cannot fake; such networks have the clearest feature visualizations.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from math import cos, pi
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from micrograph.organisms.toytown import data, measure
from micrograph.organisms.toytown.network import MIXED, ToyTown, build, fold, unfold
from micrograph.organisms.toytown.parts import PARTS
from micrograph.organisms.toytown.scenes import HELD_OUT, Batch, batch

READ_FROM = ("mixed4a", "mixed4b", "mixed4c")


@dataclass(frozen=True)
class Settings:
    """Everything a training run depends on."""

    pictures: int = 38_400
    epochs: int = 4
    batch: int = 64
    rate: float = 3e-3
    decay: float = 0.05
    smoothing: float = 0.1
    radius: float = 2.0
    """L2 length of the adversarial move, in RGB units of 0..1 (a picture has 27 648 numbers)."""
    ramp: float = 0.4
    """Share of the training over which the move grows to its full length."""
    part_weight: float = 10.0
    workers: int = 2
    """Replicas that share each batch; part of the recipe, since batch statistics are per share."""
    seed: int = 0
    held_out: int = 2000


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

    def slopes(self, settings: Settings, rgb: Tensor, labels: Tensor, shares: Tensor) -> Slopes:
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


def rate_share(step: int, steps: int) -> float:
    """Share of the full rate: linear rise over the first 5 %, then a cosine down to 0."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 + 0.5 * cos(pi * (step - warm) / max(1, steps - warm))


def augmented(
    drawn: Batch,
    chosen: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """(RGB in 0..1, labels, part shares); half the pictures mirrored, colours a little off."""
    rgb = measure.pixels(drawn.images[chosen])
    shares = torch.from_numpy(drawn.parts[chosen]).float().div_(255)
    turned = torch.from_numpy(rng.random(len(chosen)) < 0.5)
    rgb[turned] = rgb[turned].flip(3)
    shares[turned] = shares[turned].flip(3)
    gain = torch.from_numpy(rng.uniform(0.88, 1.12, (len(chosen), 3, 1, 1)).astype(np.float32))
    noise = torch.from_numpy(rng.standard_normal(rgb.shape, dtype=np.float32)) * 0.01
    rgb = (rgb * gain + noise).clamp_(0, 1).contiguous(memory_format=torch.channels_last)
    return rgb, torch.from_numpy(drawn.labels[chosen]), shares


def _unfolded(weights: Path) -> ToyTown:
    """A shipped network made fit for training again."""
    folded = build().eval()
    folded.load_state_dict(load_file(weights))
    sample = measure.pixels(batch(range(128)).images)
    return unfold(folded, measure.normalized(sample))


class Training:
    """A network, its part reader, its optimizer and its log."""

    def __init__(self, settings: Settings, out: Path, start: ToyTown | None = None):
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
        every = first.parameters
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in every if p.ndim > 1], "weight_decay": settings.decay},
                {"params": [p for p in every if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=settings.rate,
        )
        self.rng = np.random.default_rng(settings.seed)
        self.step = 0
        self.steps = settings.pictures // settings.batch * settings.epochs * 2
        self.began = time.monotonic()
        out.mkdir(parents=True, exist_ok=True)
        self._log_file = (out / "training.jsonl").open("w")
        self.log(settings=asdict(settings))

    def log(self, **entry: object) -> None:
        """One line of the training log; seconds count from the start."""
        entry["seconds"] = round(time.monotonic() - self.began, 1)
        self._log_file.write(json.dumps(entry) + "\n")
        self._log_file.flush()

    def train(self) -> None:
        """Batch statistics are used and gathered."""
        for replica in self.replicas:
            replica.network.train()

    def update(
        self,
        rgb: Tensor,
        labels: Tensor,
        shares: Tensor,
    ) -> tuple[dict[str, float], Tensor]:
        """One optimizer step; returns the figures for the log and the slope of the loss in RGB."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate * rate_share(self.step, self.steps)
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

    def epoch(self, drawn: Batch, held_out: Batch, progress: Progress) -> None:
        """Every picture once as it is and once attacked; judged half-way and at the end."""
        self.train()
        size = self.settings.batch
        total = len(drawn.labels) // size
        task = progress.add_task("training", total=total)
        sums: dict[str, list[float]] = {}
        for i, chosen in enumerate(data.shuffled(len(drawn.labels), size, self.rng)):
            rgb, labels, shares = augmented(drawn, chosen, self.rng)
            clean, slope = self.update(rgb, labels, shares)
            ramp = max(1.0, self.settings.ramp * self.steps)
            radius = self.settings.radius * min(1.0, self.step / ramp)
            moved = (rgb + radius * measure.unit_length(slope)).clamp(0, 1)
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

    def judge(self, held_out: Batch, *, last: bool) -> None:
        """Fold, save, and log what the network can do on pictures it has not seen."""
        self.network.eval()
        folded = fold(self.network)
        state = {k: v.half().contiguous() for k, v in folded.state_dict().items()}
        save_file(state, self.out / "weights.safetensors")
        folded.load_state_dict(state)
        few = self.settings.held_out if last else 400
        some = Batch(held_out.images[:few], held_out.labels[:few], held_out.parts[:few])
        thousand = Batch(some.images[:1000], some.labels[:1000], some.parts[:1000])
        fewer = Batch(some.images[:200], some.labels[:200], some.parts[:200])
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
    settings: Settings,
    out: Path,
    cache: Path | None = None,
    start: Path | None = None,
    stop: int | None = None,
) -> None:
    """Draw the pictures, train, and leave weights.safetensors and training.jsonl in `out`.

    `start` is a weights file to go on from instead of from random weights; `stop` ends the run
    after the epoch that reaches this many steps, without the rest of the cosine.
    """
    training = Training(settings, out, _unfolded(start) if start else None)
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and log")
    parser.add_argument("--pictures", type=int, default=Settings.pictures)
    parser.add_argument("--epochs", type=int, default=Settings.epochs)
    parser.add_argument("--rate", type=float, default=Settings.rate)
    parser.add_argument("--radius", type=float, default=Settings.radius)
    parser.add_argument("--ramp", type=float, default=Settings.ramp)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--stop", type=int, help="end at the epoch that reaches this step")
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--workers", type=int, default=Settings.workers)
    parser.add_argument("--cache", type=Path, help="folder that keeps the drawn pictures")
    parser.add_argument("--quick", action="store_true", help="a three-minute trial")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = Settings(
        pictures=given.pictures,
        epochs=given.epochs,
        rate=given.rate,
        radius=given.radius,
        ramp=given.ramp,
        seed=given.seed,
        workers=given.workers,
    )
    if given.quick:
        settings = replace(settings, pictures=6000, epochs=3, held_out=500)
    run(settings, given.out, given.cache, given.start, given.stop)


if __name__ == "__main__":
    main()
