"""ResNet-50 v2 of TF-slim as a table, and its weights out of original files."""

from torch import Tensor, nn

from micrograph.cards.zoo.resnetv2_50_slim import SCOPE
from micrograph.networks.slim import files
from micrograph.networks.slim.resnet import ResNet
from micrograph.weights.conversion import Given

#         width, units; they give 4 times the width, at a side of 28, 14, 7, 7
BLOCKS = {"block1": (64, 3), "block2": (128, 4), "block3": (256, 6), "block4": (512, 3)}


def build() -> nn.Module:
    """The network with random weights; RGB in -1..1 to logits [batch, 1001]."""
    return ResNet(BLOCKS, 1001).eval()


def from_slim(given: Given) -> dict[str, Tensor]:
    """Out of slim's checkpoint or frozen graph."""
    return files.resnet_from_slim(given, SCOPE, BLOCKS)
