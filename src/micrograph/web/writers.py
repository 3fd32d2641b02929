"""The writers of pages, as HTML and as JSON. Each takes the same plain object."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from pydantic_core import PydanticSerializationError
from pydantic_core import to_json as to_json_bytes

from micrograph.web.context import Context
from micrograph.web.pages import Page
from micrograph.web.pages.model import ModelPage
from micrograph.web.pages.node import NodePage
from micrograph.web.pages.unit import UnitPage
from micrograph.web.panel import Panel, model_panel, node_panel, unit_panel


def to_json(page: Page) -> bytes:
    """The page as its JSON twin has it: every field, by name."""
    try:
        return json_of(page)
    except PydanticSerializationError:  # names of files need be no Unicode
        return json_of(_in_unicode(asdict(cast(Any, page))))


def json_of(value: Any) -> bytes:
    """Dataclasses, and what JSON has; numbers that it does not have become null."""
    return to_json_bytes(value, inf_nan_mode="null")


def _in_unicode(data: Any) -> Any:
    """Plain data in whose texts a byte that is of no sign is written out."""
    if isinstance(data, str):
        return data.encode(errors="backslashreplace").decode()
    if isinstance(data, Mapping):
        return {_in_unicode(key): _in_unicode(value) for key, value in data.items()}
    return [_in_unicode(one) for one in data] if isinstance(data, list | tuple) else data


def to_html(context: Context, page: Page, url: str) -> bytes:
    """The page for a browser, with the panel that stands beside pages of its kind. `url` is its own
    address, with its query."""
    return context.site.html.render(page, side_panel(context, page), url)


def side_panel(context: Context, page: Page) -> Panel:
    """The lenses and the small map beside a page; an empty panel where there are none."""
    if isinstance(page, ModelPage):
        return model_panel(page, context.urls)
    if isinstance(page, NodePage):
        return node_panel(page, context.library.model(page.model.id), context.urls)
    if isinstance(page, UnitPage):
        return unit_panel(page, context.library.model(page.model.id), context.urls)
    return Panel()
