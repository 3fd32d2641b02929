"""Numbering and replacing ReLU calls."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from micrograph.models.running.relu import RELU_FUNCTIONS, ReLUCalls, ReLUOff

X = torch.tensor([-2.0, -1.0, 0.0, 3.0])
SPELLINGS = {
    "module": lambda x: nn.ReLU()(x),
    "module in place": lambda x: nn.ReLU(inplace=True)(x),
    "functional": lambda x: F.relu(x),
    "functional by keyword": lambda x: F.relu(input=x),
    "functional in place": lambda x: F.relu(x, inplace=True),
    "functional in place by position": lambda x: F.relu(x, True),
    "F.relu_": lambda x: F.relu_(x),
    "torch.relu": lambda x: torch.relu(x),
    "torch.relu_": lambda x: torch.relu_(x),
    "method": lambda x: x.relu(),
    "method in place": lambda x: x.relu_(),
}


class Noting(ReLUCalls):
    """Gives ten times the index instead."""

    def relu(self, x, index):
        return torch.full_like(x, 10.0 * index)


@pytest.mark.parametrize("call", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_is_seen_once(call):
    with Noting() as calls:
        first, second = call(X.clone()), call(X.clone())
    assert calls.count == 2
    assert first.tolist() == [0] * 4
    assert second.tolist() == [10] * 4


@pytest.mark.parametrize("call", SPELLINGS.values(), ids=SPELLINGS)
def test_by_default_nothing_changes(call):
    with ReLUCalls():
        assert call(X.clone()).tolist() == [0, 0, 0, 3]


@pytest.mark.parametrize("call", SPELLINGS.values(), ids=SPELLINGS)
def test_in_place_calls_overwrite_their_argument_and_others_do_not(call):
    plain, seen = X.clone(), X.clone()
    call(plain)
    with ReLUCalls():
        call(seen)
    assert torch.equal(plain, seen)


def test_count_starts_again_with_each_pass():
    calls = ReLUCalls()
    for _ in range(2):
        with calls:
            F.relu(X)
        assert calls.count == 1


def test_other_functions_pass():
    with Noting() as calls:
        assert torch.equal(torch.sigmoid(X) + F.relu6(X), torch.sigmoid(X) + F.relu6(X))
    assert calls.count == 0


def test_off_only_for_the_given_calls():
    with ReLUOff([1]):
        found = [F.relu(X).min().item() for _ in range(3)]
    assert found == [0, -2, 0]


@pytest.mark.parametrize("in_place", [False, True])
def test_gradients_flow_through_replaced_calls(in_place):
    class Leaky(ReLUCalls):
        def relu(self, x, index):
            return F.leaky_relu(x, 0.5)

    x = X.clone().requires_grad_()
    with Leaky():
        F.relu(x * 1, inplace=in_place).sum().backward()
    assert x.grad.tolist() == [0.5, 0.5, 0.5, 1.0]


def test_the_functions_are_torchs_own():
    assert F.relu in RELU_FUNCTIONS
    assert len(RELU_FUNCTIONS) >= 5  # torch may give one function two names
