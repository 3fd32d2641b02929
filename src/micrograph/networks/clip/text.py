"""CLIP's text tower: a transformer that reads from left to right, asked at the end mark.

Radford et al. 2021, section 2.4 and their released model: norms before each half of a layer, and
the "quick" GELU, x * sigmoid(1.702 x). A place sees only places before it, so what follows the end
mark never matters and short texts cost little.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TOKENS = 49_408
"""512 for single bytes, 48,894 for pairs, and two marks; see `clip.tokenizer`."""

CONTEXT = 77
"""Places, those of both marks counted."""

LAYERS = 12
HEAD_WIDTH = 64


class QuickGELU(nn.Module):
    """x * sigmoid(1.702 x): what OpenAI's weights were trained with."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """One layer: attention to earlier places, then two linear layers, both added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.before_attention = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.before_rest = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.gelu = QuickGELU()
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[text, place, width] to the same."""
        parts = self.attention(self.before_attention(x)).unflatten(2, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.output(seen.transpose(1, 2).flatten(2))
        out: Tensor = x + self.narrow(self.gelu(self.widen(self.before_rest(x))))
        return out


class TextNetwork(nn.Module):
    """Token numbers to vectors. `log_scale` is the logarithm of what cosines were multiplied with
    in the training."""

    def __init__(self, width: int, dimensions: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(TOKENS, width)
        self.places = nn.Parameter(torch.randn(CONTEXT, width) * 0.01)
        self.blocks = nn.ModuleList(Block(width) for _ in range(LAYERS))
        self.last = nn.LayerNorm(width)
        self.output = nn.Parameter(torch.randn(width, dimensions) * width**-0.5)
        self.log_scale = nn.Parameter(torch.tensor(2.6593))  # ln(1 / 0.07), as training began
        nn.init.normal_(self.tokens.weight, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """[text, place], at most `CONTEXT` places, to [text, dimension], any length.

        A text is read at its largest number: the end mark is the last of all tokens.
        """
        x = self.tokens(tokens) + self.places[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        at_end = self.last(x[torch.arange(len(x), device=x.device), tokens.argmax(1)])
        out: Tensor = at_end @ self.output
        return out
