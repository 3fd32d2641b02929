"""What the trainings of the toytown family share: settings, rate, pictures, log, command line."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from micrograph.files import fresh_file
from micrograph.organisms.toytown import measure
from micrograph.organisms.toytown.scenes import PictureBatch


@dataclass(frozen=True)
class TrainingSettings:
    """What every training depends on. A picture is seen twice an epoch: as it is, and attacked."""

    pictures: int = 38_400
    epochs: int = 4
    batch: int = 64
    """Pictures of a step."""
    rate: float = 1e-3
    """AdamW's, at its highest."""
    decay: float = 0.05
    radius: float = 3.0
    """L2 length of the adversarial move, in RGB units of 0..1 (a picture has 27 648 numbers)."""
    seed: int = 0
    held_out: int = 2000
    """Pictures that are drawn for judging only."""

    @property
    def steps(self) -> int:
        """Of the optimizer, in the whole training."""
        return self.pictures // self.batch * self.epochs * 2


@dataclass(frozen=True)
class ClassifierSettings(TrainingSettings):
    """Of a training that learns classes, and where the parts are."""

    smoothing: float = 0.1
    """Share of each label that is spread over all classes."""
    ramp: float = 0.5
    """Share of the training over which the move grows to its full length."""
    part_weight: float = 10.0
    """Of the loss of the part maps, that of the classes being 1."""

    def reach(self, step: int) -> float:
        """Length of the adversarial move at a step."""
        return self.radius * min(1.0, step / max(1.0, self.ramp * self.steps))


def rate_share(step: int, steps: int) -> float:
    """Share of the full rate: linear rise over the first 5 %, then a cosine down to 0."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 + 0.5 * cos(pi * (step - warm) / max(1, steps - warm))


def adamw(parameters: Iterable[nn.Parameter], settings: TrainingSettings) -> torch.optim.AdamW:
    """The optimizer; only matrices and kernels decay."""
    listed = list(parameters)
    return torch.optim.AdamW(
        [
            {"params": [p for p in listed if p.ndim > 1], "weight_decay": settings.decay},
            {"params": [p for p in listed if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=settings.rate,
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Of all groups of parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def augmented(
    drawn: PictureBatch, chosen: np.ndarray, rng: np.random.Generator
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


def attacked(rgb: Tensor, slope: Tensor, reach: float) -> Tensor:
    """Pictures [picture, 3, y, x] in 0..1, each moved by `reach` (L2) along its slope."""
    return (rgb + reach * measure.unit_length(slope)).clamp(0, 1)


class TrainingLog:
    """The file `training.jsonl` in a folder: the settings, then a line for whatever is told."""

    def __init__(self, folder: Path, settings: TrainingSettings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "training.jsonl"
        self._path.write_text("")
        self._began = time.monotonic()
        self(settings=asdict(settings))

    def __call__(self, **entry: object) -> None:
        """Write one line; seconds count from the start."""
        entry["seconds"] = round(time.monotonic() - self._began, 1)
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")


def save_half(module: nn.Module, folder: Path) -> dict[str, Tensor]:
    """Write a module's tensors in half precision to `weights.safetensors`, and give them."""
    state = {k: v.detach().half().contiguous() for k, v in module.state_dict().items()}
    with fresh_file(folder / "weights.safetensors") as fresh:
        save_file(state, fresh)
    return state


def command_line(
    doc: str | None, settings: type[TrainingSettings], fields: Sequence[str]
) -> argparse.ArgumentParser:
    """A parser with `--out`, and an option for each of these fields of the settings."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and log")
    for name in fields:
        default = getattr(settings, name)
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser
