"""The pair's text tower: words to tokens to vectors; see `micrograph.cards.text.TextTower`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.errors import BadInput, nearest, short
from micrograph.organisms.toytown_clip.network import LIMIT, MARKS, WordNetwork

BEGIN = 1


class WordTower:
    """A text network with its vocabulary."""

    limit = LIMIT

    def __init__(self, network: WordNetwork, words: Sequence[str]) -> None:
        self.network = network
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(self.words, MARKS)}

    def tokenize(self, text: str) -> list[int]:
        """A number for each word, in any case. Raises BadInput for words that captions lack."""
        found = []
        for word in text.lower().split():
            if word not in self._numbers:
                close = " or ".join(map(repr, nearest(word[:80], self.words, 3)))
                hint = f"did you mean {close}?" if close else "see the model's `text.words`"
                raise BadInput(f"no caption has the word {short(word)}; {hint}")
            found.append(self._numbers[word])
        return found

    def tensor(self, texts: Sequence[str]) -> Tensor:
        """Token numbers [text, place]. Raises BadInput as `tokenize` and for too long texts."""
        rows = [self.tokenize(text) for text in texts]
        longest = max(map(len, rows), default=0)
        if longest > LIMIT:
            raise BadInput(f"a text of {longest} words given; expected at most {LIMIT}")
        out = torch.zeros(len(rows), longest + 1, dtype=torch.long)
        out[:, 0] = BEGIN
        for i, row in enumerate(rows):
            out[i, 1 : len(row) + 1] = torch.tensor(row, dtype=torch.long)
        return out

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors, float32 [text, WIDTH] on the CPU."""
        tokens = self.tensor(texts).to(self.network.bigrams.device)
        return F.normalize(self.network(tokens).float(), dim=1).cpu()

    def surprise(self, text: str) -> float:
        """-ln p of the text under the bigram model of the training's captions, nats."""
        path = [BEGIN, *self.tokenize(text), BEGIN]
        pairs = pairwise(path)
        return -sum(float(self.network.bigrams[a, b]) for a, b in pairs)
