"""A sparse dictionary that learns by BatchTopK (Bussmann et al., 2024).

Over a batch of positions the `k` times as many largest latents are kept, so that a plain place
takes few and a rich one many. What is written holds the threshold that this comes to, as a
JumpReLU: each latent then depends on the values alone and on no other latent. Dead latents learn
what the others leave over (Gao et al., 2024).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from micrograph.runner.progress import Progress
from micrograph.weights.formats import read_safetensors, write_safetensors
from micrograph.weights.tensors import to_raw, to_torch

AUXILIARY = 1 / 32
"""Weight of what the dead latents make of the rest, as in Gao et al."""
_CHECKPOINT = 500
"""Steps after which what is done is written down."""


@dataclass(frozen=True)
class DictionarySettings:
    """Everything that decides a dictionary, apart from the values it is trained on.

    `k` latents speak at a position on average. `positions` of each picture are drawn; of the
    pictures the last `held_out` (a share) are only measured on. A latent is dead that was silent
    for `patience` steps.
    """

    latents: int
    k: int = 8
    positions: int = 48
    steps: int = 6000
    batch: int = 2048
    rate: float = 1e-3
    held_out: float = 0.05
    patience: int = 200
    seed: int = 0


class Training:
    """A dictionary in training: parameters on the scale where a value's mean square is one.

    `values` are [position, unit]. Checkpoints lie in `folder`, and training goes on from the last.
    """

    def __init__(self, values: np.ndarray, settings: DictionarySettings, folder: Path) -> None:
        self.settings = settings
        self.values = torch.from_numpy(values)
        self.path = folder / "state.safetensors"
        sample = self.values[:: max(1, len(values) // 20_000)].float()
        self.centre = sample.mean(0)
        self.scale = float((sample - self.centre).square().mean().sqrt().clamp(min=1e-6))
        generator = torch.Generator().manual_seed(settings.seed)
        start = torch.randn(settings.latents, values.shape[1], generator=generator)
        start = start / start.norm(dim=1, keepdim=True)
        self.parameters = {
            "encoder": start.clone(),
            "decoder": start,
            "bias": torch.zeros(settings.latents),
            "decoder_bias": torch.zeros(values.shape[1]),
        }
        self.state = {
            "step": torch.zeros(1),
            "threshold": torch.zeros(1),
            "silent": torch.zeros(settings.latents),
        }
        for name, p in list(self.parameters.items()):
            self.state[f"mean.{name}"] = torch.zeros_like(p)
            self.state[f"square.{name}"] = torch.zeros_like(p)
        if self.path.exists():
            for name, raw in read_safetensors(self.path).items():
                (self.parameters if name in self.parameters else self.state)[name] = to_torch(raw)

    def run(self, progress: Progress) -> None:
        """Take the steps that are left."""
        steps = self.settings.steps
        first = int(self.state["step"])
        progress.start(steps, first, "training steps")
        for step in range(first, steps):
            error = self._step(step)
            self.state["step"] += 1
            if (step + 1) % _CHECKPOINT == 0:
                everything = {**self.parameters, **self.state}
                write_safetensors(self.path, {n: to_raw(t) for n, t in everything.items()}, {})
            dead = int((self.state["silent"] >= self.settings.patience).sum())
            progress.update(step + 1, f"{error:.3f} left, {dead} latents dead")
        progress.finish()

    def _step(self, step: int) -> float:
        s = self.settings
        rng = np.random.default_rng([s.seed, 1, step])
        rows = torch.from_numpy(rng.integers(len(self.values), size=s.batch))
        x = (self.values[rows].float() - self.centre) / self.scale
        p = {name: t.detach().requires_grad_(True) for name, t in self.parameters.items()}
        pre = torch.relu((x - p["decoder_bias"]) @ p["encoder"].T + p["bias"])
        least = pre.detach().flatten().topk(s.batch * s.k, sorted=False).values.min()
        latents = torch.where(pre >= least, pre, 0.0)
        rest = x - latents @ p["decoder"] - p["decoder_bias"]
        error = rest.square().mean() / x.square().mean()
        dead = self.state["silent"] >= s.patience
        loss = error
        if dead.any():
            few = min(int(dead.sum()), 4 * s.k)
            dead_values = pre[:, dead]
            revived = dead_values >= dead_values.detach().topk(few).values[:, -1:]
            guess = torch.where(revived, dead_values, 0.0) @ p["decoder"][dead]
            left = rest.detach()
            loss = loss + AUXILIARY * (left - guess).square().mean() / left.square().mean()
        loss.backward()
        self._adam_step(step, {name: t.grad for name, t in p.items() if t.grad is not None})
        active = (latents.detach() > 0).any(0)
        self.state["silent"] = torch.where(active, 0.0, self.state["silent"] + 1)
        share = max(0.01, 1 / (step + 1))
        self.state["threshold"] += share * (least - self.state["threshold"])
        return float(error.detach())

    def _adam_step(self, step: int, gradients: dict[str, Tensor]) -> None:
        """Adam; the decoder's rows stay of length one."""
        s = self.settings
        rate = s.rate * min(1, (step + 1) / 200, (s.steps - step) / max(1, s.steps * 0.3))
        for name, gradient in gradients.items():
            value = self.parameters[name]
            if name == "decoder":
                gradient = gradient - (gradient * value).sum(1, keepdim=True) * value
            mean, square = self.state[f"mean.{name}"], self.state[f"square.{name}"]
            mean.lerp_(gradient, 0.1)
            square.lerp_(gradient.square(), 0.001)
            size = (square / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8
            value -= rate * mean / (1 - 0.9 ** (step + 1)) / size
        decoder = self.parameters["decoder"]
        decoder /= decoder.norm(dim=1, keepdim=True).clamp(min=1e-6)

    def unscaled_tensors(self) -> dict[str, Tensor]:
        """The tensors for unscaled values: centre and scale go into weights and biases."""
        p = self.parameters
        centre = self.centre + self.scale * p["decoder_bias"]
        return {
            "encoder": p["encoder"],
            "decoder": p["decoder"],
            "bias": self.scale * p["bias"] - p["encoder"] @ centre,
            "decoder_bias": centre,
            "threshold": self.state["threshold"] * self.scale,
        }
