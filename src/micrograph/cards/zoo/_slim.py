"""What the cards of TF-slim's networks share: spellings of nodes, forms of weights files."""

import re

from micrograph.cards.function import Function
from micrograph.cards.model_card import Conversion

NOT_NEEDED = (
    "global_step",
    "*/AuxLogits/*",
    "*/Momentum",
    "*/RMSProp*",
    "*/ExponentialMovingAverage",
    "*/mean_rgb",
)
"""What a checkpoint may hold besides: the auxiliary head, and the state of the training."""


def of_slim(convert: Function, sign: str) -> tuple[Conversion, ...]:
    """Slim's checkpoint, and a frozen graph of the same variables."""
    return (
        Conversion("tf-checkpoint", convert, sign, NOT_NEEDED),
        Conversion("tf-graph", convert, sign, ("*",)),
    )


def of_timm(convert: Function, sign: str) -> tuple[Conversion, ...]:
    """timm's copy, with or without the auxiliary head."""
    ignore = ("AuxLogits.*", "*.num_batches_tracked")
    return tuple(Conversion(form, convert, sign, ignore) for form in ("safetensors", "torch"))


_OPERATION = {"Conv": "_Relu", "MaxPool": "_MaxPool", "AvgPool": "_AvgPool", "Mixed": "_concat"}


def aliases(scope: str, node: str) -> tuple[str, ...]:
    """Spellings of a node of the network that slim calls `scope`, TensorFlow's among them.

    `Mixed_5d` is the operation `InceptionV3/InceptionV3/Mixed_5d/concat`, in an address
    `InceptionV3_InceptionV3_Mixed_5d_concat_0` (the last number counts its results).
    """
    path = node.replace(".", "_")
    found = re.match("Conv|MaxPool|AvgPool|Mixed|concat", node.rpartition(".")[2])
    if found is None:
        return ()
    operation = f"{scope}_{scope}_{path}{_OPERATION.get(found[0], '')}"
    short = re.fullmatch(r"Mixed_(\w+)", node)
    names = (f"{operation}_0", operation, path, *((short[1], f"mixed{short[1]}") if short else ()))
    return tuple(n for n in names if n != node)
