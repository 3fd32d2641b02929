"""A circuit as files: drawings that need nothing else, and a graph for other viewers."""

import base64
import json
from typing import TYPE_CHECKING

from micrograph.lenses.connections.circuit import CircuitUnit
from micrograph.lenses.connections.circuit_drawing import circuit_drawing
from micrograph.lenses.connections.circuit_graph import viewer_graph
from micrograph.lenses.connections.circuit_png import circuit_png
from micrograph.parts.parts import safe_color
from micrograph.web.context import Context
from micrograph.web.pages.circuit import CircuitPage

if TYPE_CHECKING:
    from PIL.Image import Image

    from micrograph.atlas import Picture


def circuit_svg(context: Context, page: CircuitPage) -> bytes:
    """The drawing with all pictures in it; its links are whole addresses."""

    def picture_of(unit: CircuitUnit) -> tuple[str, str] | None:
        picture = _picture(context, page, unit)
        if picture is None:
            return None
        data = base64.b64encode(picture.data).decode()
        return f"data:{picture.mime};base64,{data}", safe_color(picture.color)

    def link_of(unit: CircuitUnit) -> str:
        there = page.units.get(unit.id)
        return context.origin + (there.thumb.url if there else page.unit_url)

    drawn = circuit_drawing(page.circuit, picture_of=picture_of, link_of=link_of, standalone=True)
    # An atlas may hold one anywhere, and no XML may.
    return drawn.replace("\0", "\N{REPLACEMENT CHARACTER}").encode()


def circuit_pixels(context: Context, page: CircuitPage) -> bytes:
    """The drawing as PNG."""
    from micrograph.pictures import decode

    def picture_of(unit: CircuitUnit) -> "Image | None":
        picture = _picture(context, page, unit)
        return decode(picture.data, unit.id) if picture else None

    return circuit_png(page.circuit, picture_of)


def _picture(context: Context, page: CircuitPage, unit: CircuitUnit) -> "Picture | None":
    there = page.units.get(unit.id)
    image = there.thumb.image if there else None
    if image is None:
        return None
    digest = image.url.rpartition("/")[2].partition(".")[0]
    return context.library.model(page.model.id).picture(digest)


def circuit_graph(context: Context, page: CircuitPage) -> bytes:
    """As the JSON that viewers of attribution graphs read."""
    return json.dumps(viewer_graph(page.circuit, page.model.id, page.model.digest)).encode()
