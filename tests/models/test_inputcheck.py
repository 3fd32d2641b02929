"""Does the input check tell a right input from wrong ones?"""

from dataclasses import replace

import pytest
import torch
from torch import nn

from micrograph import Model, load
from micrograph.cards.inputs import read
from micrograph.models.inputcheck import (
    PICTURES,
    InputFigures,
    alternatives,
    check_input,
    measure,
    verdict,
)
from micrograph.models.pictures import to_input
from micrograph.pictures import open_shipped, shipped

FINE = InputFigures(finite=True, contrast=0.6, certainty=0.2, misfit=None)


@pytest.fixture(scope="module")
def toytown():
    return load("toytown")


def given(model: Model, preprocessing) -> Model:
    return Model(replace(model.card, preprocessing=preprocessing), model.module, model.digest)


def test_the_right_input_passes(toytown):
    assert check_input(toytown) == []
    assert not any(m._forward_pre_hooks for m in toytown.module.modules())


@pytest.mark.parametrize("words", ["0..1", "-1..1", "0..255", "0..255,BGR,mean=104/117/123"])
def test_a_wrong_range_is_noticed_and_a_better_one_named(toytown, words):
    wrong = read(words, toytown.preprocessing)
    (said,) = check_input(given(toytown, wrong))
    assert "imagenet would fit better" in said  # close to toytown's own
    assert "\n" not in said


@pytest.mark.parametrize("model", ["inceptionv1_caffe", "squeezenet1_1"])
def test_real_networks_with_right_input_pass(model, real_weights):
    assert check_input(load(model)) == []


def test_real_networks_with_wrong_input_do_not(real_weights):
    caffe, squeeze = load("inceptionv1_caffe"), load("squeezenet1_1")
    assert check_input(given(caffe, read("0..1,RGB", caffe.preprocessing)))
    assert (
        "sure of what it sees in noise"
        in check_input(given(squeeze, read("0..255", squeeze.preprocessing)))[0]
    )


@pytest.mark.parametrize("words", ["0..1", "-1..1", "0..255", "imagenet"])
def test_batch_norm_statistics_tell(words):
    """Statistics of other pictures than those that the check shows, behind edge filters."""
    right = read(f"48,{words}")
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 24, 5),
        nn.BatchNorm2d(24, momentum=None),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(24, 5),
    )
    edges = net[0].weight.data
    edges[:12] -= edges[:12].mean((1, 2, 3), keepdim=True)
    others = [to_input(open_shipped(n), right) for n in shipped() if n not in PICTURES]
    with torch.no_grad():
        net(right.apply(torch.stack(others)))
    model = Model.of(net, id="net", preprocessing=right)
    misfits = {name: measure(model, p).misfit for name, p in alternatives(right)}
    near = measure(model, right).misfit
    assert near < 1
    assert min(misfits.values()) > near
    far = max(misfits, key=misfits.get)
    (said,) = check_input(given(model, read(far, right)))
    assert f"(off by {misfits[far]:.1f})" in said


def test_the_distance_from_a_batch_norm_is_as_defined():
    net = nn.Sequential(nn.Identity(), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3 * 64, 2))
    right = read("8,0..1")
    pictures = torch.stack([to_input(open_shipped(name), right) for name in PICTURES])
    mean, var = pictures.mean((0, 2, 3)), pictures.var((0, 2, 3))
    net[1].running_mean, net[1].running_var = mean + 2 * var.sqrt(), var.clone()
    model = Model.of(net, id="net", preprocessing=right)
    assert measure(model, right).misfit == pytest.approx(2, abs=1e-4)
    net[1].running_mean, net[1].running_var = mean, var * torch.e**3
    assert measure(model, right).misfit == pytest.approx(3, abs=1e-3)


def test_alternatives_leave_out_what_is_the_same():
    names = {name for name, _ in alternatives(read("32,0..1"))}
    assert "0..1" not in names
    assert {"-1..1", "0..255", "imagenet"} <= names
    almost = read("32,mean=0.48,std=0.226")
    assert "imagenet" not in {name for name, _ in alternatives(almost)}


def test_verdicts():
    assert verdict(FINE, {}) is None
    assert verdict(FINE, {"other": replace(FINE, contrast=0.7)}) is None
    assert verdict(FINE, {"other": replace(FINE, contrast=0.8)})[1] == "other"
    assert verdict(FINE, {"other": replace(FINE, contrast=0.8, finite=False)}) is None
    assert verdict(FINE, {"other": replace(FINE, contrast=0.8, certainty=1.0)}) is None
    broken = replace(FINE, finite=False)
    assert verdict(broken, {"other": FINE}) == (
        "sample pictures give values that are not finite",
        "other",
    )
    sure = replace(FINE, certainty=0.95)
    assert verdict(sure, {"other": replace(FINE, contrast=0.3)}) is None
    assert verdict(sure, {"other": FINE})[1] == "other"
    assert verdict(replace(FINE, contrast=0.01), {})[1] == ""
    normed = replace(FINE, misfit=0.6, contrast=0.1)
    assert verdict(normed, {"other": replace(FINE, misfit=0.4)}) is None
    assert verdict(normed, {"other": replace(FINE, misfit=0.2)})[1] == "other"
    assert verdict(replace(FINE, misfit=1.2), {"other": replace(FINE, misfit=0.9)})[1] == ""


def test_networks_that_nothing_can_be_told_of_are_left_alone():
    class Picky(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            if len(x) > 1:
                raise RuntimeError("no memory for so many")
            return self.conv(x)

    assert check_input(Model.of(Picky(), id="picky", preprocessing="16")) == []
