"""Inception v4 as Google trained it in TF-slim on ImageNet (Szegedy et al. 2016).

Node ids are slim's scopes with `.` for `/`: `Conv2d_2b_3x3`, `Mixed_6c`,
`Mixed_6c.Branch_2.Conv2d_0e_1x7`. A convolution's node is its value behind batch norm and ReLU.
Without the auxiliary head.
"""

from typing import TYPE_CHECKING

from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo._imagenet import CLASSES
from micrograph.networks.slim import forms, table

if TYPE_CHECKING:
    from torch import Tensor, nn

    from micrograph.weights.conversion import Given

SCOPE = "InceptionV4"

A: tuple[table.Branch, ...] = (
    ("Conv2d_0a_1x1 96",),
    ("Conv2d_0a_1x1 64", "Conv2d_0b_3x3 96"),
    ("Conv2d_0a_1x1 64", "Conv2d_0b_3x3 96", "Conv2d_0c_3x3 96"),
    ("AvgPool_0a_3x3", "Conv2d_0b_1x1 96"),
)
B: tuple[table.Branch, ...] = (
    ("Conv2d_0a_1x1 384",),
    ("Conv2d_0a_1x1 192", "Conv2d_0b_1x7 224", "Conv2d_0c_7x1 256"),
    (
        "Conv2d_0a_1x1 192",
        "Conv2d_0b_7x1 192",
        "Conv2d_0c_1x7 224",
        "Conv2d_0d_7x1 224",
        "Conv2d_0e_1x7 256",
    ),
    ("AvgPool_0a_3x3", "Conv2d_0b_1x1 128"),
)
C: tuple[table.Branch, ...] = (
    ("Conv2d_0a_1x1 256",),
    ("Conv2d_0a_1x1 384", ("Conv2d_0b_1x3 256", "Conv2d_0c_3x1 256")),
    (
        "Conv2d_0a_1x1 384",
        "Conv2d_0b_3x1 448",
        "Conv2d_0c_1x3 512",
        ("Conv2d_0d_1x3 256", "Conv2d_0e_3x1 256"),
    ),
    ("AvgPool_0a_3x3", "Conv2d_0b_1x1 256"),
)

NETWORK: table.Network = (  # side of the map behind it
    "Conv2d_1a_3x3 32 /2 VALID",  # 149
    "Conv2d_2a_3x3 32 VALID",  # 147
    "Conv2d_2b_3x3 64",
    (
        "Mixed_3a",  # 73
        (("MaxPool_0a_3x3 /2 VALID",), ("Conv2d_0a_3x3 96 /2 VALID",)),
    ),
    (
        "Mixed_4a",  # 71
        (
            ("Conv2d_0a_1x1 64", "Conv2d_1a_3x3 96 VALID"),
            ("Conv2d_0a_1x1 64", "Conv2d_0b_1x7 64", "Conv2d_0c_7x1 64", "Conv2d_1a_3x3 96 VALID"),
        ),
    ),
    (
        "Mixed_5a",  # 35
        (("Conv2d_1a_3x3 192 /2 VALID",), ("MaxPool_1a_3x3 /2 VALID",)),
    ),
    *((f"Mixed_5{x}", A) for x in "bcde"),
    (
        "Mixed_6a",  # 17
        (
            ("Conv2d_1a_3x3 384 /2 VALID",),
            ("Conv2d_0a_1x1 192", "Conv2d_0b_3x3 224", "Conv2d_1a_3x3 256 /2 VALID"),
            ("MaxPool_1a_3x3 /2 VALID",),
        ),
    ),
    *((f"Mixed_6{x}", B) for x in "bcdefgh"),
    (
        "Mixed_7a",  # 8
        (
            ("Conv2d_0a_1x1 192", "Conv2d_1a_3x3 192 /2 VALID"),
            (
                "Conv2d_0a_1x1 256",
                "Conv2d_0b_1x7 256",
                "Conv2d_0c_7x1 320",
                "Conv2d_1a_3x3 320 /2 VALID",
            ),
            ("MaxPool_1a_3x3 /2 VALID",),
        ),
    ),
    *((f"Mixed_7{x}", C) for x in "bcd"),
)


