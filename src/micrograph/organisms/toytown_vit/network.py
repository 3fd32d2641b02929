"""A small vision transformer (Dosovitskiy et al. 2020): patches of 8 px, a class token, six blocks.

Norms come first in each block, as in all transformers since. Of a 96 px picture the patches form a
map of 12 x 12; for other sizes the positions are resampled.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.organisms.toytown.network import INPUT_SIZE
from micrograph.organisms.toytown.scenes import CLASSES

PATCH = 8
GRID = INPUT_SIZE // PATCH
WIDTH, DEPTH, HEADS, HIDDEN = 96, 6, 3, 384


class Attention(nn.Module):
    """Every token gathers from all others, in `HEADS` ways at once (Vaswani et al. 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, token, unit] to the same."""
        parts = self.qkv(x).unflatten(2, (3, HEADS, WIDTH // HEADS)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        pattern = (query @ key.transpose(2, 3) * query.shape[3] ** -0.5).softmax(3)
        gathered = pattern @ value
        mixed: Tensor = self.out(gathered.transpose(1, 2).flatten(2))
        return mixed


class MLP(nn.Module):
    """What each token makes of itself: `act` are its hidden units."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(WIDTH, HIDDEN)
        self.act = nn.GELU()
        self.out = nn.Linear(HIDDEN, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, token, unit] to the same."""
        mixed: Tensor = self.out(self.act(self.hidden(x)))
        return mixed


class ViTBlock(nn.Module):
    """Attention and MLP, each added to the stream of tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.norm2 = nn.LayerNorm(WIDTH)
        self.mlp = MLP()

    def forward(self, x: Tensor) -> Tensor:
        """[batch, token, unit] to the same."""
        x = x + self.attention(self.norm1(x))
        mixed: Tensor = x + self.mlp(self.norm2(x))
        return mixed


class ToyTownViT(nn.Module):
    """Normalized RGB [batch, 3, y, x] to logits [batch, class]."""

    def __init__(self, classes: int = len(CLASSES)) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, stride=PATCH)
        self.class_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.randn(1, WIDTH, GRID, GRID) * 0.02)
        self.blocks = nn.Sequential(*(ViTBlock() for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(WIDTH)
        self.logits = nn.Linear(WIDTH, classes)

    def forward(self, x: Tensor) -> Tensor:
        """The sides of the picture are multiples of `PATCH`, or cut to such."""
        maps = self.patches(x)
        positions: Tensor = self.positions
        if maps.shape[2:] != positions.shape[2:]:
            positions = F.interpolate(positions, maps.shape[2:], mode="bicubic")
        patches = (maps + positions).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(x), -1, -1), patches], 1)
        classes: Tensor = self.logits(self.norm(self.blocks(tokens))[:, 0])
        return classes


def build(classes: int = len(CLASSES)) -> ToyTownViT:
    """The network with random weights."""
    network = ToyTownViT(classes)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
    return network
