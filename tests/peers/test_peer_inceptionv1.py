"""Google's InceptionV1 against a plain re-statement of its graph's operations, at every node.

No library has this network as the graph has it. So it is written out once more with the graph's
constants in their own layouts and TensorFlow's padding and normalization as its manual defines
them: the network and the conversion of its weights have to be right both. GoogLeNet on Places is
compared with BVLC's.
"""

import pytest
import torch
import torch.nn.functional as F
from caffe_era import assert_same_nodes, converted, noise, windowed

from micrograph.models import cards
from micrograph.models.model import Model
from micrograph.networks import inceptionv1, inceptionv1_caffe
from micrograph.weights.building import build


def same(x, kernel, stride, fill):
    """Padding SAME, from the manual: as much as ceil(size / stride) outputs take, less at first."""
    for axis in (2, 3):
        size = x.shape[axis]
        outputs = (size + stride - 1) // stride
        total = max((outputs - 1) * stride + kernel - size, 0)
        first = total // 2
        shape = list(x.shape)
        shape[axis] = first
        before = x.new_full(shape, fill)
        shape[axis] = total - first
        x = torch.cat((before, x, x.new_full(shape, fill)), axis)
    return x


def max_pool(x, stride):
    windows = same(x, 3, stride, -torch.inf).unfold(2, 3, stride).unfold(3, 3, stride)
    return windows.amax((4, 5))


def lrn(x):
    return windowed(x, 11, 0.5, lambda s: 2 + 1e-4 * s)


def random_inception5h():
    """The graph's constants, by name, kernels [y, x, input, output]."""
    shapes = {"conv2d0": (7, 7, 3, 64), "conv2d1": (1, 1, 64, 64), "conv2d2": (3, 3, 64, 192)}
    inputs = 192
    for name, (one, r3, three, r5, five, pool) in inceptionv1.INCEPTION.items():
        shapes |= {
            f"mixed{name}_1x1": (1, 1, inputs, one),
            f"mixed{name}_3x3_bottleneck": (1, 1, inputs, r3),
            f"mixed{name}_3x3": (3, 3, r3, three),
            f"mixed{name}_5x5_bottleneck": (1, 1, inputs, r5),
            f"mixed{name}_5x5": (5, 5, r5, five),
            f"mixed{name}_pool_reduce": (1, 1, inputs, pool),
        }
        inputs = one + three + five + pool
    for number, units in ((0, 508), (1, 528)):
        shapes[f"head{number}_bottleneck"] = (1, 1, units, 128)
        shapes[f"nn{number}"] = (2048, 1024)
        shapes[f"softmax{number}"] = (1024, 1008)
    shapes["softmax2"] = (1024, 1008)
    found = {}
    for seed, (name, shape) in enumerate(shapes.items()):
        inputs = torch.Size(shape[:-1]).numel()
        found[f"{name}_w"] = noise(*shape, seed=seed) * (2 / inputs) ** 0.5
        found[f"{name}_b"] = noise(shape[-1], seed=seed + 99) * 0.5
    return found


def inception5h_written_out(constants, x, heads=True):
    """Every node, as the graph's operations are named."""
    seen = {}

    def conv(name, x, stride=1):
        hwio = constants[f"{name}_w"]
        padded = same(x, hwio.shape[0], stride, 0.0)
        made = F.conv2d(padded, hwio.permute(3, 2, 0, 1), constants[f"{name}_b"], stride)
        seen[name] = F.relu(made)
        return seen[name]

    def keep(name, value):
        seen[name] = value
        return value

    x = conv("conv2d0", x, 2)
    x = keep("localresponsenorm0", lrn(keep("maxpool0", max_pool(x, 2))))
    x = conv("conv2d2", conv("conv2d1", x))
    x = keep("maxpool1", max_pool(keep("localresponsenorm1", lrn(x)), 2))
    for block in inceptionv1.INCEPTION:
        name = f"mixed{block}"
        x = keep(
            name,
            torch.cat(
                (
                    conv(f"{name}_1x1", x),
                    conv(f"{name}_3x3", conv(f"{name}_3x3_bottleneck", x)),
                    conv(f"{name}_5x5", conv(f"{name}_5x5_bottleneck", x)),
                    conv(f"{name}_pool_reduce", keep(f"{name}_pool", max_pool(x, 1))),
                ),
                1,
            ),
        )
        if block in ("3b", "4e"):
            x = keep({"3b": "maxpool4", "4e": "maxpool10"}[block], max_pool(x, 2))
    for number, on in enumerate(("mixed4a", "mixed4d") if heads else ()):
        y = seen[on].unfold(2, 5, 3).unfold(3, 5, 3).mean((4, 5))
        y = conv(f"head{number}_bottleneck", keep(f"head{number}_pool", y))
        y = y.permute(0, 2, 3, 1).reshape(len(y), 2048)
        y = keep(f"nn{number}", F.relu(y @ constants[f"nn{number}_w"] + constants[f"nn{number}_b"]))
        y = y @ constants[f"softmax{number}_w"] + constants[f"softmax{number}_b"]
        keep(f"softmax{number}", y)
    x = keep("avgpool0", x.mean((2, 3)))
    keep("softmax2", x @ constants["softmax2_w"] + constants["softmax2_b"])
    return seen


@pytest.fixture(scope="module")
def inception5h():
    constants = random_inception5h()
    return constants, converted("inceptionv1", "tf-graph", "mixed3a_1x1_w", constants)


def test_inceptionv1_from_its_graph(inception5h):
    constants, model = inception5h
    images = noise(1, 3, 224, 224, seed=9) * 60
    assert_same_nodes(model, images, inception5h_written_out(constants, images))


def test_inceptionv1_at_odd_sizes(inception5h):
    constants, model = inception5h
    images = noise(1, 3, 131, 165, seed=9) * 60
    expected = inception5h_written_out(constants, images, heads=False)
    found = model.run(images, list(expected), preprocess=False)
    for node, values in expected.items():
        assert found[node].shape == values.shape, node
        assert (found[node] - values).abs().max() <= 1e-4 * values.abs().max(), node


def test_googlenet_of_places_is_bvlcs_with_other_classes():
    """That one agrees with Caffe's own blobs (tests/models/test_real_weights.py)."""
    card = cards()["inceptionv1_caffe_places365"]
    places = Model(card, build(card), "")
    bvlc = Model(cards()["inceptionv1_caffe"], inceptionv1_caffe.build(), "")
    state = places.module.state_dict()
    state["loss3_classifier.weight"] = F.pad(state["loss3_classifier.weight"], (0, 0, 0, 635))
    state["loss3_classifier.bias"] = F.pad(state["loss3_classifier.bias"], (0, 635))
    bvlc.module.load_state_dict(state)
    images = noise(1, 3, 224, 224) * 60
    expected = bvlc.run(images, list(bvlc.nodes), preprocess=False)
    found = places.run(images, list(places.nodes), preprocess=False)
    assert expected.keys() == found.keys()
    for node, values in expected.items():
        assert torch.allclose(found[node], values[:, : found[node].shape[1]], atol=1e-6), node
