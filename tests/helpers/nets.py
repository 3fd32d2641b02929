"""Hand-made networks for the tests, each with one peculiarity, and putting them under the lens."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.cards.preprocessing import Preprocessing
from micrograph.models.model import Model

SIZE = 32


def under_microscope(net: nn.Module, size: int = SIZE) -> Model:
    """`net` as a model that takes RGB in 0..1 as it is."""
    return Model.of(net, id="net", preprocessing=Preprocessing(size=size, resize=size))


def edges(model: Model) -> dict[str, set[str]]:
    """The parents of each node."""
    return {node.id: set(node.parents) for node in model.nodes.values()}


def hooks_of(module: nn.Module) -> int:
    """How many hooks hang on a module and its parts."""
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in module.modules())


def conv(inputs: int = 3, outputs: int = 4, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)


class Residual(nn.Module):
    """An in-place addition, then one in-place ReLU module that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = conv(), conv(4)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        y = self.relu(x.clone())
        y = self.second(y)
        y += x
        return self.relu(y)


class Concatenated(nn.Module):
    """Two ReLU branches and one without, joined in the functional way."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = conv(), conv(3, 5), conv(3, 2)
        self.last = conv(11, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([F.relu(self.a(x)), self.c(x), self.b(x).relu()], 1)
        return self.last(y)


class Join(nn.Module):
    """Its own module for a concatenation of ReLUs, with a functional ReLU behind the last."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(), conv(4)

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.a(x))
        return torch.cat([a, F.relu(self.b(a))], 1)


class Reused(nn.Module):
    """One convolution three times."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = conv(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.shared(self.shared(self.shared(x)).sigmoid())


class Odd(nn.Module):
    """A module that gives a dict, one that gives a tuple, and one that takes them."""

    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = conv()

        def forward(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
            y = self.inner(x)
            return y, {"double": y * 2}

    class Taking(nn.Module):
        def forward(self, pair: tuple[Tensor, dict[str, Tensor]]) -> Tensor:
            return pair[0] + pair[1]["double"]

    def __init__(self) -> None:
        super().__init__()
        self.pair, self.taking = Odd.Pair(), Odd.Taking()

    def forward(self, x: Tensor) -> dict[str, Any]:
        y = self.taking(self.pair(x))
        return {"out": y, "aux": [y.mean()]}


class Dropping(nn.Module):
    """Modules that hand their input through, and a block that adds nothing to its last part."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(), nn.Dropout(0.5), nn.Sequential(conv(4), nn.Identity()))
        self.head = nn.Linear(4, 7)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


class Failing(nn.Module):
    """Raises behind its second convolution if told so."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = conv(), conv(4), conv(4)
        self.broken = False
        self.reached = 0

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x))
        self.reached += 1
        if self.broken:
            raise ValueError("broken behind second")
        return self.third(x)


class Catching(nn.Module):
    """Catches what its part raises, and goes on."""

    class Raising(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("no")

    def __init__(self) -> None:
        super().__init__()
        self.raising, self.after = Catching.Raising(), conv()

    def forward(self, x: Tensor) -> Tensor:
        try:
            return self.raising(x)
        except ValueError:
            return self.after(x)


class Tokens(nn.Module):
    """A small vision transformer: class token and a register before 4 x 4 patches of 8 pixels."""

    class Attention(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.heads = heads
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

        def forward(self, x: Tensor) -> Tensor:
            batch, count, width = x.shape
            qkv = self.qkv(x).reshape(batch, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            query, key, value = qkv.unbind(0)
            pattern = (query @ key.transpose(2, 3) * query.shape[3] ** -0.5).softmax(-1)
            return self.proj((pattern @ value).transpose(1, 2).reshape(batch, count, width))

    class Block(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.norm1, self.attn = nn.LayerNorm(width), Tokens.Attention(width, heads)
            self.norm2 = nn.LayerNorm(width)
            self.mlp = nn.Sequential(
                nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
            )

        def forward(self, x: Tensor) -> Tensor:
            x = x + self.attn(self.norm1(x))
            return x + self.mlp(self.norm2(x))

    def __init__(self, width: int = 12, heads: int = 3, depth: int = 2) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 8, 8)
        self.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.reg_token = nn.Parameter(torch.randn(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, 16, width))
        self.blocks = nn.Sequential(*(Tokens.Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2) + self.pos_embed
        first = [token.expand(len(x), -1, -1) for token in (self.cls_token, self.reg_token)]
        x = self.norm(self.blocks(torch.cat([*first, x], 1)))
        return self.head(x[:, 0])


class ChannelsLast(nn.Module):
    """A block that works on [batch, y, x, unit], and comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 6, 4, 4), nn.LayerNorm(6)
        self.wide, self.act, self.narrow = nn.Linear(6, 10), nn.GELU(), nn.Linear(10, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        y = self.narrow(self.act(self.wide(self.norm(x.permute(0, 2, 3, 1)))))
        x = x + y.permute(0, 3, 1, 2)
        return self.head(x.mean((2, 3)))
