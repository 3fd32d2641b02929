"""Both AlexNets against plain re-statements of their definitions, at every node.

No library has these networks. So each is written out once more, as BVLC's `bvlc_alexnet` and
CSAIL's `deploy_alexnet_places365` prototxt say (the first with Lucid's normalization), on the
tensors of the original file in its layout: the network and the conversion of its weights have to be
right both.
"""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from caffe_era import assert_same_nodes, converted, noise, windowed

from micrograph.networks import alexnet, caffe
from micrograph.weights.conversion import Given


def caffe_conv_side(side, kernel, stride, pad):
    return (side + 2 * pad - kernel) // stride + 1


def caffe_pool_side(side, kernel, stride):
    return -(-(side - kernel) // stride) + 1


@pytest.fixture(scope="module")
def blobs():
    """Kernels [output, input / groups, y, x], as Caffe stores them."""
    shapes = {
        "conv1": (96, 3, 11, 11),
        "conv2": (256, 48, 5, 5),
        "conv3": (384, 256, 3, 3),
        "conv4": (384, 192, 3, 3),
        "conv5": (256, 192, 3, 3),
        "fc6": (4096, 9216),
        "fc7": (4096, 4096),
        "fc8": (1000, 4096),
    }
    found = {}
    for seed, (name, shape) in enumerate(shapes.items()):
        inputs = torch.Size(shape[1:]).numel()
        found[f"{name}/0"] = noise(*shape, seed=seed) * (2 / inputs) ** 0.5
        found[f"{name}/1"] = noise(shape[0], seed=seed + 50) * 0.5
    return found


@pytest.fixture(scope="module")
def places_blobs(blobs):
    """The same with 365 classes."""
    return blobs | {name: blobs[name][:365] for name in ("fc8/0", "fc8/1")}


def alexnet_written_out(blobs, x, alpha, pool_first):
    """Every node. `alpha` is Caffe's: divided by the size of the window, 5."""
    seen = {}

    def norm(number, x):
        seen[f"norm{number}"] = windowed(x, 5, 0.75, lambda s: 1 + alpha / 5 * s)
        return seen[f"norm{number}"]

    def pool(number, x):
        side = caffe_pool_side(x.shape[2], 3, 2)
        padded = F.pad(x, (0, 2, 0, 2), value=-torch.inf)
        windows = padded.unfold(2, 3, 2).unfold(3, 3, 2)[:, :, :side, :side]
        seen[f"pool{number}"] = windows.amax((4, 5))
        return seen[f"pool{number}"]

    for number, (stride, pad, groups) in enumerate(
        [(4, 0, 1), (1, 2, 2), (1, 1, 1), (1, 1, 2), (1, 1, 2)], 1
    ):
        name = f"conv{number}"
        weight, bias = blobs[f"{name}/0"], blobs[f"{name}/1"]
        side = caffe_conv_side(x.shape[2], weight.shape[2], stride, pad)
        linear = F.conv2d(x, weight, None, stride, pad, groups=groups)
        assert linear.shape[2] == side
        seen[f"{name}_linear"] = linear
        if groups == 2:
            seen[f"{name}_a"], seen[f"{name}_b"] = linear.tensor_split(2, 1)
        x = seen[name] = F.relu(F.conv2d(x, weight, bias, stride, pad, groups=groups))
        if number in (1, 2):
            x = norm(number, pool(number, x)) if pool_first else pool(number, norm(number, x))
        if number == 5:
            x = pool(number, x)
    x = x.flatten(1)
    x = seen["fc6"] = F.relu(x @ blobs["fc6/0"].T + blobs["fc6/1"])
    x = seen["fc7"] = F.relu(x @ blobs["fc7/0"].T + blobs["fc7/1"])
    seen["logits"] = x @ blobs["fc8/0"].T + blobs["fc8/1"]
    return seen


def as_tensorflow(blobs, order=("{}/{}", "0", "1")):
    """The same tensors as caffe-tensorflow stores them: HWIO, and maps read as y, x, unit."""
    found = {}
    for name, tensor in blobs.items():
        layer, _, number = name.partition("/")
        if tensor.ndim == 4:
            tensor = tensor.permute(2, 3, 1, 0)
        elif layer == "fc6" and number == "0":
            tensor = tensor.view(4096, 256, 6, 6).permute(2, 3, 1, 0).reshape(9216, 4096)
        elif number == "0":
            tensor = tensor.T
        found[order[0].format(layer, order[1 + int(number)])] = tensor
    return found


def test_alexnet_from_its_npy_dictionary(blobs):
    model = converted("alexnet", "npy", "conv1/0", as_tensorflow(blobs))
    images = noise(1, 3, 227, 227, seed=9) * 60
    assert_same_nodes(model, images, alexnet_written_out(blobs, images, 5e-5, pool_first=False))


def test_alexnet_of_places_from_its_caffemodel(places_blobs):
    blobs = places_blobs
    # Old files have four axes everywhere.
    legacy = {n: t.view((1,) * (4 - t.ndim) + t.shape) for n, t in blobs.items()}
    model = converted("alexnet_caffe_places365", "caffemodel", "conv1/0", legacy)
    images = noise(1, 3, 227, 227, seed=9) * 60
    assert_same_nodes(model, images, alexnet_written_out(blobs, images, 1e-4, pool_first=True))


def test_the_other_files_of_the_alexnets_hold_the_same(places_blobs):
    blobs = places_blobs
    graph = as_tensorflow(blobs, ("{}/{}", "weights", "biases"))
    one = alexnet.convert(caffe.from_caffe, 365, Given(blobs, Path("a")))
    two = alexnet.convert(caffe.from_tensorflow, 365, Given(graph, Path("b")))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
