"""Being first where a value is made."""

import torch
from nets import SIZE, conv, hooks_of, under_microscope
from torch import Tensor, nn

from micrograph.models.replacing import replaced

IMAGES = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


class Recording(nn.Module):
    """Its head reads what hooks recorded of the parts, as libraries do it for hidden states: one
    was there before anybody looked, one comes with the first pass."""

    class Stage(nn.Module):
        """Hands on what its part gave."""

        def __init__(self, part: nn.Module) -> None:
            super().__init__()
            self.part = part

        def forward(self, x: Tensor) -> Tensor:
            return self.part(x)

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Recording.Stage(conv(3, 4)), Recording.Stage(conv(4, 4))
        self.head = nn.Conv2d(8, 5, 1)
        self.recorded: list[Tensor] = []
        self.late = False
        self.first.part.register_forward_hook(self.record)

    def record(self, module: nn.Module, inputs: object, output: Tensor) -> None:
        self.recorded.append(output)

    def forward(self, x: Tensor) -> Tensor:
        if not self.late:
            self.second.part.register_forward_hook(self.record)
            self.late = True
        self.recorded.clear()
        self.second(self.first(x))
        return self.head(torch.cat(self.recorded, 1))


@torch.no_grad()
def test_what_others_record_is_what_was_put_in_place() -> None:
    net = Recording()
    model = under_microscope(net)
    assert set(model.nodes) >= {"first", "second", "head"}
    values = torch.randn(2, 4, SIZE, SIZE)
    for names in (["head"], ["second", "head"], ["first", "second", "head"]):
        with replaced(model, "first", values):
            found = model.run(IMAGES, names)
        second = net.second.part(values)
        assert torch.allclose(found["head"], net.head(torch.cat([values, second], 1)), atol=1e-5)
        assert torch.equal(found.get("first", values), values)
        with replaced(model, "second", values):
            found = model.run(IMAGES, names)
        first = net.first.part(IMAGES)
        assert torch.allclose(found["head"], net.head(torch.cat([first, values], 1)), atol=1e-5)
    assert hooks_of(net) == 2, "those of the network itself"


def test_gradients_reach_what_is_recorded() -> None:
    model = under_microscope(Recording())
    values = torch.randn(1, 4, SIZE, SIZE, requires_grad=True)
    with replaced(model, "second", values):
        found = model.run(IMAGES[:1], ["head"])["head"]
    (slope,) = torch.autograd.grad(found.sum(), values)
    expected = model.module.head.weight[:, 4:].sum(0)
    assert torch.allclose(slope, expected.expand_as(slope[0])[None], atol=1e-5)
