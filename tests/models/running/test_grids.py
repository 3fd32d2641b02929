"""Tokens of pictures that are not square lie where their patches are."""

import pytest
import torch
from torch import Tensor, nn

from micrograph import Model
from micrograph.errors import BadInput


class Patches(nn.Module):
    def __init__(self, drop: int = 0) -> None:
        super().__init__()
        self.patch, self.mix, self.drop = nn.Conv2d(3, 6, 4, stride=4), nn.Linear(6, 5), drop
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.mix(self.patch(x).flatten(2).transpose(1, 2))
        return self.act(tokens[:, (self.drop if x.shape[2] != x.shape[3] else 0) :])


@pytest.mark.parametrize(
    "size", [(16, 16), (8, 32), (32, 8), (4, 64), (16, 24), (19, 23), (31, 8), (7, 60), (44, 27)]
)
def test_each_token_is_shown_where_its_patch_is(size):
    net = Patches()
    model = Model.of(net, id="net", preprocessing="16,0..1")
    pictures = torch.rand(2, 3, *size)
    expected = net.mix(net.patch(pictures).movedim(1, -1)).movedim(-1, 1)
    assert expected.shape[2:] == (size[0] // 4, size[1] // 4)
    torch.testing.assert_close(model.run(pictures, "mix")["mix"], expected)


def test_tokens_that_make_no_grid_are_refused():
    model = Model.of(Patches(drop=1), id="net", preprocessing="16,0..1")
    with pytest.raises(BadInput, match="7 tokens on pictures of 8 x 16, which make no grid"):
        model.run(torch.rand(1, 3, 8, 16), ["act"])
