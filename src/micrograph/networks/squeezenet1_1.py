"""SqueezeNet 1.1 as a module."""

from torch import nn

from micrograph.cards.zoo.squeezenet1_1 import FIRES
from micrograph.networks import layers

POOL_AFTER = (3, 5)


def build() -> nn.Module:
    """The network with random weights; normalized RGB to logits [batch, 1000]."""
    net = nn.Sequential()
    net.add_module("conv0", layers.ConvReLU(3, 64, 3, stride=2, padding=0))
    net.add_module("pool1", nn.MaxPool2d(3, stride=2))
    units = 64
    for number, (squeeze, expand) in FIRES.items():
        net.add_module(f"fire{number}", layers.Fire(units, squeeze, expand))
        units = 2 * expand
        if number in POOL_AFTER:
            net.add_module(f"pool{number}", nn.MaxPool2d(3, stride=2))
    net.add_module("conv25", layers.ConvReLU(units, 1000, 1))
    net.add_module("logits", layers.GlobalAverage())
    return net.eval()
