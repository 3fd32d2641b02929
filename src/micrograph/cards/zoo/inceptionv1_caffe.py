"""GoogLeNet as trained by BVLC in Caffe on ImageNet (Szegedy et al. 2014), without auxiliary heads.

Node ids are Caffe's names with `_` for `/`. A convolution's node is its value after the ReLU, which
Caffe computes in place. Padding, ceil-mode pooling and the order of norm and pool are Caffe's.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from micrograph.cards.model_card import Conversion, ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import _caffe, _inception
from micrograph.cards.zoo._imagenet import CLASSES

if TYPE_CHECKING:
    from torch import Tensor, nn

    from micrograph.weights.conversion import Given

#            1x1, 3x3r, 3x3, 5x5r, 5x5, pool_proj
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def build() -> "nn.Module":
    """The network with random weights; BGR in 0..255 minus the mean to logits [batch, 1000]."""
    return network(1000)


def network(classes: int) -> "nn.Module":
    """The same for any number of classes."""
    from torch import nn

    from micrograph.networks import layers

    net = nn.Sequential()

    def pool(name: str) -> None:
        net.add_module(name, nn.MaxPool2d(3, stride=2, ceil_mode=True))

    net.add_module("conv1_7x7_s2", layers.ConvReLU(3, 64, 7, stride=2))
    pool("pool1_3x3_s2")
    net.add_module("pool1_norm1", layers.LocalResponseNorm(64))
    net.add_module("conv2_3x3_reduce", layers.ConvReLU(64, 64, 1))
    net.add_module("conv2_3x3", layers.ConvReLU(64, 192, 3))
    net.add_module("conv2_norm2", layers.LocalResponseNorm(192))
    pool("pool2_3x3_s2")
    units = 192
    for name, widths in INCEPTION.items():
        block = layers.Inception(units, widths)
        net.add_module(f"inception_{name}", block)
        units = block.outputs
        if name in ("3b", "4e"):
            pool(f"pool{name[0]}_3x3_s2")
    net.add_module("pool5_7x7_s1", layers.GlobalAverage())
    net.add_module("loss3_classifier", nn.Linear(units, classes))
    return net.eval()


def node_id(path: str) -> str:
    """`inception_4c.3x3_reduce` is `inception_4c_3x3_reduce`."""
    return path.replace(".", "_")


def tensor_name(parameter: str) -> str:
    """`inception_4c.3x3_reduce.weight` is stored as `inception_4c_3x3_reduce.weight`."""
    path, _, leaf = parameter.rpartition(".")
    return f"{node_id(path)}.{leaf}"


_FIRST = {
    "conv1_7x7_s2": ("conv2d0", "conv1"),
    "conv2_3x3_reduce": ("conv2d1", "conv2_reduce"),
    "conv2_3x3": ("conv2d2", "conv2"),
    "loss3_classifier": ("logits", "softmax2"),
}


def aliases(node: str) -> tuple[str, ...]:
    """Short forms and Lucid's names: `4c_3x3_reduce`, `mixed4c_3x3_bottleneck`, `conv2d2`."""
    match = re.fullmatch(r"inception_(\d[a-e])(_\w+)?", node)
    if match is None:
        return _FIRST.get(node, ())
    block, branch = match[1], match[2] or ""
    lucid = branch.replace("_reduce", "_bottleneck").replace("_pool_proj", "_pool_reduce")
    names = [block + branch, f"mixed{block}{lucid}", f"mixed{block}{branch}", block + lucid]
    if not branch:
        names.append(f"{node}_output")
    return tuple(dict.fromkeys(names))


def weighted_layers(classes: int) -> Iterator[tuple[str, _caffe.Layer]]:
    """The modules that have weights, and what Caffe calls them."""
    yield "conv1_7x7_s2", _caffe.Layer("conv1/7x7_s2", (64, 3, 7, 7))
    yield "conv2_3x3_reduce", _caffe.Layer("conv2/3x3_reduce", (64, 64, 1, 1))
    yield "conv2_3x3", _caffe.Layer("conv2/3x3", (192, 64, 3, 3))
    for block, branch, shape in _inception.convolutions(192, INCEPTION):
        name = f"inception_{block}"
        yield f"{name}.{branch}", _caffe.Layer(f"{name}/{branch}", shape)
    yield "loss3_classifier", _caffe.Layer("loss3/classifier", (classes, 1024))


def convert(take: _caffe.Take, classes: int, given: "Given") -> "dict[str, Tensor]":
    """Our tensors out of a file that `take` can read."""
    found = {}
    for path, layer in weighted_layers(classes):
        found[f"{path}.weight"], found[f"{path}.bias"] = take(given, layer)
    return found


AUXILIARY = ("loss1/*", "loss2/*")
"""Layers of the two heads that only training needs."""

CARD = ModelCard(
    id="inceptionv1_caffe",
    title="InceptionV1 (Caffe)",
    summary="GoogLeNet, the winner of ImageNet 2014, as trained by BVLC in Caffe. "
    "Its units differ from those of Google's own InceptionV1, which OpenAI Microscope showed.",
    build=build,
    preprocessing=Preprocessing(
        size=224,
        resize=256,
        scale=255.0,
        mean=(104.00699, 116.66877, 122.67891),
        channel_order="BGR",
        interpolation="bicubic",
    ),
    digest="52872c72f7860412a3c63b255eef88dc4d6517e8cb499e624d44754f1528fa97",
    parameters=6_998_552,
    labels=CLASSES,
    paper="Szegedy et al., Going Deeper with Convolutions, 2014",
    paper_url="https://arxiv.org/abs/1409.4842",
    licence="BVLC model zoo: unrestricted use",
    lineage="BVLC GoogLeNet (Caffe), without auxiliary heads, converted to OIHW fp32",
    sources=(
        WeightsSource(
            title="GoogleNet_MATLAB, the BVLC parameters as arrays",
            url="https://github.com/mtmd/GoogleNet_MATLAB",
            note="116 arrays in Params/; the repository states no licence",
        ),
        WeightsSource(
            title="BVLC GoogLeNet, the original in Caffe's format",
            url="http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel",
            licence="BVLC model zoo: unrestricted use",
        ),
    ),
    file_names=("googlenet_bvlc",),
    node_id=node_id,
    tensor_name=tensor_name,
    aliases=aliases,
    conversions=(
        Conversion(
            "caffemodel", partial(convert, _caffe.from_caffe, 1000), "conv1/7x7_s2/0", AUXILIARY
        ),
    ),
)
