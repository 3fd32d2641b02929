"""Networks that lose the axis of pictures where there is one only: `x.squeeze()`."""

import pytest
import torch
from nets import under_microscope
from torch import Tensor, nn

from micrograph.lenses.attribution.engine import attribute
from micrograph.runner import render

IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


class Squeezing(nn.Module):
    """With `strict` it cannot go on with one picture."""

    def __init__(self, strict: bool) -> None:
        super().__init__()
        self.conv, self.hidden, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 6), nn.Linear(6, 5)
        self.strict = strict

    def forward(self, x: Tensor) -> Tensor:
        x = self.hidden(self.conv(x).relu().mean((2, 3), keepdim=True).squeeze()).relu()
        return self.head(torch.cat([x[:, :3], x[:, 3:]], 1) if self.strict else x)


@pytest.mark.parametrize("strict", [False, True])
def test_one_picture_has_the_values_that_it_has_beside_another(strict, tmp_path):
    model = under_microscope(Squeezing(strict))
    with torch.no_grad():
        expected = model.module(IMAGES)
    assert torch.allclose(model.run(IMAGES[:1], "head")["head"], expected[:1], atol=1e-6)
    assert torch.allclose(model.run(IMAGES, "head")["head"], expected, atol=1e-6)
    for share in attribute(model, "head", [1], IMAGES[:1])[0].shares:
        assert share.is_complete(expected[0, 1].item())
    done = render(model, tmp_path / "a.atlas", nodes=["head"], units="0", steps=2)
    assert not done.failed


def test_statistics_of_two_equal_pictures_are_no_answer():
    class Live(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm1d(8, track_running_stats=False)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.conv(x).mean((2, 3)))

    model = under_microscope(Live())
    assert not model.passes.paired
