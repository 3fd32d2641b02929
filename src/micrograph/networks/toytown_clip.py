"""The toytown pair as its card names it."""

from torch import nn

from micrograph.cards.text import TextTower
from micrograph.organisms.toytown_clip.captions import vocabulary
from micrograph.organisms.toytown_clip.network import ToyTownClip
from micrograph.organisms.toytown_clip.tower import WordTower


def build() -> nn.Module:
    """Both networks with random weights; normalized RGB to vectors [batch, 128]."""
    return ToyTownClip(len(vocabulary())).eval()


def text(module: nn.Module) -> TextTower:
    """The text tower of the network."""
    assert isinstance(module, ToyTownClip)
    return WordTower(module.text, vocabulary())
