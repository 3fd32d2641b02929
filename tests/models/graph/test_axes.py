"""Which axis is which, against values that carry their own coordinates."""

import math
from collections.abc import Callable

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from micrograph.models.graph.axes import (
    axis,
    regrouped,
    tokens,
    unknown,
    visible,
    without_gaps,
)
from micrograph.models.graph.layouts import layout_of
from micrograph.models.graph.watching import watch

UNITS, ROWS, COLUMNS = 6, 4, 9


def coordinates() -> Tensor:
    """[batch 2, unit, y, x]: each value says where it stands."""
    return torch.arange(2 * UNITS * ROWS * COLUMNS).float().view(2, UNITS, ROWS, COLUMNS)


class Rearranging(nn.Module):
    """A convolution that gives its input, then views, and a module that copies what they give."""

    class Copying(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.clone()

    def __init__(self, views: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first = nn.Conv2d(UNITS, UNITS, 1, bias=False)
        self.first.weight.data = torch.eye(UNITS)[:, :, None, None]
        self.views, self.copying = views, Rearranging.Copying()

    def forward(self, x: Tensor) -> Tensor:
        return self.copying(self.views(self.first(x))).sum()


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


@st.composite
def some_views(draw: st.DrawFn) -> list[tuple[str, tuple[int, ...]]]:
    """Permutations and reshapes, drawn to fit each other."""
    shape = [2, UNITS, ROWS, COLUMNS]
    steps: list[tuple[str, tuple[int, ...]]] = []
    for _ in range(draw(st.integers(1, 5))):
        what = draw(st.sampled_from(["permute", "join", "cut"]))
        if what == "permute":
            order = draw(st.permutations(range(len(shape))))
            shape = [shape[d] for d in order]
            steps.append(("permute", tuple(order)))
            continue
        d = draw(st.integers(0, len(shape) - 1))
        if what == "join" and d + 1 < len(shape):
            shape[d : d + 2] = [shape[d] * shape[d + 1]]
        elif what == "cut" and len(shape) < 6:
            part = draw(st.sampled_from(divisors(shape[d])))
            shape[d : d + 1] = [part, shape[d] // part]
        steps.append(("reshape", tuple(shape)))
    return steps


@settings(max_examples=150, deadline=None)
@given(some_views())
def test_what_is_shown_stands_at_its_coordinates(steps: list[tuple[str, tuple[int, ...]]]) -> None:
    def views(x: Tensor) -> Tensor:
        for what, argument in steps:
            x = x.permute(argument) if what == "permute" else x.reshape(argument)
        return x

    x = coordinates()
    found = watch(Rearranging(views), x)
    assert not found.slips
    values = [v for v in found if v.producers[0].place.path == "copying"]
    for value in values:
        assert value.units in (UNITS, math.prod(views(x).shape[1:]))
        shown = value.producers[0].layout.shown(views(x).clone(), value.shape)
        if shown.ndim == 4:
            assert value.shape == (ROWS, COLUMNS)
            assert torch.equal(shown, _any_order_of_units(x, shown))
        else:
            assert torch.equal(shown.sort(1).values, x.flatten(1))
    if all(what == "permute" for what, _ in steps):
        assert values, "every order of the four axes is understood"


def _any_order_of_units(x: Tensor, shown: Tensor) -> Tensor:
    """`x` with its units in the order in which `shown` has them."""
    firsts = (shown[0, :, 0, 0] / (ROWS * COLUMNS)).long()
    assert sorted(firsts.tolist()) == list(range(UNITS))
    return x[:, firsts]


def test_cutting_and_joining_gives_the_axes_back() -> None:
    axes = (axis("b", 2), axis("u", 12), axis("y", 4), axis("x", 6))
    heads = regrouped(axes, (2, 3, 4, 24))
    assert [len(one) for one in heads] == [1, 1, 1, 2]
    assert not any(a.whole for a in (*heads[1], *heads[2]))
    assert regrouped(heads, (2, 12, 4, 6)) == axes
    assert regrouped(axes, (2, 12, 24))[2] == axis("y", 4) + axis("x", 6)
    assert regrouped(axes, (4, 6, 4, 6))[0] != axis("b", 4), "pictures and units are no pictures"
    assert regrouped(axes, (2, 8, 36)) == unknown((2, 8, 36)), "8 is no part of 12"


def test_what_is_left_of_a_number_counts_without_gaps() -> None:
    """Query, key or value out of 3 * heads * width units."""
    first, heads, width = regrouped((axis("u", 36),), (3, 4, 3))
    left = without_gaps((heads, width))
    assert regrouped(left, (12,)) == (axis("u", 12),)
    assert regrouped((first, heads, width), (36,)) == (axis("u", 36),)


def test_layouts() -> None:
    b, u, y, x = axis("b", 2), axis("u", 5), axis("y", 3), axis("x", 4)
    stream = tokens(("class", "register"), (3, 4))
    assert layout_of((b, u)) is not None
    assert layout_of((u, b)) is None
    assert layout_of((b, y)) is None
    assert layout_of((b, u, y)) is None
    assert layout_of((b, u, x, y)) is not None
    assert layout_of((b, u, y, y)) is None
    assert layout_of((b, unknown((7,))[0], u)) is None
    assert layout_of((b, tokens(("class", "register"), None), u)) is None
    found = layout_of((stream, b, u))
    assert found is not None
    assert (found[0].axes, found[0].prefix, found[1]) == ("tbu", 2, (3, 4))
    assert found[2] == ("class", "register")
    assert not visible(axis("y", 1))
