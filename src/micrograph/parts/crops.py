"""Where on a picture a position of a node's map looks: boxes in shares of the picture's sides."""

from functools import lru_cache

from micrograph.atlas.records import NodeRecord
from micrograph.plain import small_record


@small_record
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
    return boxes(node, position, size)[0]


def window(node: NodeRecord, position: int, size: int) -> Box:
    """A square around `field_box` to show as a tile: as large as the whole receptive field (at most
    the picture), pushed inside the picture where the field reaches over its border."""
    return boxes(node, position, size)[1]


def boxes(node: NodeRecord, position: int, size: int) -> tuple[Box, Box]:
    """`field_box` and `window`."""
    if node.field_status not in ("exact", "at most") or len(node.shape) != 2 or size < 1:
        return WHOLE, WHOLE
    return _boxes(
        node.field_size, node.field_stride, node.field_start, node.shape[1], position, size
    )


@lru_cache(2048)
def _boxes(
    field: int, stride: int, start: int, columns: int, position: int, size: int
) -> tuple[Box, Box]:
    """What is seen, and the square around it. The units of a node fire in the same few places."""
    y, x = divmod(position, max(1, columns))
    top, bottom = _span(start + y * stride, field, size)
    left, right = _span(start + x * stride, field, size)
    seen = Box(left / size, top / size, (right - left) / size, (bottom - top) / size)
    side = min(field, size)
    if side >= size or seen == WHOLE:
        return seen, WHOLE
    left, top = (min(max(0, start + p * stride), size - side) for p in (x, y))
    return seen, Box(left / size, top / size, side / size, side / size)


def _span(first: int, field: int, size: int) -> tuple[int, int]:
    """First and last + 1 pixel that a position of an axis sees; at least one pixel."""
    low = min(max(0, first), size - 1)
    return low, max(low + 1, min(size, first + field))
