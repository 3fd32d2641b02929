"""Compositions that were planted in a network rank above claims about its other units."""

import torch
from torch import nn

from micrograph.circuits.claims.answers import look
from micrograph.circuits.claims.bench import Bench
from micrograph.circuits.claims.judge import checked, judged
from micrograph.circuits.claims.statistics import area_under_curve
from micrograph.circuits.claims.synthesis import Synthesizer
from micrograph.claims import Claim
from micrograph.datasets import open_dataset
from micrograph.lenses.engines import presets
from micrograph.models.model import Model

TRUE = {0: 3, 1: 11, 2: 17, 3: 22}
"""Units of `after`, and the unit of `before` that each is built from, beside much else."""


class Planted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.before = nn.Sequential(nn.Conv2d(3, 24, 5, stride=2), nn.ReLU())
        self.after = nn.Sequential(nn.Conv2d(24, 12, 3), nn.ReLU())
        with torch.no_grad():
            for unit, source in TRUE.items():
                self.after[0].weight[unit, source] += 0.25

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.before(x))


def test_planted_compositions_rank_above_their_controls() -> None:
    model = Model.of(Planted(), id="planted", preprocessing="32,-1..1")
    units = {"before": list(range(24)), "after": list(range(12))}
    bench = Bench(model, look(model, open_dataset("toytown:60"), units, pictures=60))
    maker = Synthesizer(model, presets.settings("draft", model, steps=6))
    targets, sources = list(TRUE), list(TRUE.values())

    def strengths(some: list[int]) -> list[float]:
        texts = [f"planted/after/{t} <- before/{s}" for t, s in zip(targets, some, strict=True)]
        return [judged(bench, maker, checked(model, Claim.parse(t))).strength for t in texts]

    true, controls = strengths(sources), strengths([*sources[1:], sources[0]])
    assert area_under_curve(true, controls) >= 0.9
