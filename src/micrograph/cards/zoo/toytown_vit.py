"""The vision transformer on toytown's pictures; its weights ship with us."""

from typing import TYPE_CHECKING

from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.cards.zoo import toytown
from micrograph.organisms.toytown.scenes import CLASSES

if TYPE_CHECKING:
    from torch import nn


def build() -> "nn.Module":
    """The network with random weights; normalized RGB to logits [batch, class]."""
    from micrograph.organisms.toytown_vit import network

    return network.build().eval()


CARD = ModelCard(
    id="toytown_vit",
    title="Toytown ViT",
    summary="A small vision transformer: toytown's pictures as 144 patches of 8 px and a class "
    "token, in six blocks.",
    build=build,
    preprocessing=toytown.CARD.preprocessing,
    digest="553105c27e404d8b5ac556b3f338026c4ed97188463e22cb19334e4073e57c0b",
    parameters=706_590,
    labels=CLASSES,
    licence="Apache-2.0",
    lineage=(
        "trained by micrograph.organisms.toytown_vit.train on the pictures of toytown's generator"
    ),
    sources=(WeightsSource(title="ships with Micrograph"),),
    bundled="organisms/toytown_vit/weights.safetensors",
)