def build() -> "nn.Module":
    """The network with random weights; RGB in -1..1 to logits [batch, 1001]."""
    from micrograph.networks.slim.layers import inception

    return inception(NETWORK, 1001)


_LAST = {
    "global_pool": ("InceptionV4_Logits_AvgPool_1a_AvgPool_0",),
    "logits": ("InceptionV4_Logits_Logits_BiasAdd_0", "InceptionV4_Logits_Predictions_0"),
}


def aliases(node: str) -> tuple[str, ...]:
    """Slim's operations and short forms: `InceptionV4_InceptionV4_Mixed_6c_concat_0`, `6c`."""
    return _LAST.get(node) or table.aliases(SCOPE, node)


def from_slim(given: "Given") -> "dict[str, Tensor]":
    """Out of slim's checkpoint or frozen graph."""
    from micrograph.networks.slim import files

    return files.from_slim(given, SCOPE, table.convolutions(NETWORK), "Logits/Logits")


_A = "0 1.0 1.1 2.0 2.1 2.2 3.1"
_B = "0 1.0 1.1 1.2 2.0 2.1 2.2 2.3 2.4 3.1"
_C = "0 1_0 1_1a 1_1b 2_0 2_1 2_2 2_3a 2_3b 3.1"
_STEM = ("0", "1", "2", "3.conv", *(f"4.branch{b}" for b in ("0.0", "0.1")))
_STEM += (*(f"4.branch1.{n}" for n in range(4)), "5.conv")
_TIMM = dict.fromkeys(range(6, 10), _A) | {10: "0 1.0 1.1 1.2"} | dict.fromkeys(range(11, 18), _B)
_TIMM |= {18: "0.0 0.1 1.0 1.1 1.2 1.3"} | dict.fromkeys(range(19, 22), _C)


def timm_names() -> dict[str, str]:
    """Our paths of convolutions with timm's."""
    blocks = [f"{n}.branch{branch}" for n, row in _TIMM.items() for branch in row.split()]
    theirs = [f"features.{name}" for name in (*_STEM, *blocks)]
    return dict(zip(table.convolutions(NETWORK), theirs, strict=True))


def from_timm(given: "Given") -> "dict[str, Tensor]":
    """Out of timm's `inception_v4.tf_in1k`."""
    from micrograph.networks.slim import files

    return files.from_timm(given, timm_names(), "last_linear")


CARD = ModelCard(
    id="inceptionv4_slim",
    title="InceptionV4 (slim)",
    summary="Inception v4, deeper and more regular than v3, as Google trained it in TF-slim.",
    build=build,
    # Slim evaluates on the central 87.5 %, resized to 299: a short side of 342.
    preprocessing=Preprocessing(size=299, resize=342, scale=2.0, mean=(1.0, 1.0, 1.0)),
    parameters=42_649_769,
    labels=("background", *CLASSES),
    paper="Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections "
    "on Learning, 2016",
    paper_url="https://arxiv.org/abs/1602.07261",
    licence="Apache-2.0",
    lineage="TF-slim's inception_v4 of 2016-09-09, without the auxiliary head, batch norms "
    "multiplied into the convolutions",
    sources=(
        WeightsSource(
            title="TF-slim's checkpoint",
            url="https://storage.googleapis.com/download.tensorflow.org/models/"
            "inception_v4_2016_09_09.tar.gz",
            member="inception_v4.ckpt",
            licence="Apache-2.0",
        ),
        WeightsSource(
            title="timm's inception_v4.tf_in1k",
            url="https://huggingface.co/timm/inception_v4.tf_in1k/resolve/main/model.safetensors",
            note="without class 0: the background logit stays at zero",
            licence="Apache-2.0",
        ),
    ),
    aliases=aliases,
    conversions=(
        *forms.of_slim(from_slim, f"{SCOPE}/Conv2d_1a_3x3/weights"),
        *forms.of_timm(from_timm, "features.6.branch0.conv.weight"),
    ),
    accuracy="80.2 % top-1, 95.2 % top-5 (one crop, ILSVRC 2012 validation), says TF-slim",
)
