"""Pictures from anywhere: decoded safely. No torch in here, so that the site may use it; Pillow not
before it is needed."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from micrograph.pictures.shipped import find_picture, open_shipped, shipped

if TYPE_CHECKING:
    from micrograph.pictures.decoding import (
        MAX_BYTES,
        MAX_PIXELS,
        decode,
        decode_reduced,
        open_picture,
    )

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "decode",
    "decode_reduced",
    "find_picture",
    "open_picture",
    "open_shipped",
    "shipped",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"{__name__}.decoding"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
