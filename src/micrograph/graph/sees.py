"""What a position of a node sees of the picture, in words for people."""

from collections.abc import Mapping
from typing import Protocol

WHOLE = "the whole picture"
UNKNOWN = "unknown"


class StoredField(Protocol):
    """The receptive field of a node, as an atlas keeps it."""

    @property
    def field_size(self) -> int: ...
    @property
    def field_stride(self) -> int: ...
    @property
    def field_status(self) -> str: ...


def picture_size(preprocessing: Mapping[str, object]) -> int:
    """Pixels along a side of the pictures that a model takes; 0 if nobody says."""
    size = preprocessing.get("size")
    return size if isinstance(size, int) and size > 0 else 0


def what_a_position_sees(node: StoredField, picture: int) -> str:
    """Such as "11 × 11 px, every 4 px", of pictures of that many pixels a side (0: nobody knows).

    A field that is larger than the picture is the whole of it.
    """
    if node.field_status == "whole input":
        return WHOLE
    if node.field_status not in ("exact", "at most"):
        return UNKNOWN
    if 0 < picture < node.field_size:
        return WHOLE
    step = f", every {node.field_stride} px" if node.field_stride > 1 else ""
    most = "at most " if node.field_status == "at most" else ""
    return f"{most}{node.field_size} × {node.field_size} px{step}"
