"""A circuit as files: a drawing that needs nothing else, and a graph for other viewers."""

import base64
import json

from micrograph.lenses.connections.circuit import CircuitUnit
from micrograph.lenses.connections.circuit_drawing import circuit_drawing
from micrograph.lenses.connections.circuit_graph import viewer_graph
from micrograph.web.context import Context
from micrograph.web.pages.circuit import CircuitPage


def circuit_svg(context: Context, page: CircuitPage) -> bytes:
    """The drawing with all pictures in it; its links are whole addresses."""
    atlas = context.library.model(page.model.id)

    def picture_of(unit: CircuitUnit) -> tuple[str, str] | None:
        there = page.units.get(unit.id)
        image = there.thumb.image if there else None
        if image is None:
            return None
        digest = image.url.rpartition("/")[2].partition(".")[0]
        picture = atlas.picture(digest)
        if picture is None:
            return None
        data = base64.b64encode(picture.data).decode()
        return f"data:{picture.mime};base64,{data}", image.color

    def link_of(unit: CircuitUnit) -> str:
        there = page.units.get(unit.id)
        return context.origin + (there.thumb.url if there else page.unit_url)

    drawn = circuit_drawing(page.circuit, picture_of=picture_of, link_of=link_of, standalone=True)
    # An atlas may hold one anywhere, and no XML may.
    return drawn.replace("\0", "\N{REPLACEMENT CHARACTER}").encode()


def circuit_graph(context: Context, page: CircuitPage) -> bytes:
    """As the JSON that viewers of attribution graphs read."""
    return json.dumps(viewer_graph(page.circuit, page.model.id, page.model.digest)).encode()
