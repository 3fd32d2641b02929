"""Every page of the site in one table, and from a target to its page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from micrograph.web import handlers
from micrograph.web.circuit_files import circuit_graph, circuit_pixels, circuit_svg
from micrograph.web.context import Context
from micrograph.web.pages import Page
from micrograph.web.pages.circuit import CircuitPage
from micrograph.web.pages.claim import ClaimPage, ClaimsPage
from micrograph.web.pages.compare import ComparePage
from micrograph.web.pages.live import LivePage
from micrograph.web.pages.model import ModelPage
from micrograph.web.pages.node import NodePage
from micrograph.web.pages.on_picture import OnPicturePage
from micrograph.web.pages.other import AboutPage, SearchPage
from micrograph.web.pages.start import StartPage
from micrograph.web.pages.unit import UnitPage
from micrograph.web.previews import (
    claim_preview,
    compare_preview,
    model_preview,
    node_preview,
    unit_preview,
)
from micrograph.web.redirects import Redirect
from micrograph.web.sharing import ENDING
from micrograph.web.target import Target
from micrograph.web.targets import (
    AboutTarget,
    CircuitTarget,
    ClaimsTarget,
    ClaimTarget,
    CompareTarget,
    LiveTarget,
    ModelsTarget,
    ModelTarget,
    NodeTarget,
    OnPictureTarget,
    SearchTarget,
    StartTarget,
    UnitTarget,
)


@dataclass(frozen=True)
class PageFile:
    """A page as a file, at the page's address with `ending` behind its path."""

    ending: str
    mime: str
    write: Callable[[Context, Any], bytes]


@dataclass(frozen=True)
class PageRoute:
    """Pages of one kind: the addresses they have, what makes them, what is made, and the files that
    there are of it beside its twin. The path and the name of the kind are those of the target."""

    target: type[Target]
    handler: Callable[[Context, Any], Page | Redirect]
    page: type[Page]
    files: tuple[PageFile, ...] = ()


def _preview(write: Callable[[Context, Any], bytes]) -> tuple[PageFile]:
    """The picture that stands for a page where a link to it is shared."""
    return (PageFile(ENDING, "image/jpeg", write),)


PAGES: tuple[PageRoute, ...] = (
    PageRoute(StartTarget, handlers.start, StartPage),
    PageRoute(ModelsTarget, handlers.models, StartPage),
    PageRoute(AboutTarget, handlers.about, AboutPage),
    PageRoute(SearchTarget, handlers.search, SearchPage),
    PageRoute(CompareTarget, handlers.compare, ComparePage, _preview(compare_preview)),
    PageRoute(ClaimsTarget, handlers.claims, ClaimsPage),
    PageRoute(ClaimTarget, handlers.claim, ClaimPage, _preview(claim_preview)),
    PageRoute(ModelTarget, handlers.model, ModelPage, _preview(model_preview)),
    PageRoute(NodeTarget, handlers.node, NodePage, _preview(node_preview)),
    PageRoute(UnitTarget, handlers.unit, UnitPage, _preview(unit_preview)),
    PageRoute(OnPictureTarget, handlers.on_picture, OnPicturePage),
    PageRoute(LiveTarget, handlers.live, LivePage),
    PageRoute(
        CircuitTarget,
        handlers.circuit,
        CircuitPage,
        (
            PageFile(".svg", "image/svg+xml", circuit_svg),
            PageFile(".png", "image/png", circuit_pixels),
            PageFile(".graph.json", "application/json", circuit_graph),
        ),
    ),
)
_BY_TARGET = {route.target: route for route in PAGES}


def build(context: Context, target: Target) -> Page | Redirect:
    """The page of a target, or a redirect to it.

    Raises NotFound and BadInput where there is no such page.
    """
    return _BY_TARGET[type(target)].handler(context, target)
