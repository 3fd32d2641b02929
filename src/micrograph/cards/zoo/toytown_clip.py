"""The contrastive pair: toytown's pictures and their captions in one space; ships with us."""

from typing import TYPE_CHECKING

from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.cards.zoo import toytown
from micrograph.organisms.toytown_clip.captions import vocabulary

if TYPE_CHECKING:
    from torch import nn

    from micrograph.cards.text import TextTower


def build() -> "nn.Module":
    """Both networks with random weights; normalized RGB to vectors [batch, 128]."""
    from micrograph.organisms.toytown_clip.network import ToyTownClip

    return ToyTownClip(len(vocabulary())).eval()


def text(module: "nn.Module") -> "TextTower":
    """The text tower of the network."""
    from micrograph.organisms.toytown_clip.network import ToyTownClip
    from micrograph.organisms.toytown_clip.tower import WordTower

    assert isinstance(module, ToyTownClip)
    return WordTower(module.text, vocabulary())


def node_id(path: str) -> str | None:
    """As in toytown; inside the pooling nothing is a place of its own."""
    return None if path.startswith("pooled.") else toytown.node_id(path)


CARD = ModelCard(
    id="toytown_clip",
    title="Toytown CLIP",
    summary="A small contrastive pair: toytown's trunk with attention pooling, and a text tower, "
    "trained on toytown's pictures and true captions of them.",
    build=build,
    preprocessing=toytown.CARD.preprocessing,
    digest="2cf2c0b0af5941bead9d232ff596c165679f0f5f64ed14a65a478bb20aad6230",
    parameters=1_286_077,
    licence="Apache-2.0",
    lineage="trunk from toytown, trained on by micrograph.organisms.toytown_clip.train on pictures "
    "and captions of our own generator",
    sources=(WeightsSource(title="ships with Micrograph"),),
    bundled="organisms/toytown_clip/weights.safetensors",
    node_id=node_id,
    aliases=toytown.aliases,
    text=text,
)
