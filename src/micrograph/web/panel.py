"""The left panel: the lenses, and the model's graph as a small map."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from micrograph.atlas import Reading
from micrograph.atlas.remembered import Remembered
from micrograph.lenses.contract import Words
from micrograph.lenses.pages.listing import all_words, page_of
from micrograph.parts.urls import Urls
from micrograph.web.column import MAP, Drawing
from micrograph.web.folding import fold
from micrograph.web.graph import layout
from micrograph.web.graph_pages import piece_with
from micrograph.web.lens_traits import DEFAULT, source_names
from micrograph.web.pages.model import ModelPage
from micrograph.web.pages.node import NodePage
from micrograph.web.pages.unit import UnitPage


@dataclass(frozen=True, kw_only=True)
class LensEntry:
    """A lens in the panel: where it leads, and whether there is anything to see."""

    lens: Words
    url: str
    there: bool


@dataclass(frozen=True, kw_only=True)
class Panel:
    """`map` is the small drawing of the model, `here` the node to light up in it; `current` the
    lens that the page is about."""

    entries: tuple[LensEntry, ...] = ()
    current: str = ""
    model: str = ""
    map: Drawing | None = None
    here: str = ""


def model_panel(page: ModelPage, urls: Urls) -> Panel:
    """Lenses of nodes switch the graph; the others lead to their text on the about page."""

    def url(lens: Words) -> str:
        if lens.technique == DEFAULT.technique:
            return urls.model(page.model.id)
        switched = [c.url for s in page.switches for c in s.choices if c.value == lens.technique]
        return switched[0] if switched else _about(lens, urls)

    current = DEFAULT.technique if page.lens == "units" else page.lens
    return _panel(url, page.techniques, current)


def node_panel(page: NodePage, atlas: Reading, urls: Urls) -> Panel:
    """Lenses of units make the grid's tiles, those of the node stand above it."""
    sections = {section.technique: section for section in page.sections}

    def url(lens: Words) -> str:
        section = sections.get(lens.technique)
        looked_at = source_names(section)
        if looked_at and page.picture not in looked_at:
            there = urls.node(page.model.id, page.node.id, picture=looked_at[0])
            return f"{there}#{lens.technique}"
        if section:
            return f"#{lens.technique}"
        if page_of(lens.technique).tiles and lens.technique in (
            *page.techniques,
            page.technique,
            DEFAULT.technique,
        ):
            change = page.view.query(lens=lens.technique)
            return urls.node(page.model.id, page.node.id, **change) + f"#{lens.technique}"
        return _about(lens, urls)

    return _panel(url, page.techniques, page.technique, atlas, page.node.id)


def unit_panel(page: UnitPage, atlas: Reading, urls: Urls) -> Panel:
    """Every lens leads to its section, or to the node's; missing ones to the list of those."""
    sections = {section.technique for section in page.sections}
    missing = {one.technique for one in page.missing}

    def url(lens: Words) -> str:
        if lens.technique in sections:
            return f"#{lens.technique}"
        if lens.level == "node" and lens.technique in page.techniques:
            return urls.node(page.model.id, page.node) + f"#{lens.technique}"
        return "#missing" if lens.technique in missing else _about(lens, urls)

    return _panel(url, page.techniques, DEFAULT.technique, atlas, page.node)


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
    entries = tuple(
        LensEntry(lens=lens, url=url(lens), there=lens.technique in there) for lens in all_words()
    )
    if atlas is None:
        return Panel(entries=entries, current=current)
    drawing = _MAPS.get(atlas, node, lambda: _map(atlas, node))
    return Panel(entries=entries, current=current, model=atlas.model.id, map=drawing, here=node)


_MAPS: Remembered[Drawing] = Remembered(64)


def _map(atlas: Reading, node: str) -> Drawing:
    return layout(piece_with(fold(tuple(atlas.nodes.values()), here=node).nodes, node), MAP)
