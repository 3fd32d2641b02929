"""Units that answer to plain grey, whose pictures would stay there."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from micrograph import optimize as opt
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.optimize.beginning_again import LOOKS, BeginningAgain

ROOT = Path(__file__).resolve().parents[2]


class Bold:
    """A stand-in for a parameterization: parameters are one number a picture."""

    size = 1

    def start(self, rngs):
        raise NotImplementedError

    def image(self, params):
        raise NotImplementedError

    def bolder(self, start):
        return start * 10


def again(values) -> BeginningAgain:
    return BeginningAgain(Bold(), torch.tensor([[1.0], [2.0], [3.0]]), values)


def test_who_is_no_further_than_grey_begins_again() -> None:
    params = torch.tensor([[4.0], [5.0], [6.0]])
    grey = torch.tensor([0.5, 0.5, 0.5])
    past = torch.tensor([[9.0, 0.0, 0.0], [0.4, 0.4, 0.6], [0.6, 0.4, 0.5], [0.6, 0.7, 0.3]])
    look = again(lambda some: grey if not some.any() else some.flatten())
    look.look(params, past)
    assert params.flatten().tolist() == [4.0, 20.0, 30.0], "means of the last 3: .53, .5 and .47"
    assert LOOKS == 3


def test_the_better_of_both_is_what_is_given() -> None:
    left = torch.tensor([[4.0], [5.0], [6.0]])
    params = left.clone()
    look = again(lambda some: some.flatten())
    look.look(params, torch.tensor([[1.0, -1.0, -1.0]] * 3))
    assert params.flatten().tolist() == [4.0, 20.0, 30.0]
    ended = torch.tensor([[1.0], [6.0], [2.0]])
    # The first did not begin again: what it is at the end counts, though it was more.
    look.keep_better(ended)
    assert ended.flatten().tolist() == [1.0, 6.0, 6.0]


def test_without_a_picture_in_grey_nothing_changes() -> None:
    params = torch.tensor([[4.0], [5.0], [6.0]])
    look = again(lambda some: some.flatten())
    look.look(params, torch.ones(3, 3))
    ended = torch.tensor([[1.0], [2.0], [2.0]])
    assert params.flatten().tolist() == [4.0, 5.0, 6.0]
    look.keep_better(ended)
    assert ended.flatten().tolist() == [1.0, 2.0, 2.0]


def reached(model: Model, node: str, units: list[int], **settings) -> tuple[torch.Tensor, ...]:
    """Of each unit the mean on its picture, and on plain grey."""
    size = model.preprocessing.size
    made = opt.optimize(
        model,
        opt.channel(node, units),
        opt.Settings(size=size, steps=40, **settings),
        seeds=[(0, unit) for unit in units],
    )
    grey = torch.full((len(units), 3, size, size), 0.5)
    return made.scores, opt.evaluate(model, opt.channel(node, units), grey)


def test_units_that_answer_to_grey_get_further() -> None:
    """Unit 6 stayed below what grey is to it, and 26 a little above."""
    scores, grey = reached(load("toytown"), "mixed4b", [6, 26])
    assert (grey > 0.5).all()
    assert (scores > 1.3 * grey).all()


@pytest.mark.nightly
def test_no_unit_of_toytown_stays_grey_that_can_be_driven() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "grey.py"), "--models", "toytown"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
