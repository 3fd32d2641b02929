"""Inception v3 of TF-slim as a table, and its weights out of original files."""

from torch import Tensor, nn

from micrograph.cards.zoo.inceptionv3_slim import SCOPE
from micrograph.networks.slim import files, table
from micrograph.networks.slim.layers import inception
from micrograph.weights.conversion import Given


def at_35(pool: int, five: tuple[str, str]) -> tuple[table.Branch, ...]:
    """5b to 5d: `five` are the names in the branch with the 5x5 kernel."""
    return (
        ("Conv2d_0a_1x1 64",),
        (f"{five[0]} 48", f"{five[1]} 64"),
        ("Conv2d_0a_1x1 64", "Conv2d_0b_3x3 96", "Conv2d_0c_3x3 96"),
        ("AvgPool_0a_3x3", f"Conv2d_0b_1x1 {pool}"),
    )


def at_17(c: int) -> tuple[table.Branch, ...]:
    """6b to 6e: 7x7 kernels in two factors, through `c` units."""
    return (
        ("Conv2d_0a_1x1 192",),
        (f"Conv2d_0a_1x1 {c}", f"Conv2d_0b_1x7 {c}", "Conv2d_0c_7x1 192"),
        (
            f"Conv2d_0a_1x1 {c}",
            f"Conv2d_0b_7x1 {c}",
            f"Conv2d_0c_1x7 {c}",
            f"Conv2d_0d_7x1 {c}",
            "Conv2d_0e_1x7 192",
        ),
        ("AvgPool_0a_3x3", "Conv2d_0b_1x1 192"),
    )


def at_8(three: str) -> tuple[table.Branch, ...]:
    """7b and 7c: `three` is the name of the 3x1 kernel in the second branch."""
    return (
        ("Conv2d_0a_1x1 320",),
        ("Conv2d_0a_1x1 384", ("Conv2d_0b_1x3 384", f"{three} 384")),
        ("Conv2d_0a_1x1 448", "Conv2d_0b_3x3 384", ("Conv2d_0c_1x3 384", "Conv2d_0d_3x1 384")),
        ("AvgPool_0a_3x3", "Conv2d_0b_1x1 192"),
    )


REGULAR = ("Conv2d_0a_1x1", "Conv2d_0b_5x5")

NETWORK: table.Network = (  # side of the map behind it
    "Conv2d_1a_3x3 32 /2 VALID",  # 149
    "Conv2d_2a_3x3 32 VALID",  # 147
    "Conv2d_2b_3x3 64",
    "MaxPool_3a_3x3 /2 VALID",  # 73
    "Conv2d_3b_1x1 80 VALID",
    "Conv2d_4a_3x3 192 VALID",  # 71
    "MaxPool_5a_3x3 /2 VALID",  # 35
    ("Mixed_5b", at_35(32, REGULAR)),
    ("Mixed_5c", at_35(64, ("Conv2d_0b_1x1", "Conv_1_0c_5x5"))),
    ("Mixed_5d", at_35(64, REGULAR)),
    (
        "Mixed_6a",  # 17
        (
            ("Conv2d_1a_1x1 384 3x3 /2 VALID",),
            ("Conv2d_0a_1x1 64", "Conv2d_0b_3x3 96", "Conv2d_1a_1x1 96 3x3 /2 VALID"),
            ("MaxPool_1a_3x3 /2 VALID",),
        ),
    ),
    ("Mixed_6b", at_17(128)),
    ("Mixed_6c", at_17(160)),
    ("Mixed_6d", at_17(160)),
    ("Mixed_6e", at_17(192)),
    (
        "Mixed_7a",  # 8
        (
            ("Conv2d_0a_1x1 192", "Conv2d_1a_3x3 320 /2 VALID"),
            (
                "Conv2d_0a_1x1 192",
                "Conv2d_0b_1x7 192",
                "Conv2d_0c_7x1 192",
                "Conv2d_1a_3x3 192 /2 VALID",
            ),
            ("MaxPool_1a_3x3 /2 VALID",),
        ),
    ),
    ("Mixed_7b", at_8("Conv2d_0b_3x1")),
    ("Mixed_7c", at_8("Conv2d_0c_3x1")),
)


def build() -> nn.Module:
    """The network with random weights; RGB in -1..1 to logits [batch, 1001]."""
    return inception(NETWORK, 1001)


def from_slim(given: Given) -> dict[str, Tensor]:
    """Out of slim's checkpoint or frozen graph."""
    return files.from_slim(given, SCOPE, table.convolutions(NETWORK), "Logits/Conv2d_1c_1x1")


# What timm calls the convolutions of a block, in our order.
_35 = "1x1 5x5_1 5x5_2 3x3dbl_1 3x3dbl_2 3x3dbl_3 _pool"
_17 = "1x1 7x7_1 7x7_2 7x7_3 7x7dbl_1 7x7dbl_2 7x7dbl_3 7x7dbl_4 7x7dbl_5 _pool"
_8 = "1x1 3x3_1 3x3_2a 3x3_2b 3x3dbl_1 3x3dbl_2 3x3dbl_3a 3x3dbl_3b _pool"
_TIMM = dict.fromkeys(("5b", "5c", "5d"), _35) | dict.fromkeys(("6b", "6c", "6d", "6e"), _17)
_TIMM |= dict.fromkeys(("7b", "7c"), _8)
_TIMM["6a"] = "3x3 3x3dbl_1 3x3dbl_2 3x3dbl_3"
_TIMM["7a"] = "3x3_1 3x3_2 7x7x3_1 7x7x3_2 7x7x3_3 7x7x3_4"


def timm_names() -> dict[str, str]:
    """Our paths of convolutions with timm's."""
    ours = table.convolutions(NETWORK)
    stem = [path for path in ours if "." not in path]
    blocks = [f"Mixed_{b}.branch{w}" for b in sorted(_TIMM) for w in _TIMM[b].split()]
    return dict(zip(ours, stem + blocks, strict=True))


def from_timm(given: Given) -> dict[str, Tensor]:
    """Out of timm's `inception_v3.tf_in1k`."""
    return files.from_timm(given, timm_names(), "fc")
