"""Inception v4 of TF-slim as a table, and its weights out of original files."""

from torch import Tensor, nn

from micrograph.cards.zoo.inceptionv4_slim import SCOPE
from micrograph.networks.slim import files, table
from micrograph.networks.slim.layers import inception
from micrograph.weights.conversion import Given

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


def build() -> nn.Module:
    """The network with random weights; RGB in -1..1 to logits [batch, 1001]."""
    return inception(NETWORK, 1001)


def from_slim(given: Given) -> dict[str, Tensor]:
    """Out of slim's checkpoint or frozen graph."""
    return files.from_slim(given, SCOPE, table.convolutions(NETWORK), "Logits/Logits")


# What timm calls the convolutions of a block, in our order.
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


def from_timm(given: Given) -> dict[str, Tensor]:
    """Out of timm's `inception_v4.tf_in1k`."""
    return files.from_timm(given, timm_names(), "last_linear")
