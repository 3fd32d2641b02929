"""A CLIP ResNet as its card names it, and its weights out of original files."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from micrograph.cards.text import TextTower
from micrograph.cards.zoo import _clip_names as names
from micrograph.cards.zoo._clip_shape import Shape
from micrograph.networks.clip import vocabulary
from micrograph.networks.clip.resnet import Clip
from micrograph.networks.clip.tokenizer import Tokenizer
from micrograph.networks.clip.tower import ClipTower
from micrograph.weights.conversion import Given


def build(shape: Shape) -> nn.Module:
    """Both networks with random weights; normalized RGB to vectors [batch, dimension]."""
    return Clip(shape).eval()


def text(module: nn.Module) -> TextTower | None:
    """The text tower, None where the weights have the image tower only.

    Raises Unavailable, saying what to do, where the tokenizer's file is missing.
    """
    assert isinstance(module, Clip)
    if module.text is None:
        return None
    return ClipTower(module.text, Tokenizer(vocabulary.read(vocabulary.find())))


def _state(shape: Shape) -> list[str]:
    """Names of the tensors of our network."""
    with torch.device("meta"):  # takes no memory
        return list(build(shape).state_dict())


def _take(given: Given, called: Callable[[str], str], state: list[str]) -> dict[str, Tensor]:
    return {name: given.take(called(name)).float() for name in state}


def from_openai(given: Given, shape: Shape) -> dict[str, Tensor]:
    """OpenAI's tensors, which open_clip calls the same, in half or full precision.

    A file without any of the text tower's gives the image tower alone.
    """
    state = _state(shape)
    if names.openai("text.output") not in given:
        state = [name for name in state if not name.startswith("text.")]
    return _take(given, names.openai, state)


def from_timm(given: Given, shape: Shape) -> dict[str, Tensor]:
    """The image tower from timm."""
    state = [name for name in _state(shape) if not name.startswith("text.")]
    return _take(given, names.timm, state)
