"""The toytown network as its card names it."""

from torch import nn

from micrograph.organisms.toytown import network


def build() -> nn.Module:
    """The network with random weights; normalized RGB to logits [batch, class]."""
    return network.build().eval()
