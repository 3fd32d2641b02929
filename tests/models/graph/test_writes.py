"""What is written into a part of a tensor is read by whoever reads the whole: edges and fields."""

from collections.abc import Callable

import pytest
import torch
from nets import edges, under_microscope
from torch import Tensor, nn

SIZE = 32


class Net(nn.Module):
    """`part` is written into a part of what `a` gave, and `last` reads the whole."""

    def __init__(self, write: Callable[["Net", Tensor], Tensor]) -> None:
        super().__init__()
        self.a, self.last = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 4, 1)
        self.part, self.every = nn.Conv2d(2, 2, 7, padding=3), nn.Conv2d(8, 8, 3, padding=1)
        self.write = write

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.write(self, self.a(x)))


def units(net: Net, x: Tensor) -> Tensor:
    y = x.clone()
    y[:, :2] = net.part(x[:, :2])
    return y


def every_second_unit(net: Net, x: Tensor) -> Tensor:
    y = x.clone()
    y[:, 1:4:2] = net.part(x[:, :2])
    return y


def units_of_zeros(net: Net, x: Tensor) -> Tensor:
    y = torch.zeros_like(x)
    y[:, 2:] = x[:, 2:]
    y[:, :2] = net.part(x[:, :2])
    return y


def units_last(net: Net, x: Tensor) -> Tensor:
    y = x.permute(0, 2, 3, 1).contiguous()
    y[..., :2] = net.part(x[:, :2]).permute(0, 2, 3, 1)
    return y.permute(0, 3, 1, 2)


def of_a_view(net: Net, x: Tensor) -> Tensor:
    y = x.clone()
    y.unflatten(1, (4, 2))[:, 1].copy_(net.part(x[:, :2]))
    return y


def added(net: Net, x: Tensor) -> Tensor:
    y = x.clone()
    y[:, :2] += net.part(x[:, :2])
    return y


def in_place_through_a_view(net: Net, x: Tensor) -> Tensor:
    y = x.clone()
    y.flatten(2).add_(net.every(x).flatten(2))
    return y


def rows(net: Net, x: Tensor) -> Tensor:
    y = x.clone()
    y[:, :, 1:] = x[:, :, :-1]
    return y


def rows_of_zeros(net: Net, x: Tensor) -> Tensor:
    y = torch.zeros_like(x)
    y[:, :, 2:] = x[:, :, :-2]
    return y


def shifted_units(net: Net, x: Tensor) -> Tensor:
    y = x.clone()
    y[:, :4, :, 2:] = x[:, :4, :, :-2]
    return y


def a_corner(net: Net, x: Tensor) -> Tensor:
    y = x.clone()
    y[:, :, 8:24, 8:24] = net.every(x)[:, :, 8:24, 8:24]
    return y


def at_indices(net: Net, x: Tensor) -> Tensor:
    y = x.clone()
    y[:, torch.tensor([0, 1])] = net.part(x[:, :2])
    return y


WRITES = {
    units: {"part", "a"},
    every_second_unit: {"part", "a"},
    units_of_zeros: {"part", "a"},
    units_last: {"part", "a"},
    of_a_view: {"part", "a"},
    added: {"add", "a"},
    in_place_through_a_view: {"add"},
    rows: {"a"},
    rows_of_zeros: {"a"},
    shifted_units: {"a"},
    a_corner: {"every", "a"},
    at_indices: {"part", "a"},
}


@pytest.mark.parametrize("write", WRITES)
def test_what_was_written_is_read(write: Callable[[Net, Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    model = under_microscope(Net(write).double(), SIZE)
    assert not model.slips
    assert edges(model)["last"] == WRITES[write]
    field = model.node("last").receptive_field
    for y, x in ((16, 16), (0, 0), (31, 31), (8, 9), (1, 23)):
        image = torch.rand(1, 3, SIZE, SIZE, dtype=torch.float64).requires_grad_()
        (slope,) = torch.autograd.grad(model.run(image, ["last"])["last"][0, :, y, x].sum(), image)
        places = slope.abs().sum((0, 1)).nonzero()
        if field.status == "unknown" or not len(places):
            continue
        lowest, highest = places.amin(0).tolist(), places.amax(0).tolist()
        told = [field.start + p * field.stride for p in (y, x)]
        for first, low, high in zip(told, lowest, highest, strict=True):
            assert first <= low <= high < first + field.size


@pytest.mark.parametrize(
    ("write", "size", "status"),
    [
        (units, 7, "exact"),
        (every_second_unit, 7, "exact"),
        (units_of_zeros, 7, "exact"),
        (units_last, 7, "exact"),
        (of_a_view, 7, "exact"),
        (added, 7, "exact"),
        (in_place_through_a_view, 3, "exact"),
        (rows_of_zeros, 3, "exact"),
        (a_corner, 3, "at most"),
        (at_indices, 0, "unknown"),
    ],
)
def test_fields_of_what_was_written(
    write: Callable[[Net, Tensor], Tensor], size: int, status: str
) -> None:
    field = under_microscope(Net(write), SIZE).node("last").receptive_field
    assert (field.size, field.status) == (size, status)


def test_a_part_that_was_overwritten_by_a_constant_stays_what_it_was() -> None:
    def blanked(net: Net, x: Tensor) -> Tensor:
        y = x.clone()
        y[:, :3] = 0
        return y

    model = under_microscope(Net(blanked), SIZE)
    assert edges(model)["last"] == {"a"}
    assert model.node("last").receptive_field.size == 1


def test_what_only_has_the_form_of_a_value_does_not_come_from_it() -> None:
    class Forms(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.a(x)
            return self.b(
                torch.zeros_like(self.b(x)) + torch.ones_like(x)[:, :, 1:-1, 1:-1] + 0 * 2
            )

    assert "b-1" not in under_microscope(Forms()).nodes, "it is a constant"
