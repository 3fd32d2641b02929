"""The networks of TF-slim against timm's and Keras', at every node, with random weights and norms.

timm and Keras hand their weights over: timm through the card's own conversion, Keras layer by layer
in the order of definition. Where a peer pads otherwise than TF-slim, it is corrected here.
"""

import functools
import re
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from micrograph.cards import card
from micrograph.models.model import Model
from micrograph.networks import inceptionv3_slim, inceptionv4_slim, resnetv2_50_slim
from micrograph.networks.slim import files
from micrograph.weights.building import build
from micrograph.weights.conversion import Given
from micrograph.weights.formats import WeightsError

IMAGES = torch.rand(1, 3, 299, 299, generator=torch.Generator().manual_seed(0)) * 2 - 1


def close(ours: torch.Tensor, theirs: torch.Tensor, node: str) -> None:
    """Largest difference at most 1e-4 of the largest value."""
    assert ours.shape == theirs.shape, node
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max(), node


def model_of(name: str, tensors: dict[str, torch.Tensor]) -> Model:
    module = build(card(name))
    module.load_state_dict(tensors, strict=True)
    return Model(card(name), module, "")


def randomize(net: nn.Module) -> None:
    """Random statistics in every norm, and convolutions under which values keep their size."""
    torch.manual_seed(1)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)


def run_peer(net: nn.Module, images: torch.Tensor) -> dict[str, torch.Tensor]:
    """The output of every module by path."""
    found = {}
    hooks = [
        m.register_forward_hook(lambda _, __, out, path=path: found.__setitem__(path, out.clone()))
        for path, m in net.named_modules()
        if path
    ]
    with torch.no_grad():
        net(images)
    for hook in hooks:
        hook.remove()
    return found


V4_BLOCKS = (
    [f"Mixed_{b}" for b in ("3a", "4a", "5a")]
    + [f"Mixed_5{b}" for b in "bcde"]
    + [f"Mixed_6{b}" for b in "abcdefgh"]
    + [f"Mixed_7{b}" for b in "abcd"]
)


@pytest.fixture(scope="module", params=[inceptionv3_slim, inceptionv4_slim])
def timm_pair(request, peer):
    """timm's network with random weights and ours with the same, converted; and the paths."""
    zoo = request.param
    timm = peer("timm")
    if zoo is inceptionv3_slim:
        net = timm.create_model("inception_v3", aux_logits=False).eval()
        blocks = {name: name for name in net._modules if name.startswith("Mixed")}
        logits = "fc"
    else:
        net = timm.create_model("inception_v4").eval()
        blocks = {name: f"features.{3 + n}" for n, name in enumerate(V4_BLOCKS)}
        logits = "last_linear"
    randomize(net)
    return zoo, net, zoo.timm_names() | blocks, logits


def _id(network) -> str:
    """Modules of networks have their cards' ids as names."""
    return network.__name__.rpartition(".")[2]


def converted(zoo, net: nn.Module) -> dict[str, torch.Tensor]:
    conversion = next(c for c in card(_id(zoo)).conversions if c.form == "safetensors")
    given = Given(net.state_dict(), Path("model.safetensors"))
    assert conversion.sign in given
    tensors = conversion.convert(given)
    assert [n for n in given.left if not any(fnmatch(n, p) for p in conversion.ignore)] == []
    return tensors


def test_every_node_equals_timm(timm_pair, monkeypatch):
    zoo, net, paths, logits = timm_pair
    average = F.avg_pool2d
    with monkeypatch.context() as patch:
        if zoo is inceptionv3_slim:  # timm's mean counts the padding, TensorFlow's does not
            excluding = functools.partial(average, count_include_pad=False)
            patch.setattr(F, "avg_pool2d", excluding)
        theirs = run_peer(net, IMAGES)
    ours = model_of(_id(zoo), converted(zoo, net))
    with torch.no_grad():
        found = ours.run(IMAGES, [*paths, "logits"], preprocess=False)
    for node, path in paths.items():
        close(found[node], theirs[path], node)
    close(found["logits"][:, 1:], theirs[logits], "logits")
    assert found["logits"][0, 0] == 0
    convolutions = {n.id for n in ours.nodes.values() if n.kind in ("conv", "inception")}
    assert convolutions == set(paths)


def test_another_training_is_refused(timm_pair):
    zoo, net, _, _ = timm_pair
    state = net.state_dict()
    norm = next(n for n in state if n.endswith("bn.weight"))
    state[norm] = state[norm] * 1.5
    with pytest.raises(WeightsError, match=r"another training.*tf_in1k"):
        zoo.from_timm(Given(state, Path("tv.safetensors")))


def keras_variables(net) -> dict[str, torch.Tensor]:
    """Keras' variables by `layer/variable`; norms get random values first."""
    random = np.random.RandomState(2)
    found = {}
    for layer in net.layers:
        for variable in layer.weights:
            if variable.name in ("gamma", "moving_variance"):
                variable.assign(random.uniform(0.5, 1.5, variable.shape))
            elif variable.name in ("beta", "moving_mean", "bias"):
                variable.assign(random.normal(0, 0.2, variable.shape))
            found[f"{layer.name}/{variable.name}"] = variable.value.detach().clone()
    return found


