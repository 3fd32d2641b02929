"""CLIP RN50x16, as released by OpenAI in 2021; Microscope's `contrastive_16x`."""

from micrograph.cards.model_card import Kin
from micrograph.cards.zoo import _clip
from micrograph.cards.zoo._clip_shape import Shape

CARD = _clip.card(
    "contrastive_16x",
    "RN50x16",
    Shape(width=96, blocks=(6, 8, 18, 8), size=384, dimensions=768, text_width=768),
    summary="The largest of Microscope's contrastive pairs, with pictures of 384 pixels.",
    parameters=290_979_217,
    sha256="52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa",
    timm="resnet50x16_clip.openai",
    accuracy=70.5,
    lineage="OpenAI's released CLIP RN50x16, Microscope's contrastive_16x",
    names=(
        "clip rn 50x16",
        "clip resnet 50x16",
        "clip resnet 50 x16",
        "clip 16x",
        "clip resnet 50 16x",
        "rn 50x16",
        "rn 50x16 clip",
        "resnet 50x16",
        "contrastive rn 50x16",
    ),
    family=Kin("RN50x16", "384 px"),
    microscope=13,
)
