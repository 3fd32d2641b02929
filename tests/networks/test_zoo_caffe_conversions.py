"""Original files of the Caffe-era networks: every tensor's place, by the names of each port.

The alexnets' npy, caffemodel and graph, and InceptionV1's graph, are in tests/peers, where whole
networks are compared.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from micrograph.models import cards
from micrograph.networks import caffe, vgg19_caffe
from micrograph.weights.building import build
from micrograph.weights.conversion import Given
from micrograph.weights.formats import WeightsError
from micrograph.weights.importing import import_weights
from micrograph.weights.readers import read_any
from micrograph.weights.store import read


def state_of(name):
    """Names and shapes of the network's tensors, without making them."""
    with torch.device("meta"):
        return {n: tuple(t.shape) for n, t in cards()[name].build().state_dict().items()}


def conversion(name, form, sign):
    (found,) = (c for c in cards()[name].conversions if (c.form, c.sign) == (form, sign))
    return found


def numbered(shapes):
    """A tensor per name that holds its number everywhere, without taking its memory."""
    return {
        name: torch.tensor(float(n)).expand(shape) for n, (name, shape) in enumerate(shapes.items())
    }


def check(name, form, sign, theirs):
    """`theirs` maps their names to ours; each must be where it belongs, and nothing be left."""
    state = state_of(name)
    assert sorted(theirs.values()) == sorted(state)
    tensors = numbered({their: state[our] for their, our in theirs.items()})
    given = Given(tensors, Path("original"))
    made = conversion(name, form, sign).convert(given)
    assert given.left == []
    assert made.keys() == state.keys()
    for their, our in theirs.items():
        assert made[our].shape == state[our], our
        assert made[our].flatten()[0] == tensors[their].flatten()[0], our


def in_caffe(path):
    """`inception_3a.3x3_reduce.weight` is `inception_3a/3x3_reduce/0`."""
    module, _, leaf = path.rpartition(".")
    stem = {
        "conv1_7x7_s2": "conv1/7x7_s2",
        "conv2_3x3_reduce": "conv2/3x3_reduce",
        "conv2_3x3": "conv2/3x3",
        "loss3_classifier": "loss3/classifier",
    }
    layer = stem.get(module, module.replace(".", "/"))
    return f"{layer}/{('weight', 'bias').index(leaf)}"


@pytest.mark.parametrize("name", ["inceptionv1_caffe", "inceptionv1_caffe_places365"])
def test_googlenet_from_a_caffemodel(name):
    check(name, "caffemodel", "conv1/7x7_s2/0", {in_caffe(n): n for n in state_of(name)})


CAPTUM = {
    "conv1": ("conv2d0", "conv1_7x7_s2"),
    "conv2": ("conv2d1", "conv2_3x3_reduce"),
    "conv3": ("conv2d2", "conv2_3x3"),
    "fc": ("softmax2", "loss3_classifier"),
}
BRANCHES = {
    "conv_1x1": "1x1",
    "conv_3x3_reduce": "3x3_reduce",
    "conv_3x3": "3x3",
    "conv_5x5_reduce": "5x5_reduce",
    "conv_5x5": "5x5",
    "pool_proj": "pool_proj",
}
BLOCKS = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")


@pytest.mark.parametrize("column", [0, 1])
def test_captums_ports(column):
    names = {their: ours[column] for their, ours in CAPTUM.items()}
    for block in BLOCKS:
        for their, our in BRANCHES.items():
            names[f"mixed{block}.{their}"] = f"{('mixed', 'inception_')[column]}{block}.{our}"
    theirs = {f"{t}.{leaf}": f"{o}.{leaf}" for t, o in names.items() for leaf in ("weight", "bias")}
    if column == 1:
        check("inceptionv1_caffe_places365", "torch", "mixed3a.conv_1x1.weight", theirs)
        return
    trunk(theirs, "mixed3a.conv_1x1.weight")


def trunk(theirs, sign):
    """As `check`, for files of Google's InceptionV1 that lack the heads."""
    state = {n: s for n, s in state_of("inceptionv1").items() if not n.startswith("head")}
    assert sorted(theirs.values()) == sorted(state)
    tensors = numbered({their: state[our] for their, our in theirs.items()})
    given = Given(tensors, Path("original"))
    made = conversion("inceptionv1", "torch", sign).convert(given)
    assert given.left == []
    assert {n: tuple(t.shape) for n, t in made.items()} == state
    for their, our in theirs.items():
        assert made[our].flatten()[0] == tensors[their].flatten()[0], our


LUCENT = {
    "1x1": "1x1",
    "3x3_bottleneck": "3x3_reduce",
    "3x3": "3x3",
    "5x5_bottleneck": "5x5_reduce",
    "5x5": "5x5",
    "pool_reduce": "pool_proj",
}


