"""The left panel: the lenses, and the model's graph as a small map."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from micrograph.atlas import Reading
from micrograph.lenses.contract import Words
from micrograph.lenses.neuron_groups.page import NeuronGroups
from micrograph.lenses.pages.listing import LENSES, PLUGINS
from micrograph.lenses.pages.on_pictures import OnPictures
from micrograph.parts.urls import Urls
from micrograph.web.column import MAP, Drawing
from micrograph.web.folding import fold
from micrograph.web.graph import layout
from micrograph.web.pages.model import ModelPage
from micrograph.web.pages.node import NodePage
from micrograph.web.pages.unit import UnitPage


@dataclass(frozen=True)
class Entry:
    """A lens in the panel: where it leads, and whether there is anything to see."""

    lens: Words
    url: str
    there: bool


@dataclass(frozen=True)
class Panel:
    """`map` is the small drawing of the model, `here` the node to light up in it; `current` the
    technique that the page is about."""

    entries: tuple[Entry, ...] = ()
    current: str = ""
    model: str = ""
    map: Drawing | None = None
    here: str = ""


def model_panel(page: ModelPage, urls: Urls) -> Panel:
    """Lenses of nodes switch the graph; the others lead to what is said about them."""

    def url(lens: Words) -> str:
        if lens.technique == LENSES[0].technique:
            return urls.model(page.model.id)
        switched = [c.url for s in page.switches for c in s.choices if c.value == lens.technique]
        return switched[0] if switched else _about(lens, urls)

    current = LENSES[0].technique if page.lens == "units" else page.lens
    return _panel(url, page.techniques, current)


def node_panel(page: NodePage, atlas: Reading, urls: Urls) -> Panel:
    """Lenses of units make the grid's tiles, those of the node stand above it."""
    sections = {section.technique: section for section in page.sections}

    def url(lens: Words) -> str:
        section = sections.get(lens.technique)
        if isinstance(section, OnPictures | NeuronGroups):
            shown = [one.shot.variant for one in section.pictures]
            if page.picture not in shown:
                there = urls.node(page.model.id, page.node.id, picture=shown[0])
                return f"{there}#{lens.technique}"
        if section:
            return f"#{lens.technique}"
        if PLUGINS[lens.technique].tiles and lens.technique in (
            *page.techniques,
            page.technique,
            LENSES[0].technique,
        ):
            change = page.view.query(lens=lens.technique)
            return urls.node(page.model.id, page.node.id, **change) + f"#{lens.technique}"
        return _about(lens, urls)

    return _panel(url, page.techniques, page.technique, atlas, page.node.id)


def unit_panel(page: UnitPage, atlas: Reading, urls: Urls) -> Panel:
    """Every lens leads to its section, or to the node's; what is missing to the list of that."""
    sections = {section.technique for section in page.sections}
    missing = {one.technique for one in page.missing}

    def url(lens: Words) -> str:
        if lens.technique in sections:
            return f"#{lens.technique}"
        if lens.level == "node" and lens.technique in page.techniques:
            return urls.node(page.model.id, page.node) + f"#{lens.technique}"
        return "#missing" if lens.technique in missing else _about(lens, urls)

    return _panel(url, page.techniques, LENSES[0].technique, atlas, page.node)


def _about(lens: Words, urls: Urls) -> str:
    return f"{urls.about}#{lens.technique}"


def _panel(
    url: Callable[[Words], str],
    there: Collection[str],
    current: str,
    atlas: Reading | None = None,
    node: str = "",
) -> Panel:
    """Those lenses that are not `there` are quieter."""
    entries = tuple(Entry(lens, url(lens), lens.technique in there) for lens in LENSES)
    if atlas is None:
        return Panel(entries, current)
    drawing = layout(fold(tuple(atlas.nodes.values()), here=node).nodes, MAP)
    return Panel(entries, current, atlas.model.id, drawing, node)
