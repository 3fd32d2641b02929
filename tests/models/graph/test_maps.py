"""What is shown as a map of the picture has all rows and columns of one map as its axes."""

from collections.abc import Callable

import pytest
import torch
from nets import edges, under_microscope
from torch import Tensor, nn

IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """`mix` works on something with four axes; `back` makes a map of it again, `last` reads it."""

    def __init__(
        self,
        units: int,
        given: Callable[[Tensor], Tensor],
        back: Callable[[Tensor, Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.stem, self.mix = nn.Conv2d(3, 8, 2, 2), nn.Conv2d(units, units, 1)
        self.last, self.given, self.back = nn.Conv2d(8, 4, 1), given, back

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.last(self.back(x, self.mix(self.given(x))))


def unfolded(x: Tensor) -> Tensor:
    """[batch, unit, pixel of a patch, patch]."""
    b, c, h, w = x.shape
    return x.view(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(b, c, 4, -1)


def folded(x: Tensor, y: Tensor) -> Tensor:
    b, c, h, w = x.shape
    return y.view(b, c, 2, 2, h // 2, w // 2).permute(0, 1, 4, 2, 5, 3).reshape(b, c, h, w)


def heads(x: Tensor) -> Tensor:
    """[batch, head, position, unit]."""
    return x.flatten(2).unflatten(1, (2, 4)).transpose(2, 3)


def pattern(x: Tensor) -> Tensor:
    """[batch, head, query, key]."""
    return heads(x) @ heads(x).transpose(2, 3)


def attended(x: Tensor, y: Tensor) -> Tensor:
    return (y.softmax(-1) @ heads(x)).transpose(2, 3).reshape(x.shape)


NETS = {
    "pixels of patches": Net(8, unfolded, folded),
    "patches and their pixels": Net(
        8, lambda x: unfolded(x).transpose(2, 3), lambda x, y: folded(x, y.transpose(2, 3))
    ),
    "a pattern of attention": Net(2, pattern, attended),
    "positions and units": Net(2, heads, lambda x, y: y.transpose(2, 3).reshape(x.shape)),
    "columns and rows": Net(
        8, lambda x: x.unflatten(3, (2, 4)).flatten(2, 3), lambda x, y: y.reshape(x.shape)
    ),
}


CUT = ("pixels of patches", "patches and their pixels", "columns and rows")
"""Those in which all of a map is there, in other pieces."""


@pytest.mark.parametrize("name", CUT)
def test_a_map_in_pieces_is_shown_whole(name: str) -> None:
    net = NETS[name].eval()
    model = under_microscope(net, 16)
    assert edges(model) == {"stem": set(), "mix": {"stem"}, "last": {"mix"}}
    assert model.node("mix").shape == (8, 8)
    with torch.no_grad():
        found = model.run(IMAGES, ["stem", "mix", "last"])
        assert torch.allclose(found["mix"], net.mix(found["stem"]), atol=1e-6)
        assert torch.allclose(found["last"], net(IMAGES), atol=1e-6)


@pytest.mark.parametrize("name", sorted(NETS.keys() - set(CUT)))
def test_what_is_no_map_is_no_node(name: str) -> None:
    net = NETS[name].eval()
    model = under_microscope(net, 16)
    assert not model.slips
    assert list(model.nodes) == ["stem", "last"]
    assert edges(model)["last"] == {"stem"}
    with torch.no_grad():
        assert torch.allclose(model.run(IMAGES, ["last"])["last"], net(IMAGES), atol=1e-6)


def test_a_class_token_does_not_come_from_the_positions_beside_it() -> None:
    class Beside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches, self.positions = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 8)
            self.summary, self.after = nn.Linear(8, 8), nn.Linear(8, 8)
            self.head, self.dense = nn.Linear(8, 3), nn.Linear(8, 2)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            x = self.patches(x).flatten(2).transpose(1, 2)
            token = self.summary(x.mean(1, keepdim=True))
            x = self.after(torch.cat([token, self.positions(x)], 1) * 2)
            return self.head(x[:, 0]), self.dense(x[:, 1:])

    model = under_microscope(Beside(), 16)
    assert edges(model) == {
        "patches": set(),
        "summary": {"patches"},
        "positions": {"patches"},
        "after": {"positions"},
        "after.class": {"summary"},
        "head": {"after.class"},
        "dense": {"after"},
    }


ROWS = torch.randperm(32, generator=torch.Generator().manual_seed(0))
MOVED: dict[str, Callable[[Tensor], Tensor]] = {
    "rows as columns": lambda x: x.transpose(2, 3).relu(),
    "turned": lambda x: torch.rot90(x, 1, (2, 3)),
    "chosen in another order": lambda x: x.index_select(3, ROWS),
    "chosen by two indices": lambda x: x[:, :, ROWS[:, None], ROWS],
    "mirrored": lambda x: x.flip(2),
}


@pytest.mark.parametrize("moved", MOVED.values(), ids=list(MOVED))
def test_no_convolution_makes_a_map_of_places_that_changed(
    moved: Callable[[Tensor], Tensor],
) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(self.b(moved(self.a(nn.functional.pad(x, (1, 1, 1, 1)))))).mean((2, 3))

    nodes = under_microscope(Net()).nodes
    assert [node.id for node in nodes.values() if node.shape] == ["a"]


@pytest.mark.parametrize("quarters", [0, 4])
def test_a_whole_turn_changes_nothing(quarters: int) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.b(torch.rot90(self.a(x), quarters, (2, 3)))

    assert under_microscope(Net()).nodes["b"].receptive_field.size == 5
