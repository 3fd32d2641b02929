"""The pair's two networks: toytown's trunk with attention pooling, and a small transformer.

Nodes of the image tower are toytown's up to `mixed5b`, then `pooled` (all heads of the attention
pooling side by side) and `embedding`, the picture's vector. Behind `mixed5b` everything but the
attention pattern is linear: embedding = output(value(sum of attended positions)).
"""

from __future__ import annotations

from math import log

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.organisms.toytown.network import MIXED, ToyTown

WIDTH = 128
"""Dimensions of the common space, of the pooling's heads together, and of the text tower."""

HEADS = 4
LAYERS = 2
LIMIT = 20
"""Most words of a text."""

MARKS = 2
"""Token 0 fills up short texts, token 1 begins a text; words follow."""


class MeanAttentionPool(nn.Module):
    """Attention pooling as in CLIP's ResNets, without positions: the mean asks, positions answer.

    Without positions it takes maps of any size.
    """

    kind = "attention"

    def __init__(self, inputs: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(inputs, width)
        self.key = nn.Linear(inputs, width)
        self.value = nn.Linear(inputs, width)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, unit, y, x] to [batch, width]."""
        positions = x.flatten(2).transpose(1, 2)
        positions = torch.cat([positions.mean(1, keepdim=True), positions], 1)
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(positions[:, :1]), self.key(positions), self.value(positions))
        )
        pattern = F.softmax(query @ key.transpose(2, 3) * query.shape[3] ** -0.5, dim=-1)
        pooled: Tensor = (pattern @ value).flatten(1)
        return pooled


class WordBlock(nn.Module):
    """One layer of a transformer, normalized before each half; every word sees every word."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.before_rest = nn.LayerNorm(width)
        self.rest = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[text, place, width]; `mask` [text, 1, 1, place] is true where a word stands."""
        parts = self.attention(self.before_attention(x)).unflatten(2, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = x + self.output(seen.transpose(1, 2).flatten(2))
        out: Tensor = x + self.rest(self.before_rest(x))
        return out


class WordNetwork(nn.Module):
    """Token numbers to vectors; read at the mark that begins a text.

    `bigrams` holds ln p(next word | word) in the captions of the training, [token, token]: the mark
    1 stands for the text's begin in a row and for its end in a column.
    """

    bigrams: Tensor

    def __init__(self, words: int) -> None:
        super().__init__()
        tokens = words + MARKS
        self.tokens = nn.Embedding(tokens, WIDTH)
        self.places = nn.Parameter(torch.randn(LIMIT + 1, WIDTH) * 0.02)
        self.blocks = nn.ModuleList(WordBlock(WIDTH, HEADS) for _ in range(LAYERS))
        self.last = nn.LayerNorm(WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH)
        nn.init.normal_(self.tokens.weight, std=0.1)
        self.register_buffer("bigrams", torch.full((tokens, tokens), -log(tokens)))

    def forward(self, tokens: Tensor) -> Tensor:
        """[text, place] with the begin mark first, 0 behind the end, to [text, WIDTH]."""
        mask = (tokens > 0)[:, None, None, :]
        x = self.tokens(tokens) + self.places[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x, mask)
        out: Tensor = self.output(self.last(x[:, 0]))
        return out


class ToyTownClip(ToyTown):
    """The image tower is the module itself; `text` is the text tower, which a picture never meets.

    `log_scale` is the logarithm of what cosines are multiplied with in the training.
    """

    kind = "embedding"

    def __init__(self, words: int) -> None:
        super().__init__()
        del self.logits
        self.pooled = MeanAttentionPool(list(MIXED.values())[-1].out, WIDTH, HEADS)
        self.embedding = nn.Linear(WIDTH, WIDTH)
        self.text = WordNetwork(words)
        self.log_scale = nn.Parameter(torch.tensor(log(14.0)))

    def forward(self, x: Tensor) -> Tensor:
        """Normalized pictures [batch, 3, y, x] to their vectors [batch, WIDTH], any length."""
        vectors: Tensor = self.embedding(self.pooled(self.features(x)))
        return vectors
