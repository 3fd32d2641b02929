"""Train the pair: `python -m micrograph.organisms.toytown_clip.train --out DIR`.

The trunk starts as toytown's. Captions are written anew for every picture each time it is seen. A
picture's targets are all captions of the batch that are true of it, not only its own: two red cars
may share one. As in toytown's training every batch is used twice, as it is and moved a fixed L2
distance along the gradient of the first pass, which keeps the units' pictures clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from micrograph.organisms import toytown
from micrograph.organisms.toytown import data
from micrograph.organisms.toytown.measure import channels_last, normalized, pixels
from micrograph.organisms.toytown.scenes import HELD_OUT, scene
from micrograph.organisms.toytown_clip import measure
from micrograph.organisms.toytown_clip.captions import Writer, vocabulary
from micrograph.organisms.toytown_clip.facts import Facts, facts
from micrograph.organisms.toytown_clip.network import MARKS, ToyTownClip
from micrograph.organisms.toytown_clip.tower import BEGIN, WordTower
from micrograph.organisms.training import (
    TrainingLog,
    TrainingSettings,
    attacked,
    command_line,
    save_half,
)

OPTIONS = ("pictures", "epochs", "radius", "seed")
"""Settings that the command line may say."""


@dataclass(frozen=True)
class PairSettings(TrainingSettings):
    """Everything a training run depends on."""

    pictures: int = 8192
    captions: int = 3
    """Of each picture in a batch."""
    trunk_rate: float = 2e-4
    """The highest rate of what was trained before, as toytown."""
    held_out: int = 1000


@dataclass(frozen=True)
class CaptionedPictures:
    """Drawn scenes and what is true of them."""

    images: NDArray[np.uint8]
    """[picture, y, x, rgb]."""
    facts: list[Facts]

    @classmethod
    def of(cls, seeds: Iterable[int]) -> CaptionedPictures:
        """Draw the scenes of these seeds."""
        images, known = [], []
        for seed in seeds:
            drawn = scene(seed)
            images.append(drawn.image)
            known.append(facts(drawn))
        return cls(np.stack(images), known)


def truth(known: Sequence[Facts], stated: Sequence[Facts]) -> Tensor:
    """[picture, caption]: 1 where all that the caption states is true of the picture, else 0."""
    return torch.tensor([[float(claim <= own) for claim in stated] for own in known])


def contrast(cosines: Tensor, true: Tensor, scale: Tensor) -> Tensor:
    """Cross-entropy over captions and over pictures, shared evenly among all true ones.

    With one true caption for each picture this is CLIP's loss. `cosines` [picture, caption].
    """
    logits = cosines * scale
    by_picture = -(F.log_softmax(logits, 1) * true).sum(1) / true.sum(1)
    by_caption = -(F.log_softmax(logits, 0) * true).sum(0) / true.sum(0)
    return (by_picture.mean() + by_caption.mean()) / 2


def bigrams(texts: Iterable[str], tower: WordTower) -> Tensor:
    """ln p(next | word), mixed with 5 % of the unigrams and 1 % of equal shares; [token, token]."""
    count = len(tower.words) + MARKS
    pairs = torch.zeros(count, count)
    for text in texts:
        path = [BEGIN, *tower.tokenize(text), BEGIN]
        for a, b in pairwise(path):
            pairs[a, b] += 1
    single = pairs.sum(0) / pairs.sum()
    seen = pairs.sum(1, keepdim=True)
    after = torch.where(seen > 0, pairs / seen.clamp_min(1), single)
    return (0.94 * after + 0.05 * single + 0.01 / count).log()


class PairTraining:
    """The pair, its optimizer and its log."""

    def __init__(self, settings: PairSettings, out: Path) -> None:
        self.settings = settings
        self.out = out
        torch.manual_seed(settings.seed)
        self.pair = ToyTownClip(len(vocabulary()))
        trunk = load_file(Path(toytown.__file__).parent / "weights.safetensors")
        names = {name for name in trunk if not name.startswith("logits.")}
        self.pair.load_state_dict({n: trunk[n].float() for n in names}, strict=False)
        channels_last(self.pair)
        self.tower = WordTower(self.pair.text, vocabulary())
        self.parameters = dict(self.pair.named_parameters())

        def group(old: bool, matrix: bool) -> dict[str, object]:
            chosen = [
                p
                for n, p in self.parameters.items()
                if (n in names) == old and (p.ndim > 1) == matrix
            ]
            rate = settings.trunk_rate if old else settings.rate
            return {"params": chosen, "lr": rate, "weight_decay": settings.decay * matrix}

        kinds = [(old, matrix) for old in (True, False) for matrix in (True, False)]
        self.optimizer = torch.optim.AdamW([group(*kind) for kind in kinds])
        steps = settings.steps
        warm = max(1, steps // 20)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda step: min((step + 1) / warm, 0.5 + 0.5 * cos(pi * min(1.0, step / steps))),
        )
        self.steps = steps
        self.step = 0
        self.rng = np.random.default_rng(settings.seed)
        self.writer = Writer(self.rng)
        self.log = TrainingLog(out, settings)

    def update(self, rgb: Tensor, tokens: Tensor, true: Tensor) -> tuple[float, Tensor]:
        """One optimizer step; the loss and its slope in RGB [picture, 3, y, x] of 0..1."""
        rgb = rgb.detach().requires_grad_(True)
        with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
            seen = self.pair(normalized(rgb))
            read = self.pair.text(tokens)
        cosines = F.normalize(seen.float(), dim=1) @ F.normalize(read.float(), dim=1).T
        loss = contrast(cosines, true, self.pair.log_scale.exp().clamp_max(100))
        slope, *slopes = torch.autograd.grad(loss, [rgb, *self.parameters.values()])
        for parameter, found in zip(self.parameters.values(), slopes, strict=True):
            parameter.grad = found
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        return float(loss.detach()), slope

    def batches(self, drawn: CaptionedPictures) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """(RGB in 0..1, tokens, truth) of one epoch; half the pictures mirrored."""
        size = self.settings.batch
        for chosen in data.shuffled(len(drawn.facts), size, self.rng):
            known = [drawn.facts[i] for i in chosen]
            written = [self.writer.caption(f) for f in known for _ in range(self.settings.captions)]
            rgb = pixels(drawn.images[chosen])
            turned = torch.from_numpy(self.rng.random(size) < 0.5)
            rgb[turned] = rgb[turned].flip(3)
            texts = [text for text, _ in written]
            yield rgb, self.tower.tensor(texts), truth(known, [stated for _, stated in written])

    def epoch(self, drawn: CaptionedPictures) -> None:
        """Every picture once as it is and once attacked."""
        self.pair.train()
        losses: list[tuple[float, float]] = []
        for rgb, tokens, true in self.batches(drawn):
            clean, slope = self.update(rgb, tokens, true)
            moved = attacked(rgb, slope, self.settings.radius)
            losses.append((clean, self.update(moved, tokens, true)[0]))
            if len(losses) == 20:
                plain, robust = np.mean(losses, 0).round(4).tolist()
                self.log(
                    step=self.step,
                    of=self.steps,
                    loss=plain,
                    attacked_loss=robust,
                    scale=round(float(self.pair.log_scale.exp()), 2),
                )
                losses.clear()

    def judge(self, held_out: CaptionedPictures) -> None:
        """Save in half precision, and log what the saved pair does on pictures it has not seen."""
        saved = ToyTownClip(len(vocabulary())).eval()
        saved.load_state_dict(save_half(self.pair, self.out))
        channels_last(saved)
        vectors = measure.vectors(saved, held_out.images)
        tower = WordTower(saved.text, vocabulary())
        figures = measure.report(vectors, tower, held_out.facts)
        self.log(step=self.step, pictures=len(held_out.facts), **figures)


def run(settings: PairSettings, out: Path, stop: int | None = None) -> None:
    """Draw, train, and leave weights.safetensors and training.jsonl in `out`.

    `stop` ends the run after so many epochs, without the rest of the cosine.
    """
    training = PairTraining(settings, out)
    drawn = CaptionedPictures.of(range(settings.pictures))
    held_out = CaptionedPictures.of(range(HELD_OUT, HELD_OUT + settings.held_out))
    training.log(drawn=settings.pictures + settings.held_out)
    # Of a writer of its own, so that the captions of the training stay what they are.
    writer = Writer(np.random.default_rng([settings.seed, 1]))
    texts = (writer.caption(known)[0] for known in drawn.facts for _ in range(5))
    training.pair.text.bigrams.copy_(bigrams(texts, training.tower))
    for _ in range(settings.epochs if stop is None else min(stop, settings.epochs)):
        training.epoch(drawn)
        training.judge(held_out)


def main() -> None:
    """The command line."""
    parser = command_line(__doc__, PairSettings, OPTIONS)
    parser.add_argument("--stop", type=int, help="end after so many epochs")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = PairSettings(**{name: getattr(given, name) for name in OPTIONS})
    run(settings, given.out, given.stop)


if __name__ == "__main__":
    main()
