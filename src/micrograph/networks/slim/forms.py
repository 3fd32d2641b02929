"""The forms in which networks of TF-slim are passed on, for their cards. No torch."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from micrograph.cards.model_card import Conversion

if TYPE_CHECKING:
    from torch import Tensor

    from micrograph.weights.conversion import Given

Convert = Callable[["Given"], "dict[str, Tensor]"]

NOT_NEEDED = (
    "global_step",
    "*/AuxLogits/*",
    "*/Momentum",
    "*/RMSProp*",
    "*/ExponentialMovingAverage",
    "*/mean_rgb",
)
"""What a checkpoint may hold besides: the auxiliary head, and the state of the training."""


def of_slim(convert: Convert, sign: str) -> tuple[Conversion, ...]:
    """Slim's checkpoint, and a frozen graph of the same variables."""
    return (
        Conversion("tf-checkpoint", convert, sign, NOT_NEEDED),
        Conversion("tf-graph", convert, sign, ("*",)),
    )


def of_timm(convert: Convert, sign: str) -> tuple[Conversion, ...]:
    """timm's copy, with or without the auxiliary head."""
    ignore = ("AuxLogits.*", "*.num_batches_tracked")
    return tuple(Conversion(form, convert, sign, ignore) for form in ("safetensors", "torch"))
