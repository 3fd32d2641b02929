"""CLIP's text tower as lenses see it; see `micrograph.cards.text.TextTower`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.networks.clip.text import CONTEXT, TextNetwork
from micrograph.networks.clip.tokenizer import Tokenizer


class ClipTower:
    """A text network with its tokenizer. `words` are all tokens that are words, commonest first,
    unless others are given."""

    limit = CONTEXT - 2

    def __init__(
        self, network: TextNetwork, tokenizer: Tokenizer, words: Sequence[str] = ()
    ) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.words = tuple(words or tokenizer.words())

    def tokenize(self, text: str) -> list[int]:
        """Numbers of byte pairs; there is no text without them."""
        return self.tokenizer.encode(text)

    def tensor(self, texts: Sequence[str]) -> Tensor:
        """Token numbers [text, place] with marks, filled up with 0. Raises BadInput for too long
        texts."""
        rows = [[self.tokenizer.begin, *self.tokenize(t), self.tokenizer.end] for t in texts]
        longest = max(map(len, rows), default=0)
        if longest > CONTEXT:
            raise BadInput(
                f"a text of {longest - 2} tokens given; expected at most {self.limit}, "
                "about as many as words and punctuation marks"
            )
        out = torch.zeros(len(rows), longest, dtype=torch.long)
        for i, row in enumerate(rows):
            out[i, : len(row)] = torch.tensor(row)
        return out

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors, float32 [text, dimension] on the CPU."""
        tokens = self.tensor(texts).to(self.network.output.device)
        return F.normalize(self.network(tokens).float(), dim=1).cpu()

    def surprise(self, text: str) -> None:
        """None: a contrastive text tower is no language model."""
