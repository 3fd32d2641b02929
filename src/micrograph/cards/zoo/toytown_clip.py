"""The contrastive pair: toytown's pictures and their captions in one space; ships with us."""

from micrograph.cards.function import Function
from micrograph.cards.model_card import Kin, ModelCard, WeightsSource
from micrograph.cards.zoo import toytown


def node_id(path: str) -> str | None:
    """As in toytown; inside the pooling nothing is a place of its own."""
    return None if path.startswith("pooled.") else toytown.node_id(path)


CARD = ModelCard(
    id="toytown_clip",
    title="Toytown CLIP",
    summary="A small contrastive pair: toytown's trunk with attention pooling, and a text tower, "
    "trained on toytown's pictures and true captions of them.",
    build=Function("micrograph.networks.toytown_clip:build"),
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
    text=Function("micrograph.networks.toytown_clip:text"),
    family=Kin("toytown_clip", "the same trunk, trained on with a text tower"),
)
