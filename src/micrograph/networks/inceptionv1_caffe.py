"""BVLC's GoogLeNet as a module, and its weights out of original files."""

from collections.abc import Iterator

from torch import Tensor, nn

from micrograph.networks import caffe, inception, layers
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


def build() -> nn.Module:
    """The network with random weights; BGR in 0..255 minus the mean to logits [batch, 1000]."""
    return network(1000)


def network(classes: int) -> nn.Module:
    """The same for any number of classes."""
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


def weighted_layers(classes: int) -> Iterator[tuple[str, caffe.CaffeLayer]]:
    """The modules that have weights, and what Caffe calls them."""
    yield "conv1_7x7_s2", caffe.CaffeLayer("conv1/7x7_s2", (64, 3, 7, 7))
    yield "conv2_3x3_reduce", caffe.CaffeLayer("conv2/3x3_reduce", (64, 64, 1, 1))
    yield "conv2_3x3", caffe.CaffeLayer("conv2/3x3", (192, 64, 3, 3))
    for block, branch, shape in inception.convolutions(192, INCEPTION):
        name = f"inception_{block}"
        yield f"{name}.{branch}", caffe.CaffeLayer(f"{name}/{branch}", shape)
    yield "loss3_classifier", caffe.CaffeLayer("loss3/classifier", (classes, 1024))


def convert(take: caffe.Take, classes: int, given: Given) -> dict[str, Tensor]:
    """Our tensors out of a file that `take` can read."""
    found = {}
    for path, layer in weighted_layers(classes):
        found[f"{path}.weight"], found[f"{path}.bias"] = take(given, layer)
    return found


def from_caffemodel(given: Given) -> dict[str, Tensor]:
    """Out of BVLC's `.caffemodel`."""
    return convert(caffe.from_caffe, 1000, given)
