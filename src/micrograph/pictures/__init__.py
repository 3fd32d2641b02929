"""Pictures from anywhere: decoded safely. No torch in here, so that the site may use it."""

from micrograph.pictures.decode import MAX_BYTES, MAX_PIXELS, decode, decode_reduced, open_picture
from micrograph.pictures.shipped import find_picture, open_shipped, shipped

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