def test_lucents_port():
    names = {f"conv2d{n}_pre_relu_conv": f"conv2d{n}" for n in range(3)}
    names["softmax2_pre_activation_matmul"] = "softmax2"
    for block in BLOCKS:
        for their, our in LUCENT.items():
            names[f"mixed{block}_{their}_pre_relu_conv"] = f"mixed{block}.{our}"
    theirs = {f"{t}.{leaf}": f"{o}.{leaf}" for t, o in names.items() for leaf in ("weight", "bias")}
    trunk(theirs, "mixed3a_1x1_pre_relu_conv.weight")


def test_vgg_from_a_caffemodel():
    theirs = {}
    for name in state_of("vgg19_caffe"):
        layer, _, leaf = name.rpartition(".")
        layer = "fc8" if layer == "logits" else layer
        theirs[f"{layer}/{('weight', 'bias').index(leaf)}"] = name
    check("vgg19_caffe", "caffemodel", "conv5_4/0", theirs)


def test_vgg_from_caffe_tensorflow():
    """Shapes only: its first matrix alone has 100 million numbers."""
    layers = list(vgg19_caffe.weighted_layers())
    assert (layers[-3].shape, layers[-3].side) == ((4096, 25088), 7)
    tensors = {}
    with torch.device("meta"):
        for layer in layers:
            outputs, inputs, *window = layer.shape
            tensors[f"{layer.name}/weights"] = torch.empty(*window, inputs, outputs)
            tensors[f"{layer.name}/biases"] = torch.empty(outputs)
    given = Given(tensors, Path("VGG19.pb"))
    made = conversion("vgg19_caffe", "tf-graph", "conv5_4/weights").convert(given)
    assert given.left == []
    assert {n: tuple(t.shape) for n, t in made.items()} == state_of("vgg19_caffe")


def test_layouts_of_caffe_tensorflow():
    kernel = torch.arange(2.0 * 3 * 4 * 5).view(2, 3, 4, 5)  # y, x, input, output
    behind_map = torch.arange(2.0 * 2 * 3 * 5).view(12, 5)  # y * x * unit, output
    plain = torch.arange(15.0).view(3, 5)
    given = Given(
        {
            "a_b/weights": kernel,
            "a_b/biases": torch.zeros(5),
            "fc/weights": behind_map,
            "fc/biases": torch.zeros(5),
            "last/weights": plain,
            "last/biases": torch.ones(5),
        },
        Path("graph"),
    )
    weight, _ = caffe.from_tensorflow(given, caffe.CaffeLayer("a/b", (5, 4, 2, 3)))
    assert weight.shape == (5, 4, 2, 3)
    assert weight[1, 3, 0, 2] == kernel[0, 2, 3, 1]
    weight, _ = caffe.from_tensorflow(given, caffe.CaffeLayer("fc", (5, 12), side=2))
    unit, y, x = 2, 1, 0
    assert weight[4, unit * 4 + y * 2 + x] == behind_map[(y * 2 + x) * 3 + unit, 4]
    weight, bias = caffe.from_tensorflow(given, caffe.CaffeLayer("last", (5, 3)))
    assert torch.equal(weight, plain.T)
    assert bias[0] == 1
    with pytest.raises(WeightsError, match="expected"):
        caffe.from_caffe(Given({"conv/0": plain}, Path("x")), caffe.CaffeLayer("conv", (5, 4)))


def test_a_state_dict_of_lucents_is_taken_as_a_whole(no_weights, tmp_path):
    """From a file of the true form to weights in the user's folder."""
    card = cards()["inceptionv1"]
    state = {n: t for n, t in build(card).state_dict().items() if not n.startswith("head")}
    saved = {}
    for name, tensor in state.items():
        path, _, leaf = card.tensor_name(name).rpartition(".")
        module = "softmax2_pre_activation_matmul" if path == "softmax2" else f"{path}_pre_relu_conv"
        saved[f"{module}.{leaf}"] = tensor
    torch.save(saved, tmp_path / "inception5h.pth")
    imported = import_weights("inceptionv1", tmp_path / "inception5h.pth")
    assert (imported.form, imported.converted) == ("torch", True)
    kept = read(card, imported.path).tensors
    assert kept.keys() == {card.tensor_name(n) for n in state}
    expected = state["mixed4a.3x3_reduce.weight"].numpy().tobytes()
    assert bytes(kept["mixed4a_3x3_bottleneck.weight"].data) == expected


def test_an_npy_dictionary_has_the_names_that_alexnet_expects(tmp_path):
    """As guerzhoy's file: {layer: [weight, bias]}; here with a thousandth of the numbers."""
    layers = {
        name: [np.zeros((2, 3), np.float32), np.ones(3, np.float32)]
        for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
    }
    np.save(tmp_path / "bvlc_alexnet.npy", layers, allow_pickle=True)
    form, tensors = read_any(tmp_path / "bvlc_alexnet.npy")
    takes = conversion("alexnet", "npy", "conv1/0")
    assert form == takes.form
    asked = []

    class Asking(Given):
        def take(self, name, shape=None):
            asked.append(name)
            return torch.empty(0, device="meta").new_empty(shape)

    takes.convert(Asking(tensors, tmp_path))
    assert sorted(asked) == sorted(tensors)
