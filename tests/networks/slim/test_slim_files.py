"""From slim's tensors to ours: what is multiplied into a convolution, and what is refused."""

from pathlib import Path

import checkpoint
import pytest
import torch
import torch.nn.functional as F

from micrograph.cards import card
from micrograph.networks.slim import files
from micrograph.weights.conversion import Given
from micrograph.weights.formats import WeightsError

FILE = Path("model.ckpt")
SHAPES = {
    "net/Mixed/Conv/weights": (3, 1, 4, 6),
    "net/Mixed/Conv/BatchNorm/beta": (6,),
    "net/Mixed/Conv/BatchNorm/moving_mean": (6,),
    "net/Mixed/Conv/BatchNorm/moving_variance": (6,),
    "net/Logits/weights": (1, 1, 6, 5),
    "net/Logits/biases": (5,),
}


def tensors() -> dict[str, torch.Tensor]:
    return {n: torch.from_numpy(checkpoint.value(n, s)) for n, s in SHAPES.items()}


def test_batch_norm_is_multiplied_into_the_convolution():
    stored = tensors()
    given = Given(stored, FILE)
    ours = files.from_slim(given, "net", ["Mixed.Conv"], "Logits")
    assert given.left == []
    assert all(t.dtype == torch.float32 for t in ours.values())
    x = torch.rand(2, 4, 7, 5, dtype=torch.float64)
    weight = stored["net/Mixed/Conv/weights"].permute(3, 2, 0, 1).double()
    beta, mean, variance = (
        stored[f"net/Mixed/Conv/BatchNorm/{leaf}"].double() for leaf in files.SLIM_NORM[1:]
    )
    theirs = F.batch_norm(F.conv2d(x, weight), mean, variance, None, beta, eps=1e-3)
    found = F.conv2d(x, ours["Mixed.Conv.weight"].double(), ours["Mixed.Conv.bias"].double())
    assert torch.allclose(found, theirs, rtol=1e-6, atol=1e-6)
    assert torch.equal(ours["logits.weight"], stored["net/Logits/weights"][0, 0].T)
    assert torch.equal(ours["logits.bias"], stored["net/Logits/biases"])


@pytest.mark.parametrize("name", list(SHAPES))
def test_missing_tensors_are_named(name):
    stored = tensors()
    del stored[name]
    with pytest.raises(WeightsError, match=f"lacks the tensor {name!r}"):
        files.from_slim(Given(stored, FILE), "net", ["Mixed.Conv"], "Logits")


@pytest.mark.parametrize("name", list(SHAPES))
@pytest.mark.parametrize("shape", [(), (3,), (2, 7)])
def test_other_shapes_are_refused(name, shape):
    stored = tensors()
    stored[name] = torch.zeros(shape)
    layer = name.removesuffix("weights").removesuffix("biases")
    with pytest.raises(WeightsError, match=f"{layer}.* has shape"):
        files.from_slim(Given(stored, FILE), "net", ["Mixed.Conv"], "Logits")


def test_timm_has_no_background_and_no_gain():
    stored = {
        "a.conv.weight": torch.rand(6, 4, 3, 1),
        "a.bn.weight": torch.ones(6),
        "a.bn.bias": torch.rand(6),
        "a.bn.running_mean": torch.rand(6),
        "a.bn.running_var": torch.rand(6),
        "fc.weight": torch.rand(5, 6),
        "fc.bias": torch.rand(5),
    }
    ours = files.from_timm(Given(stored, FILE), {"A": "a"}, "fc")
    assert torch.equal(ours["logits.weight"][1:], stored["fc.weight"])
    assert torch.equal(ours["logits.bias"][1:], stored["fc.bias"])
    assert not ours["logits.weight"][0].any()
    assert not ours["logits.bias"][0]
    for name in stored:
        with pytest.raises(WeightsError, match=f"{name} has shape"):
            files.from_timm(Given(stored | {name: torch.tensor(1.0)}, FILE), {"A": "a"}, "fc")
    stored["a.bn.weight"][3] = 1.01
    with pytest.raises(WeightsError, match=r"a\.bn has a gain.*tf_in1k"):
        files.from_timm(Given(stored, FILE), {"A": "a"}, "fc")


@pytest.mark.parametrize("name", ["inceptionv3_slim", "inceptionv4_slim"])
def test_each_convolution_has_a_name_in_timm(name):
    from micrograph.networks import inceptionv3_slim, inceptionv4_slim

    zoo = {"inceptionv3_slim": inceptionv3_slim, "inceptionv4_slim": inceptionv4_slim}[name]
    names = zoo.timm_names()
    assert len(set(names.values())) == len(names) == {"3": 94, "4": 149}[name[10]]
    conversions = {c.form: c for c in card(name).conversions}
    assert conversions["torch"].convert == conversions["safetensors"].convert
    assert conversions["torch"].convert.load() is zoo.from_timm
    assert conversions["torch"].sign.removesuffix(".conv.weight") in names.values()
