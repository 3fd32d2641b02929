"""What the pair can do: classes and retrieval without training for them, and single words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from micrograph.organisms.toytown.measure import normalized, pixels
from micrograph.organisms.toytown.scenes import CLASSES
from micrograph.organisms.toytown_clip.captions import NAMES, Writer, meaning
from micrograph.organisms.toytown_clip.facts import Facts
from micrograph.organisms.toytown_clip.network import ToyTownClip
from micrograph.organisms.toytown_clip.tower import WordTower

PROMPTS = ("a picture of a {}", "a {}", "{}", "there is a {}")
POOL = 100
"""Captions among which the right one is to be found."""


@torch.no_grad()
def vectors(pair: ToyTownClip, images: NDArray[np.uint8]) -> Tensor:
    """Unit vectors [picture, dimension] of pictures [picture, y, x, rgb]."""
    parts = [pair(normalized(pixels(images[i : i + 100]))) for i in range(0, len(images), 100)]
    return F.normalize(torch.cat(parts), dim=1)


def class_vectors(tower: WordTower) -> Tensor:
    """A unit vector for each of toytown's classes, the mean over prompts with its usual name."""
    found = [tower.embed([p.format(NAMES[c][0]) for p in PROMPTS]).mean(0) for c in CLASSES]
    return F.normalize(torch.stack(found), dim=1)


def zero_shot(seen: Tensor, tower: WordTower, labels: Tensor) -> float:
    """Share of pictures whose class has the nearest name."""
    return float(((seen @ class_vectors(tower).T).argmax(1) == labels).float().mean())


def area_under_curve(scores: Tensor, true: Tensor) -> float:
    """Probability that one that is true scores above one that is not (ROC); 0.5 where a kind
    lacks."""
    yes, no = scores[true], scores[~true]
    if not len(yes) or not len(no):
        return 0.5
    wins = (yes[:, None] > no).double() + 0.5 * (yes[:, None] == no).double()
    return float(wins.mean())


def report(seen: Tensor, tower: WordTower, known: Sequence[Facts]) -> dict[str, float]:
    """The figures of the README, from unit vectors [picture, dimension] and the facts."""
    things = [next(f for f in own if f.startswith("thing:"))[6:] for own in known]
    labels = torch.tensor([CLASSES.index(thing) for thing in things])
    writer = Writer(np.random.default_rng(0))
    written = [writer.caption(own) for own in known]
    cosines = seen @ tower.embed([text for text, _ in written]).T
    hits, own_hits = [], []
    for start in range(0, len(known) - POOL + 1, POOL):
        best = cosines[start : start + POOL, start : start + POOL].argmax(1).tolist()
        hits += [written[start + j][1] <= known[start + i] for i, j in enumerate(best)]
        own_hits += [i == j for i, j in enumerate(best)]
    words = [word for word in tower.words if meaning(word)]
    by_word = seen @ tower.embed(words).T
    areas: dict[str, list[float]] = {}
    for i, word in enumerate(words):
        fact = meaning(word) or ""
        true = torch.tensor([fact in own for own in known])
        if 0 < int(true.sum()) < len(known):
            areas.setdefault(fact.partition(":")[0], []).append(
                area_under_curve(by_word[:, i], true)
            )
    return {
        "zero_shot": round(zero_shot(seen, tower, labels), 4),
        f"true_caption_first_of_{POOL}": round(float(np.mean(hits)), 4),
        f"own_caption_first_of_{POOL}": round(float(np.mean(own_hits)), 4),
        **{f"auc_{kind}": round(float(np.mean(v)), 4) for kind, v in sorted(areas.items())},
    }
