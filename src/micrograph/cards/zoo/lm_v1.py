"""Microscope's `lm_v1`: a CLIP RN50 image tower trained to predict text; never released."""

from micrograph.cards.model_card import Kin
from micrograph.cards.zoo import _clip

CARD = _clip.unreleased(
    "lm_v1",
    "Language model RN50",
    summary="An image tower like CLIP's, trained with a language-modelling loss instead of a "
    "contrastive one; it had pages in Microscope.",
    why="OpenAI never released its weights, so it cannot be rebuilt; contrastive_rn50 is its "
    "nearest released relative, whose units are others",
    family=Kin("The same image tower, trained as a language model", "never released"),
    microscope=14,
)
