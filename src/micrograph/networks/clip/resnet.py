"""CLIP's image tower: a ResNet with three-layer stem, average pools that stride, attention pooling.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021,
section 2.4. All convolutions of blocks have stride 1; where a stage halves the map, an average pool
does. Batch norms and the residual sum are nodes before their ReLU, as OpenAI Microscope had them:
there negative values carry meaning. Nothing is computed in place.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.cards.zoo._clip_shape import Shape
from micrograph.networks.clip.text import TextNetwork

EXPANSION = 4
"""Units of a block's output, in units of its inner width."""


def _norm(units: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(units)
    norm.num_batches_tracked = None  # counts steps of a training; nothing that runs reads it
    return norm


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight)  # so that signals pass an untrained network, too
    return conv


class ClipStem(nn.Module):
    """Three 3x3 convolutions, of which the first strides, and an average pool."""

    kind = "pool"

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(3, width // 2, 3, 2), _norm(width // 2)
        self.conv2, self.bn2 = _conv(width // 2, width // 2, 3), _norm(width // 2)
        self.conv3, self.bn3 = _conv(width // 2, width, 3), _norm(width)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, y, x] to [batch, width, y / 4, x / 4], values >= 0."""
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.avg_pool2d(F.relu(self.bn3(self.conv3(x))), 2)


class Downsample(nn.Module):
    """The way past a stage's first block: average pool, 1x1 convolution, norm."""

    kind = "norm"

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv, self.bn = _conv(inputs, outputs), _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, outputs, y / stride, x / stride]."""
        out: Tensor = self.bn(self.conv(_pool(x, self.stride)))
        return out


def _pool(x: Tensor, stride: int) -> Tensor:
    return F.avg_pool2d(x, stride) if stride > 1 else x


class Sum(nn.Module):
    """Two maps added."""

    kind = "add"

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Same shapes in and out."""
        return a + b


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolution, each with a norm; added to the block's input, then ReLU."""

    kind = "rectified"

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        outputs = width * EXPANSION
        self.conv1, self.bn1 = _conv(inputs, width), _norm(width)
        self.conv2, self.bn2 = _conv(width, width, 3), _norm(width)
        self.conv3, self.bn3 = _conv(width, outputs), _norm(outputs)
        passes = stride == 1 and inputs == outputs
        self.downsample = None if passes else Downsample(inputs, outputs, stride)
        self.sum = Sum()

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, 4 * width, y / stride, x / stride], values >= 0."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = _pool(F.relu(self.bn2(self.conv2(y))), self.stride)
        y = self.bn3(self.conv3(y))
        return F.relu(self.sum(y, x if self.downsample is None else self.downsample(x)))


class AttentionPool(nn.Module):
    """Attention pooling: the mean over the map asks, the mean and all positions answer.

    Every place has a learned position, those of the map on a fixed grid; for a map of another size
    they are interpolated (bicubic, as is usual for the positions of vision transformers). The
    output holds the heads side by side, before the projection to the common space.
    """

    kind = "attention"

    def __init__(self, inputs: int, heads: int, grid: int) -> None:
        super().__init__()
        self.heads, self.grid = heads, grid
        self.positions = nn.Parameter(torch.randn(grid * grid + 1, inputs) * inputs**-0.5)
        self.query = nn.Linear(inputs, inputs)
        self.key = nn.Linear(inputs, inputs)
        self.value = nn.Linear(inputs, inputs)

    def positions_for(self, rows: int, columns: int) -> Tensor:
        """[1 + rows * columns, inputs]; the first is that of the mean."""
        if (rows, columns) == (self.grid, self.grid):
            return self.positions
        map_ = self.positions[1:].T.reshape(1, -1, self.grid, self.grid)
        fitted = F.interpolate(map_, (rows, columns), mode="bicubic", align_corners=False)
        return torch.cat([self.positions[:1], fitted[0].flatten(1).T])

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, inputs]."""
        places = x.flatten(2).transpose(1, 2)
        places = torch.cat([places.mean(1, keepdim=True), places], 1)
        places = places + self.positions_for(x.shape[2], x.shape[3])
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(places[:, :1]), self.key(places), self.value(places))
        )
        pattern = F.softmax(query @ key.transpose(2, 3) * query.shape[3] ** -0.5, dim=-1)
        pooled: Tensor = (pattern @ value).flatten(1)
        return pooled


class Clip(nn.Module):
    """The image tower; `text` is the text tower, which a picture never meets, if there is one."""

    kind = "embedding"

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = ClipStem(shape.width)
        units = shape.width
        for stage, blocks in enumerate(shape.blocks):
            width = shape.width * 2**stage
            layers = nn.ModuleList()
            for block in range(blocks):
                layers.append(Bottleneck(units, width, 2 if stage and not block else 1))
                units = width * EXPANSION
            self.add_module(f"layer{stage + 1}", layers)
        self.pooled = AttentionPool(units, shape.heads, shape.grid)
        self.embedding = nn.Linear(units, shape.dimensions)
        self.text: TextNetwork | None = TextNetwork(shape.text_width, shape.dimensions)

    @property
    def stages(self) -> Sequence[nn.Module]:
        """The four stages, each a list of blocks."""
        return [self.get_submodule(f"layer{number}") for number in (1, 2, 3, 4)]

    def forward(self, x: Tensor) -> Tensor:
        """Normalized pictures [batch, 3, y, x] to their vectors [batch, dimension], any length."""
        x = self.stem(x)
        for stage in self.stages:
            for block in stage.children():
                x = block(x)
        vectors: Tensor = self.embedding(self.pooled(x))
        return vectors
