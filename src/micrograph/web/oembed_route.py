"""The figure that stands for a link to a page of the site (https://oembed.com)."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import FastAPI, Query
from markupsafe import Markup
from starlette.requests import Request

from micrograph.errors import BadInput, MicrographError, NotFound, short
from micrograph.web.build import build
from micrograph.web.context import Context
from micrograph.web.described import FAILURES
from micrograph.web.pages import Page
from micrograph.web.redirects import Redirect
from micrograph.web.requests import context_of
from micrograph.web.share_card import HEIGHT, WIDTH
from micrograph.web.sharing import PICTURED, sharing
from micrograph.web.site import Site
from micrograph.web.targets import parse

_FIGURE = Markup(
    '<a href="{page}"><img src="{picture}" width="{width}" height="{height}" alt="{title}"></a>'
)


class NoSuchForm(MicrographError):
    """A form of the answer that is not written here."""

    status = 501


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """As oEmbed 1.0 has it: `html` is the page's picture, `width` x `height` pixels, which links to
    the page."""

    version: str
    type: str
    title: str
    html: str
    width: int
    height: int
    thumbnail_url: str
    thumbnail_width: int
    thumbnail_height: int
    provider_name: str
    provider_url: str


def add_oembed_route(app: FastAPI, site: Site) -> None:
    """`/oembed?url=`: a page's link becomes its picture where links are shown."""

    @app.get("/oembed", responses=FAILURES)
    def answer(
        request: Request,
        url: Annotated[str, Query(max_length=4000)],
        maxwidth: Annotated[int, Query(ge=1)] = WIDTH,
        maxheight: Annotated[int, Query(ge=1)] = HEIGHT,
        format: str = "json",
    ) -> Embedded:
        """The figure for a link to a page of this site: of a unit, a node, a model, a claim or two
        models side by side."""
        if format != "json":
            raise NoSuchForm(f"format is {short(format)}; only json is written here")
        context = context_of(site, request)
        page, path = _page_of(context, url)
        found = sharing(page.kind, context.origin, path)
        if not found.picture:
            raise NotFound(f"{short(url)} has no picture; expected one of: {', '.join(PICTURED)}")
        scale = min(1.0, maxwidth / WIDTH, maxheight / HEIGHT)
        width, height = max(1, int(WIDTH * scale)), max(1, int(HEIGHT * scale))
        title = str(getattr(page, "title", ""))
        return Embedded(
            version="1.0",
            type="rich",
            title=title,
            html=_FIGURE.format(
                page=found.page, picture=found.picture, width=width, height=height, title=title
            ),
            width=width,
            height=height,
            thumbnail_url=found.picture,
            thumbnail_width=WIDTH,
            thumbnail_height=HEIGHT,
            provider_name="Micrograph",
            provider_url=context.origin + context.urls.home,
        )


def _page_of(context: Context, url: str) -> tuple[Page, str]:
    """The page that a whole address leads to, and its path with the query, under the site's
    prefix. Raises NotFound for an address of another site and where there is no page."""
    try:
        given = urlsplit(url)
        origin = f"{given.scheme}://{given.netloc}"
    except ValueError as error:
        raise BadInput(f"{short(url)} is no address: {error}") from None
    prefix = context.urls.prefix
    if origin != context.origin or not given.path.startswith(prefix + "/"):
        raise NotFound(
            f"{short(url)} is no page of this site; expected one that begins with "
            f"{context.origin}{context.urls.home}"
        )
    path, query = given.path.removeprefix(prefix), given.query
    for _ in range(3):
        target = parse(path, query)
        if target.twin or target.asks:
            break
        page = build(context, target)
        if not isinstance(page, Redirect):
            return page, prefix + path + f"?{query}" * bool(query)
        path, _, query = page.url.removeprefix(prefix).partition("?")
    raise NotFound(f"{short(url)} is no page with a picture")
