"""CLIP RN50, as released by OpenAI in 2021; Microscope's `contrastive_rn50`."""

from micrograph.cards.model_card import Kin
from micrograph.cards.zoo import _clip
from micrograph.cards.zoo._clip_shape import Shape

CARD = _clip.card(
    "contrastive_rn50",
    "RN50",
    Shape(width=64, blocks=(3, 4, 6, 3), size=224, dimensions=1024, text_width=512),
    summary="The smallest of OpenAI's contrastive pairs of a ResNet and a text tower.",
    parameters=102_007_137,
    sha256="afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762",
    timm="resnet50_clip.openai",
    accuracy=59.6,
    lineage="OpenAI's released CLIP RN50. That it is Microscope's contrastive_rn50 (RN50 B) is "
    "inferred; contrastive_v1 (RN50 A) was never released",
    names=(
        "clip rn 50",
        "clip resnet 50",
        "rn 50",
        "rn 50 clip",
        "resnet 50 clip",
    ),
    family=Kin('RN50 "B"', "taken to be the released RN50"),
    microscope=10,
)
