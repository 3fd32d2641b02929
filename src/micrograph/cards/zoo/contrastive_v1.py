"""Microscope's `contrastive_v1`, a CLIP RN50 that OpenAI never released."""

from micrograph.cards.model_card import Kin
from micrograph.cards.zoo import _clip

CARD = _clip.unreleased(
    "contrastive_v1",
    "CLIP RN50 (A)",
    summary="A first CLIP RN50 of OpenAI's, in pages of Microscope and in Multimodal Neurons.",
    why="OpenAI never released its weights, so it cannot be rebuilt; contrastive_rn50 is another "
    "training of the same network, whose units are others",
    family=Kin('RN50 "A"', "never released"),
    microscope=9,
)
