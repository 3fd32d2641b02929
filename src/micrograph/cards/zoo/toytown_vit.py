"""The vision transformer on toytown's pictures; its weights ship with us."""

from micrograph.cards.function import Function
from micrograph.cards.model_card import Kin, ModelCard, WeightsSource
from micrograph.cards.zoo import toytown
from micrograph.organisms.toytown.classes import CLASSES

CARD = ModelCard(
    id="toytown_vit",
    title="Toytown ViT",
    summary="A small vision transformer: toytown's pictures as 144 patches of 8 px and a class "
    "token, in six blocks.",
    build=Function("micrograph.networks.toytown_vit:build"),
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
    family=Kin("toytown_vit", "a vision transformer on the same pictures"),
)
