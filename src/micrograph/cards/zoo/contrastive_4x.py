"""CLIP RN50x4, as released by OpenAI in 2021; Microscope's `contrastive_4x`."""

from micrograph.cards.model_card import Kin, Probe
from micrograph.cards.zoo import _clip
from micrograph.cards.zoo._clip_shape import Shape

CARD = _clip.card(
    "contrastive_4x",
    "RN50x4",
    Shape(width=80, blocks=(4, 6, 10, 6), size=288, dimensions=640, text_width=640),
    summary="The network of Multimodal Neurons: units for people, emotions, places, seasons.",
    parameters=178_300_601,
    sha256="7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd",
    timm="resnet50x4_clip.openai",
    accuracy=65.8,
    lineage="OpenAI's released CLIP RN50x4, Microscope's contrastive_4x",
    probes=tuple(
        Probe("layer4.5.sum", unit, title, classes, source=_clip.GOH)
        for unit, title, classes in (
            (89, "Donald Trump", ()),
            (1512, "happy", ()),
            (2478, "shocked", ()),
            (1193, "crying", ()),
            (2364, "summer", ()),
            (1829, "winter", ()),
            (862, "USA", ()),
            (1257, "West Africa", ()),
            (17, "counting", ()),
            (202, "counting", ()),
            (310, "counting", ()),
            (1330, "money, piggy banks", ("piggy bank",)),
        )
    ),
    names=(
        "clip rn 50x4",
        "clip resnet 50x4",
        "clip resnet 50 x4",
        "clip 4x",
        "clip resnet 50 4x",
        "rn 50x4",
        "rn 50x4 clip",
        "resnet 50x4",
        "contrastive rn 50x4",
    ),
    family=Kin("RN50x4", 'wider, deeper, 288 px: the network of "Multimodal Neurons"'),
    microscope=12,
)
