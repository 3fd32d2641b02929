"""The left panel: the lenses, and the model's graph as a small map."""

from dataclasses import dataclass

from micrograph.atlas import Reading
from micrograph.web.graph import MAP, Layout, layout
from micrograph.web.lenses import LENSES, Lens


@dataclass(frozen=True)
class Panel:
    """`map` is the small drawing of the model, `here` the node to light up in it."""

    lenses: tuple[Lens, ...]
    current: str = ""
    model: str = ""
    map: Layout | None = None
    here: str = ""


def panel(atlas: Reading | None = None, node: str = "", lens: str = "") -> Panel:
    if atlas is None or not node:
        return Panel(LENSES, lens)
    drawing = layout(tuple(atlas.nodes.values()), MAP)
    return Panel(LENSES, lens, atlas.model.id, drawing, node)
