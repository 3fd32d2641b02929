"""AlexNet and CaffeNet as modules, and their weights out of original files."""

from collections.abc import Iterator

from torch import Tensor, nn

from micrograph.cards.zoo.alexnet import CONVS
from micrograph.networks import caffe, layers
from micrograph.weights.conversion import Given

SIDE = 6
"""Of the map before fc6, on pictures of 227 px."""


def build() -> nn.Module:
    """The network with random weights; BGR in 0..255 minus the mean to logits [batch, 1000]."""
    return network(1000)


def network(
    classes: int, alpha: float = 5e-5, pool_first: bool = False, ceil: bool = False
) -> nn.Module:
    """AlexNet or, with the pool before the norm, CaffeNet. `alpha` is divided by the size of the
    window; `ceil` lets pools look over the edge."""
    net = nn.Sequential()

    def pool(number: int) -> None:
        net.add_module(f"pool{number}", nn.MaxPool2d(3, stride=2, ceil_mode=ceil))

    for number, (name, (inputs, units, kernel, groups)) in enumerate(CONVS.items(), 1):
        linear: nn.Module
        if groups == 2:
            linear = layers.Halves(inputs, units, kernel)
        else:
            stride, padding = (4, 0) if number == 1 else (1, kernel // 2)
            linear = nn.Conv2d(inputs, units, kernel, stride, padding, bias=False)
        net.add_module(name, layers.ShiftedReLU(linear, units))
        if number in (1, 2):
            if pool_first:
                pool(number)
            net.add_module(f"norm{number}", layers.LocalResponseNorm(units, alpha=alpha))
        if number in (1, 2, 5) and not (pool_first and number < 5):
            pool(number)
    net.add_module("flatten", layers.Flatten(SIDE))
    net.add_module("fc6", layers.LinearReLU(256 * SIDE**2, 4096))
    net.add_module("fc7", layers.LinearReLU(4096, 4096))
    net.add_module("logits", nn.Linear(4096, classes))
    return net.eval()


def weighted_layers(classes: int) -> Iterator[caffe.CaffeLayer]:
    """The layers of Caffe's file."""
    for name, (inputs, units, kernel, groups) in CONVS.items():
        yield caffe.CaffeLayer(name, (units, inputs // groups, kernel, kernel))
    yield caffe.CaffeLayer("fc6", (4096, 256 * SIDE**2), SIDE)
    yield caffe.CaffeLayer("fc7", (4096, 4096))
    yield caffe.CaffeLayer("fc8", (classes, 4096))


def convert(take: caffe.Take, classes: int, given: Given) -> dict[str, Tensor]:
    """Our tensors out of a file that `take` can read."""
    found: dict[str, Tensor] = {}
    for layer in weighted_layers(classes):
        weight, bias = take(given, layer)
        if layer.name not in CONVS:
            name = "logits" if layer.name == "fc8" else layer.name
            found |= {f"{name}.weight": weight, f"{name}.bias": bias}
            continue
        groups = CONVS[layer.name][3]
        halves = zip(
            ("linear",) if groups == 1 else ("linear.a", "linear.b"),
            weight.chunk(groups),
            strict=True,
        )
        found |= {f"{layer.name}.{half}.weight": part.contiguous() for half, part in halves}
        found[f"{layer.name}.shift.bias"] = bias
    return found


def from_npy(given: Given) -> dict[str, Tensor]:
    """Out of guerzhoy's `bvlc_alexnet.npy`."""
    return convert(caffe.from_numbered, 1000, given)


def from_caffemodel(given: Given) -> dict[str, Tensor]:
    """Out of BVLC's `.caffemodel`."""
    return convert(caffe.from_caffe, 1000, given)


def from_graph(given: Given) -> dict[str, Tensor]:
    """Out of Lucid's frozen graph."""
    return convert(caffe.from_tensorflow, 1000, given)
