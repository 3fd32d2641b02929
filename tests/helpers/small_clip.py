"""A CLIP ResNet small enough for tests, with everything that the large ones have."""

import gzip
from dataclasses import replace
from functools import partial

import torch

from micrograph.cards.zoo import _clip
from micrograph.cards.zoo._clip_shape import Shape
from micrograph.models import ModelCard, cards
from micrograph.models.model import Model
from micrograph.networks.clip.tokenizer import Tokenizer
from micrograph.weights.building import build

SHAPE = Shape(width=8, blocks=(2, 1, 2, 2), size=64, dimensions=12, text_width=64)

PAIRS = [("t", "h"), ("th", "e</w>"), ("c", "a"), ("ca", "t</w>"), ("d", "o"), ("do", "g</w>")]
"""the, cat, dog."""


def card(id: str = "contrastive_small") -> ModelCard:
    """The card of a small relative."""
    made = cards()["contrastive_rn50"]
    return replace(
        made,
        id=id,
        build=partial(_clip.BUILD, SHAPE),
        preprocessing=_clip.preprocessing(SHAPE.size),
        conversions=_clip.conversions(SHAPE),
        digest="",
        parameters=0,
    )


def shaken() -> Model:
    """With norms and biases that do something."""
    module = build(card())
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5, generator=generator)
            elif tensor.ndim == 1:
                tensor.normal_(0.2, 0.3, generator=generator)
    return Model(card(), module, "")


def tokenizer() -> Tokenizer:
    """One that knows three words."""
    return Tokenizer(PAIRS)


def as_file() -> bytes:
    """A file like OpenAI's."""
    return gzip.compress(("#version\n" + "\n".join(map(" ".join, PAIRS))).encode())
