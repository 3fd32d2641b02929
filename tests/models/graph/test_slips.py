"""A slip of ours costs what it was about, never the network."""

import pytest
import torch
import torch.nn.functional as F
from nets import conv, edges, hooks_of, under_microscope
from torch import Tensor, nn
from torch.utils._python_dispatch import _get_current_dispatch_mode

from micrograph.errors import BadInput
from micrograph.models.graph import aten
from micrograph.models.graph.slips import Slip


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.act, self.last = conv(), nn.Hardswish(), conv(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.act(self.first(x)))


def broken(call: aten.Call) -> aten.Trace:
    raise KeyError("no such argument\nand more")


def test_a_rule_that_raises_costs_its_value_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = under_microscope(Net())
    assert edges(whole) == {"first": set(), "act": {"first"}, "last": {"act"}}
    assert not whole.slips
    monkeypatch.setitem(aten._RULES, "hardswish", broken)
    model = under_microscope(Net())
    assert edges(model) == {"first": set(), "last": {"first"}}
    assert model.node("last").receptive_field.status == "unknown"
    assert model.slips == (Slip("act", "hardswish", "KeyError: 'no such argument\\nand more'"),)
    assert str(model.slips[0]).startswith("hardswish in act could not be followed (KeyError: ")
    assert hooks_of(model.module) == 0


def test_the_network_s_own_errors_are_its_own() -> None:
    class Raising(Net):
        def forward(self, x: Tensor) -> Tensor:
            super().forward(x)
            raise KeyError("mine")

    class Refusing(Net):
        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("only 7 channels")

    with pytest.raises(BadInput, match=r"cannot run .* KeyError: 'mine'"):
        _ = under_microscope(Raising()).nodes
    with pytest.raises(BadInput, match="only 7 channels"):
        _ = under_microscope(Refusing()).nodes


def test_a_network_that_cannot_be_watched_shows_what_came_before() -> None:
    class Shy(Net):
        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            if _get_current_dispatch_mode() is not None:
                raise RuntimeError("not while you look")
            return self.last(self.act(x))

    model = under_microscope(Shy())
    assert list(model.nodes) == ["first"]
    (slip,) = model.slips
    assert "not while you look" in slip.reason


def test_tensors_without_memory_of_their_own_are_no_fault_of_the_network() -> None:
    class Sparse(Net):
        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            scale = torch.sparse.mm(torch.eye(4).to_sparse(), y.mean((0, 2, 3))[:, None])
            return self.last(F.relu(y * scale[:, 0, None, None]))

    assert "first" in under_microscope(Sparse()).nodes
