"""Where on a picture a position of a node's map looks: boxes in shares of the picture's sides."""

from dataclasses import dataclass

from micrograph.atlas.records import NodeRecord


@dataclass(frozen=True)
class Box:
    """A rectangle on a picture: left, top, width and height as shares (0..1) of its sides."""

    left: float
    top: float
    width: float
    height: float


WHOLE = Box(0.0, 0.0, 1.0, 1.0)


def field_box(node: NodeRecord, position: int, size: int) -> Box:
    """What `position` (row-major in the node's map) sees of a picture of `size` px a side, clipped
    to the picture. The whole picture for flat nodes and where the field has no size."""
    if node.field_status not in ("exact", "at most") or len(node.shape) != 2 or size < 1:
        return WHOLE
    y, x = divmod(position, max(1, node.shape[1]))
    top, bottom = _span(node, y, size)
    left, right = _span(node, x, size)
    return Box(left / size, top / size, (right - left) / size, (bottom - top) / size)


def window(node: NodeRecord, position: int, size: int) -> Box:
    """A square around `field_box` to show as a tile: as large as the whole receptive field (at most
    the picture), pushed inside the picture where the field reaches over its border."""
    side = min(node.field_size, size)
    if side >= size or field_box(node, position, size) == WHOLE:
        return WHOLE
    y, x = divmod(position, max(1, node.shape[1]))
    left, top = (min(max(0, node.field_start + p * node.field_stride), size - side) for p in (x, y))
    return Box(left / size, top / size, side / size, side / size)


def _span(node: NodeRecord, p: int, size: int) -> tuple[int, int]:
    """First and last + 1 pixel that position `p` of an axis sees; at least one pixel."""
    first = node.field_start + p * node.field_stride
    low = min(max(0, first), size - 1)
    return low, max(low + 1, min(size, first + node.field_size))