def run_keras(net, images: torch.Tensor) -> dict[str, torch.Tensor]:
    """[batch, unit, y, x] to the same of every output by name."""
    with torch.no_grad():
        found = net(images.movedim(1, -1))
    return {name: t.movedim(-1, 1) for name, t in found.items()}


def test_inceptionv3_equals_keras(peer):
    keras = peer("keras")
    keras.backend.clear_session()  # names of layers are counted from 0 again
    keras.utils.set_random_seed(0)
    net = keras.applications.InceptionV3(weights=None, classes=1001, classifier_activation=None)
    stored = keras_variables(net)
    given, pairs = {}, {"logits": "predictions"}
    for number, ours in enumerate(inceptionv3_slim.timm_names()):  # defined in the same order
        end = f"_{number}" if number else ""
        scope = f"InceptionV3/{ours.replace('.', '/')}"
        given[f"{scope}/weights"] = stored.pop(f"conv2d{end}/kernel")
        for leaf in files.SLIM_NORM[1:]:
            given[f"{scope}/BatchNorm/{leaf}"] = stored.pop(f"batch_normalization{end}/{leaf}")
        pairs[ours] = f"activation{end}"
    given["InceptionV3/Logits/Conv2d_1c_1x1/weights"] = stored.pop("predictions/kernel")
    given["InceptionV3/Logits/Conv2d_1c_1x1/biases"] = stored.pop("predictions/bias")
    assert not stored
    blocks = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")
    pairs |= {f"Mixed_{block}": f"mixed{number}" for number, block in enumerate(blocks)}
    tensors = inceptionv3_slim.from_slim(Given(given, Path("keras")))
    model = model_of("inceptionv3_slim", tensors)
    every = keras.Model(net.input, {layer.name: layer.output for layer in net.layers})
    theirs = run_keras(every, IMAGES)
    with torch.no_grad():
        found = model.run(IMAGES, list(pairs), preprocess=False)
    for node, name in pairs.items():
        close(found[node], theirs[name], node)


PARTS = {"preact_bn": "preact", "0_conv": "shortcut", "1_bn": "conv1/BatchNorm"}
PARTS |= {"2_bn": "conv2/BatchNorm", "1_conv": "conv1", "2_conv": "conv2", "3_conv": "conv3"}
NODES = {"preact_relu": "preact", "0_conv": "shortcut", "1_relu": "conv1", "2_relu": "conv2"}
NODES |= {"3_conv": "conv3", "out": "add"}
ENDS = {"post_relu": "postnorm", "avg_pool": "global_pool", "predictions": "logits"}
ENDS |= {"max_pooling2d": "block1.unit3.shortcut", "max_pooling2d_1": "block2.unit4.shortcut"}
ENDS |= {"max_pooling2d_2": "block3.unit6.shortcut"}


@pytest.mark.parametrize("size", [224, 189])
def test_resnetv2_equals_keras(peer, size):
    """Keras pads its first pool by a zero on every side, slim as TensorFlow's SAME does: so Keras
    is entered behind that pool, with our values."""
    keras = peer("keras")
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    net = keras.applications.ResNet50V2(
        weights=None, classes=1001, classifier_activation=None, input_shape=(size, size, 3)
    )
    given = {}
    for name, value in keras_variables(net).items():
        layer, _, leaf = name.partition("/")
        match = re.fullmatch(r"conv(\d)_block(\d)_(\w+)", layer)
        if match:
            scope = f"block{int(match[1]) - 1}/unit_{match[2]}/bottleneck_v2/{PARTS[match[3]]}"
        else:
            scope = {"conv1_conv": "conv1", "post_bn": "postnorm", "predictions": "logits"}[layer]
        leaf = {"kernel": "weights", "bias": "biases"}.get(leaf, leaf)
        given[f"resnet_v2_50/{scope}/{leaf}"] = value
    tensors = resnetv2_50_slim.from_slim(Given(given, Path("keras")))
    model = model_of("resnetv2_50_slim", tensors)
    images = IMAGES[:, :, :size, :size]
    with torch.no_grad():
        found = model.run(images, list(model.nodes), preprocess=False)

    pool = net.layers.index(net.get_layer("pool1_pool"))
    first = keras.Model(net.input, {"conv1": net.get_layer("conv1_conv").output})
    close(found["conv1"], run_keras(first, images)["conv1"], "conv1")
    behind = {layer.name: layer.output for layer in net.layers[pool + 1 :]}
    theirs = run_keras(keras.Model(net.layers[pool].output, behind), found["pool1"])
    compared = {"conv1", "pool1"}
    for name, value in theirs.items():
        match = re.fullmatch(r"conv(\d)_block(\d)_(\w+)", name)
        node = ENDS.get(name, "")
        if match and match[3] in NODES:
            node = f"block{int(match[1]) - 1}.unit{match[2]}.{NODES[match[3]]}"
        if node:
            close(found[node], value, node)
            compared.add(node)
    assert compared == set(model.nodes)
