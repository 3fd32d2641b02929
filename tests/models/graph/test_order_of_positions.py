"""Maps put together of pieces: a map of the picture only where its positions keep their order."""

from collections.abc import Callable

import pytest
import torch
from nets import under_microscope
from torch import Tensor, nn


class Joined(nn.Module):
    """A convolution over what `join` makes of a map of 32 x 32."""

    def __init__(self, join: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.join = nn.Conv2d(3, 4, 3, padding=1), join
        self.last = nn.Conv2d(4, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.join(self.first(x)))


IN_ORDER = {
    "halves": lambda y: torch.cat([y[:, :, :16], y[:, :, 16:]], 2),
    "circular padding": lambda y: torch.cat([y[:, :, -1:], y, y[:, :, :1]], 2),
    "moved, zeros before": lambda y: torch.cat([torch.zeros_like(y[..., :2]), y[..., :-2]], 3),
}
OUT_OF_ORDER = {
    "halves exchanged": lambda y: torch.cat([y[:, :, 16:], y[:, :, :16]], 2),
    "a third exchanged": lambda y: torch.cat([y[..., 12:], y[..., :12]], 3),
    "every other row, then the rest": lambda y: torch.cat([y[:, :, ::2], y[:, :, 1::2]], 2),
    "a map beside itself": lambda y: torch.cat([y, y.relu()], 3),
}


@pytest.mark.parametrize("join", IN_ORDER.values(), ids=IN_ORDER)
def test_pieces_in_their_order_are_a_map(join: Callable[[Tensor], Tensor]) -> None:
    assert list(under_microscope(Joined(join)).nodes) == ["first", "last"]


@pytest.mark.parametrize("join", OUT_OF_ORDER.values(), ids=OUT_OF_ORDER)
def test_pieces_in_another_order_are_none(join: Callable[[Tensor], Tensor]) -> None:
    model = under_microscope(Joined(join))
    assert "last" not in model.nodes
    assert "last" in model.coverage.without
