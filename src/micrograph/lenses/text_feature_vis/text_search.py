"""Hill climbing over texts: insert, delete or replace a word, keep what fits a direction better.

Many chains climb side by side, each with a random generator of its own, so that what a chain finds
does not depend on the others; texts that several of them try are embedded once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.cards.text import TextTower
from micrograph.steps import StepHook

FAVOURITES = 32
"""Half of the words that are tried come from this many that fit the direction best alone."""

TWICE = 0.3
"""Share of the tried texts that are two changes away: one change alone may make a text worse."""

GAIN = 1e-5
"""A text has to be better by this much, so that rounding never decides."""


@dataclass(frozen=True)
class Search:
    """How to climb: `steps` rounds of `proposals` changed texts each, of at most `length` words.

    `restarts` chains begin at as many single words, the best ones. `penalty` is taken off the
    cosine for each nat of the text's surprise under the tower's language model.
    """

    steps: int = 30
    proposals: int = 32
    restarts: int = 6
    length: int = 12
    penalty: float = 0.0


class Texts:
    """A text tower with the vectors of its single words."""

    def __init__(self, tower: TextTower) -> None:
        self.tower = tower
        self.words = tuple(tower.words)
        self.vectors = torch.cat(
            [tower.embed(self.words[i : i + 512]) for i in range(0, len(self.words), 512)]
        )
        """Of single words, [word, dimension]."""

    def score(self, texts: Sequence[str], directions: Tensor, penalty: float) -> Tensor:
        """Cosine less penalty for pairs of texts and unit `directions` [text, dimension]."""
        unique = list(dict.fromkeys(texts))
        # Sorted by length, so that short texts are not filled up to the longest one.
        unique.sort(key=lambda text: (len(text.split()), text))
        found = [self.tower.embed(unique[i : i + 512]) for i in range(0, len(unique), 512)]
        place = {text: i for i, text in enumerate(unique)}
        index = torch.tensor([place[text] for text in texts])
        scores = (torch.cat(found)[index] * directions).sum(1)
        if not penalty:
            return scores
        surprise = [self.tower.surprise(text) or 0.0 for text in unique]
        return scores - penalty * torch.tensor(surprise)[index]


def climb(
    texts: Texts,
    directions: Tensor,
    keys: Sequence[Sequence[int]],
    search: Search,
    on_step: StepHook | None = None,
) -> list[list[str]]:
    """For each direction [unit, dimension] the last texts of its chains, best first.

    `keys[u]` are whole numbers that key all randomness of direction u.
    """
    units = F.normalize(directions, dim=1)
    favourites = (units @ texts.vectors.T).argsort(dim=1, descending=True).tolist()
    chains = [
        _Chain(
            unit,
            (texts.words[favourites[u][r]],),
            [texts.words[w] for w in favourites[u]],
            np.random.default_rng([*key, r]),
        )
        for u, (unit, key) in enumerate(zip(units, keys, strict=True))
        for r in range(min(search.restarts, len(texts.words)))
    ]
    for chain, score in zip(
        chains, _scores(texts, chains, [[c.text] for c in chains], search), strict=True
    ):
        chain.score = float(score[0])
    for step in range(search.steps):
        tried = [chain.propose(search) for chain in chains]
        scores = _scores(texts, chains, tried, search)
        for chain, candidates, found in zip(chains, tried, scores, strict=True):
            chain.accept_best(candidates, found)
        if on_step:
            on_step(step + 1, search.steps)
    share = len(chains) // len(units) if len(units) else 0
    return [_best_texts(chains[i : i + share]) for i in range(0, len(chains), share or 1)]


@dataclass
class _Chain:
    """One climb towards a unit vector `direction`."""

    direction: Tensor
    text: tuple[str, ...]
    words: list[str]
    """Best by itself first."""
    rng: np.random.Generator
    score: float = 0.0

    def propose(self, search: Search) -> list[tuple[str, ...]]:
        """Texts one random change from this one, or two, all different, in a fixed order."""
        found: dict[tuple[str, ...], None] = {}
        for twice, once, again in self.rng.random((search.proposals, 3, 4)):
            text = self._mutated(self.text, once, search.length)
            if twice[0] < TWICE:
                text = self._mutated(text, again, search.length)
            found[text] = None
        found.pop(self.text, None)
        return list(found)

    def _mutated(self, text: tuple[str, ...], draw: np.ndarray, length: int) -> tuple[str, ...]:
        """`text` with a word inserted, deleted or replaced, by `draw`: four numbers in 0..1."""
        n = len(text)
        few = FAVOURITES if draw[0] < 0.5 else len(self.words)
        word = self.words[int(draw[1] * min(few, len(self.words)))]
        change = int(draw[2] * 3)
        if change == 0 and n < length:
            at = int(draw[3] * (n + 1))
            return (*text[:at], word, *text[at:])
        at = int(draw[3] * n)
        if change == 1 and n > 1:
            return text[:at] + text[at + 1 :]
        return (*text[:at], word, *text[at + 1 :])

    def accept_best(self, candidates: Sequence[tuple[str, ...]], scores: Tensor) -> None:
        """Go to the best candidate if it is better."""
        if len(candidates) and float(scores.max()) > self.score + GAIN:
            self.text = candidates[int(scores.argmax())]
            self.score = float(scores.max())


def _scores(
    texts: Texts,
    chains: Sequence[_Chain],
    tried: Sequence[Sequence[tuple[str, ...]]],
    search: Search,
) -> list[Tensor]:
    """The score of every text for its own chain."""
    flat = [" ".join(text) for own in tried for text in own]
    counts = [len(own) for own in tried]
    directions = torch.stack([c.direction for c in chains]).repeat_interleave(
        torch.tensor(counts), dim=0
    )
    return list(torch.split(texts.score(flat, directions, search.penalty), counts))


def _best_texts(chains: Sequence[_Chain]) -> list[str]:
    ends = sorted({(-chain.score, " ".join(chain.text)) for chain in chains})
    return list(dict.fromkeys(text for _, text in ends))
