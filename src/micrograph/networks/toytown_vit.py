"""The toytown transformer as its card names it."""

from torch import nn

from micrograph.organisms.toytown_vit import network


def build() -> nn.Module:
    """The network with random weights; normalized RGB to logits [batch, class]."""
    return network.build().eval()
