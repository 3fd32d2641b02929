"""CLIP RN101, as released by OpenAI in 2021; Microscope's `contrastive_v2`."""

from micrograph.cards.model_card import Kin, Probe
from micrograph.cards.zoo import _clip
from micrograph.cards.zoo._clip_shape import Shape

CARD = _clip.card(
    "contrastive_v2",
    "RN101",
    Shape(width=64, blocks=(3, 4, 23, 3), size=224, dimensions=512, text_width=512),
    summary="A contrastive pair of a ResNet of 101 layers and a text tower.",
    parameters=119_688_033,
    sha256="8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599",
    timm="resnet101_clip.openai",
    accuracy=62.2,
    lineage="OpenAI's released CLIP RN101, Microscope's contrastive_v2",
    probes=(
        Probe("layer4.2.sum", 878, "dice and poets", source=_clip.GOH),
        Probe("layer4.2.sum", 463, "screenshots of shooters", source=_clip.GOH),
    ),
    names=(
        "clip rn 101",
        "clip resnet 101",
        "rn 101",
        "rn 101 clip",
        "resnet 101 clip",
    ),
    family=Kin("RN101", "23 blocks in its third stage"),
    microscope=11,
)
