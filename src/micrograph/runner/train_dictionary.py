"""Training a sparse dictionary of a node's values on a dataset.

BatchTopK (Bussmann et al., "BatchTopK Sparse Autoencoders", 2024): over a batch of positions the
`k` times as many largest latents are kept, so that a plain place takes few and a rich one many. The
file holds the threshold that this comes to, as a JumpReLU: each latent then depends on the values
alone and on no other latent. Dead latents learn what the others leave over (Gao et al., 2024).
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from micrograph.datasets import Dataset, batches, open_dataset
from micrograph.errors import BadInput, Conflict, Unavailable
from micrograph.models.dictionaries.reading import of_tensors
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.models.weights.formats import read_safetensors, write_safetensors
from micrograph.models.weights.tensors import to_raw, to_torch
from micrograph.recipe import digest
from micrograph.runner.progress import Progress, Silent
from micrograph.techniques.common import in_range

AUXILIARY = 1 / 32
"""Weight of what the dead latents make of the rest, as in Gao et al."""
_CHECKPOINT = 500
_TOGETHER = 32
_PART = ".part"


@dataclass(frozen=True)
class Settings:
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


@dataclass(frozen=True)
class Quality:
    """On pictures held out: the share of the variance `explained`, latents that speak at a position
    (`l0`), and the share that never does (`dead`)."""

    explained: float
    l0: float
    dead: float


def train(
    model: Model, node: str, dataset: str, out: Path, settings: Settings,
    progress: Progress | None = None,
) -> Quality:
    """Train a dictionary of `node` and write it to `out` (safetensors, fp16).

    Unfinished work lies in a folder beside it, and the same call goes on from there. Raises
    BadInput on absurd settings, Conflict where the folder belongs to other ones, Unavailable where
    it cannot be written.
    """
    place = model.node(node)
    _check(settings)
    pictures = open_dataset(dataset)
    if len(pictures) < 2:
        raise BadInput(f"dataset {dataset} has {len(pictures)} picture; expected two and more")
    about = {
        "model": model.id, "weights": model.digest, "node": place.id,
        "dataset": pictures.digest, **asdict(settings),
    }  # fmt: skip
    folder = _folder(out, about)
    values = _collected(model, place, pictures, settings, folder, progress or Silent())
    kept = _kept(len(pictures), settings) * min(settings.positions, _places(place))
    training = _Training(values[:kept], settings, folder)
    training.run(progress or Silent())
    tensors = {name: t.half() for name, t in training.folded().items()}
    quality = measure(tensors, torch.from_numpy(values[kept:]))
    said = {
        "activation": "jumprelu", "subtract": "false", "node": place.id, "model": model.id,
        "title": f"sparse dictionary of {model.id}/{place.id}",
        "trained": json.dumps(about, sort_keys=True),
        "l0": f"{quality.l0:.3g}", "explained": f"{quality.explained:.4g}",
    }  # fmt: skip
    write_safetensors(out, {name: to_raw(t) for name, t in tensors.items()}, said)
    shutil.rmtree(folder, ignore_errors=True)
    return quality


@torch.no_grad()
def measure(tensors: dict[str, Tensor], values: Tensor) -> Quality:
    """How well the tensors of a dictionary do on `values` [position, unit]."""
    dictionary = of_tensors(tensors, values.shape[1], activation="jumprelu", subtract=False)
    values = values.float()
    centre = values.mean(0)
    speaks = torch.zeros(dictionary.latents)
    left = 0.0
    for part in torch.split(values, 8192):
        latents = dictionary.values(part)
        left += float((part - dictionary.decode(latents)).square().sum())
        speaks += (latents > 0).sum(0)
    whole = float((values - centre).square().sum())
    share = 1 - left / whole if whole else 0.0
    return Quality(share, float(speaks.sum()) / len(values), float((speaks == 0).float().mean()))


def _check(s: Settings) -> None:
    in_range("latents", s.latents, 2, 1_000_000)
    in_range("k", s.k, 1, s.latents)
    in_range("positions", s.positions, 1, 100_000)
    in_range("steps", s.steps, 1, 10_000_000)
    in_range("batch", s.batch, 2, 1_000_000)
    in_range("seed", s.seed, 0, 2**31 - 1)


def _folder(out: Path, about: dict[str, object]) -> Path:
    """The folder of this training. Raises Conflict if it belongs to another one."""
    folder = out.with_name(out.name + _PART)
    mark = folder / "about.json"
    if mark.exists() and digest(json.loads(mark.read_text())) != digest(about):
        raise Conflict(
            f"{folder} holds another training that is not finished; finish it with its own "
            "options, or delete the folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps(about))
    except OSError as error:
        raise Unavailable(
            f"cannot write {folder}: {error.strerror}; choose another place"
        ) from None
    return folder


def _kept(pictures: int, settings: Settings) -> int:
    return max(1, pictures - max(1, int(pictures * settings.held_out)))


def _places(node: Node) -> int:
    return int(np.prod(node.shape)) if node.shape else 1


def _collected(
    model: Model, node: Node, dataset: Dataset, settings: Settings, folder: Path,
    progress: Progress,
) -> np.ndarray:
    """Values [position, unit] in fp16 at some positions of every picture, picture by picture.

    They lie in a file that is mapped, not read. A picture that cannot be read counts as grey.
    """
    path = folder / "values.npy"
    each = min(settings.positions, _places(node))
    shape = (len(dataset) * each, node.units)
    if not path.exists():
        fresh = folder / "values.fresh.npy"
        made = np.lib.format.open_memmap(fresh, "w+", np.float16, shape)
        progress.start(len(dataset), 0, f"values of {node.id}")
        count = -(-len(dataset) // _TOGETHER)
        for batch in batches(dataset, model.preprocessing, _TOGETHER, range(count)):
            with torch.inference_mode():
                found = model.run(batch.images(model.device), [node.id])[node.id]
            rows = found.float().cpu().flatten(2).transpose(1, 2) if found.ndim > 2 else (
                found.float().cpu()[:, None]
            )
            for number, row in zip(batch.numbers, rows, strict=True):
                if number < len(dataset):
                    rng = np.random.default_rng([settings.seed, int(number)])
                    chosen = torch.from_numpy(rng.permutation(len(row))[:each])
                    made[number * each : (number + 1) * each] = row[chosen].half().numpy()
            progress.update(min(len(dataset), (batch.index + 1) * _TOGETHER), node.id)
        made.flush()
        del made
        fresh.rename(path)
        progress.finish()
    values: np.ndarray = np.load(path, mmap_mode="r+", allow_pickle=False)
    return values


class _Training:
    """The dictionary on its way: parameters on the scale where a value's mean square is one."""

    def __init__(self, values: np.ndarray, settings: Settings, folder: Path) -> None:
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
            "encoder": start.clone(), "decoder": start,
            "bias": torch.zeros(settings.latents), "decoder_bias": torch.zeros(values.shape[1]),
        }  # fmt: skip
        self.state = {"step": torch.zeros(1), "threshold": torch.zeros(1),
                      "silent": torch.zeros(settings.latents)}  # fmt: skip
        for name, p in list(self.parameters.items()):
            self.state[f"mean.{name}"] = torch.zeros_like(p)
            self.state[f"square.{name}"] = torch.zeros_like(p)
        if self.path.exists():
            for name, raw in read_safetensors(self.path).items():
                (self.parameters if name in self.parameters else self.state)[name] = to_torch(raw)

    def run(self, progress: Progress) -> None:
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
            asleep = pre[:, dead]
            awake = asleep >= asleep.detach().topk(few).values[:, -1:]
            guess = torch.where(awake, asleep, 0.0) @ p["decoder"][dead]
            left = rest.detach()
            loss = loss + AUXILIARY * (left - guess).square().mean() / left.square().mean()
        loss.backward()
        self._move(step, {name: t.grad for name, t in p.items() if t.grad is not None})
        spoke = (latents.detach() > 0).any(0)
        self.state["silent"] = torch.where(spoke, 0.0, self.state["silent"] + 1)
        share = max(0.01, 1 / (step + 1))
        self.state["threshold"] += share * (least - self.state["threshold"])
        return float(error.detach())

    def _move(self, step: int, gradients: dict[str, Tensor]) -> None:
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

    def folded(self) -> dict[str, Tensor]:
        """The tensors for values as they are: centre and scale go into weights and biases."""
        p = self.parameters
        centre = self.centre + self.scale * p["decoder_bias"]
        return {
            "encoder": p["encoder"],
            "decoder": p["decoder"],
            "bias": self.scale * p["bias"] - p["encoder"] @ centre,
            "decoder_bias": centre,
            "threshold": self.state["threshold"] * self.scale,
        }
