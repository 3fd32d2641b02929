"""VGG-19 against torchvision's and timm's, with our random tensors in it, at every layer."""

from pathlib import Path

import pytest
import torch
from caffe_era import noise

from micrograph.models import cards
from micrograph.models.model import Model
from micrograph.weights.building import build
from micrograph.weights.conversion import Given

STEPS = {1: 2, 2: 2, 3: 4, 4: 4, 5: 4}


def in_torchvision():
    """Our layers with the numbers of torchvision's steps, counted off its printed table."""
    places, step = {}, 0
    for group, count in STEPS.items():
        for number in range(1, count + 1):
            places[f"conv{group}_{number}"] = f"features.{step}"
            step += 2
        places[f"pool{group}"] = f"features.{step}"
        step += 1
    return places


@pytest.fixture(scope="module")
def ours():
    card = cards()["vgg19_caffe"]
    model = Model(card, build(card), "")
    images = noise(1, 3, 224, 224) * 60
    return model, images, model.run(images, list(model.nodes), preprocess=False)


def filled(make, ours, matrices):
    """Their network with our tensors; nothing is initialized on the way."""
    with torch.device("meta"):
        theirs = make()
    given = ours.module.state_dict()
    places = in_torchvision() | dict(zip(("fc6", "fc7", "logits"), matrices, strict=True))
    state = {}
    for name, tensor in given.items():
        layer, _, leaf = name.rpartition(".")
        place = f"{places[layer]}.{leaf}"
        state[place] = tensor.view(theirs.state_dict()[place].shape)
    theirs.load_state_dict(state, assign=True)
    return theirs.eval(), state


def compare(theirs, ours, images, found):
    # A step's ReLU follows it, in place or not; the last call of a hook sees the finished value.
    seen = {}
    hooks = [
        theirs.get_submodule(place if "pool" in node else _next(place)).register_forward_hook(
            lambda m, i, o, node=node: seen.update({node: o.clone()})
        )
        for node, place in in_torchvision().items()
    ]
    with torch.no_grad():
        seen["logits"] = theirs(images)
    for hook in hooks:
        hook.remove()
    assert set(seen) | {"fc6", "fc7"} == set(ours.nodes)
    for node, values in seen.items():
        assert (found[node] - values).abs().max() <= 1e-4 * values.abs().max(), node


def _next(place):
    return f"features.{int(place.rpartition('.')[2]) + 1}"


def test_against_torchvision(ours, peer):
    models = peer("torchvision.models")
    model, images, found = ours
    theirs, state = filled(models.vgg19, model, ("classifier.0", "classifier.3", "classifier.6"))
    compare(theirs, model, images, found)

    (conversion,) = (c for c in model.card.conversions if c.form == "torch")
    old = {"classifier.0": "classifier.1", "classifier.3": "classifier.4"}
    for renamed in ({}, old):
        given = {}
        for name, tensor in state.items():
            place, _, leaf = name.rpartition(".")
            given[f"{renamed.get(place, place)}.{leaf}"] = tensor
        back = Given(given, Path("vgg19-d01eb7cb.pth"))
        made = conversion.convert(back)
        assert back.left == []
        assert all(
            made[n] is t or torch.equal(made[n], t) for n, t in model.module.state_dict().items()
        )


def test_against_timm(ours, peer):
    timm = peer("timm")
    model, images, found = ours
    theirs, _ = filled(
        lambda: timm.create_model("vgg19", pretrained=False),
        model,
        ("pre_logits.fc1", "pre_logits.fc2", "head.fc"),
    )
    compare(theirs, model, images, found)
