"""The writers of pages, as HTML and as JSON. Each takes the same plain object."""

from dataclasses import fields
from functools import cache
from typing import Any, cast, get_type_hints

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError
from pydantic_core import to_json as to_json_bytes

from micrograph.web.context import Context
from micrograph.web.pages import Page
from micrograph.web.pages.model import ModelPage
from micrograph.web.pages.node import NodePage
from micrograph.web.pages.unit import UnitPage
from micrograph.web.panel import Panel, model_panel, node_panel, unit_panel

_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


@cache
def _fields(kind: type[Page]) -> tuple[tuple[str, bytes, TypeAdapter[Any] | None], ...]:
    """The fields of a page: what each is called, how its text begins, and what writes it; None for
    the parts of lenses, each of a type of its own."""
    types = get_type_hints(kind)
    return tuple(
        (
            one.name,
            f'"{one.name}":'.encode(),
            None if one.name == "sections" else TypeAdapter(types[one.name]),
        )
        for one in fields(cast(Any, kind))
    )


def to_json(page: Page) -> bytes:
    """The page as its JSON twin has it: every field, by name."""
    try:
        parts = [begin + _field(getattr(page, name), by) for name, begin, by in _fields(type(page))]
        return b"{" + b",".join(parts) + b"}"
    except PydanticSerializationError:  # names of files need be no Unicode
        data = _adapter(type(page)).dump_python(page)
        return to_json_bytes(_in_unicode(data), inf_nan_mode="null")


def _field(value: Any, writer: TypeAdapter[Any] | None) -> bytes:
    if writer is not None:
        return writer.dump_json(value)
    # As one list of a union they take twice as long: one type after the other would be tried.
    return b"[" + b",".join([_adapter(type(one)).dump_json(one) for one in value]) + b"]"


def _in_unicode(data: Any) -> Any:
    """Plain data in whose texts a byte that is of no sign is written out."""
    if isinstance(data, str):
        return data.encode(errors="backslashreplace").decode()
    if isinstance(data, dict):
        return {_in_unicode(key): _in_unicode(value) for key, value in data.items()}
    return [_in_unicode(one) for one in data] if isinstance(data, list | tuple) else data


def to_html(context: Context, page: Page, url: str) -> bytes:
    """The page for a browser, with the panel that stands beside pages of its kind. `url` is its own
    address, with its query."""
    return context.site.html.render(page, side_panel(context, page), url, context.origin)


def side_panel(context: Context, page: Page) -> Panel:
    """The lenses and the small map beside a page; an empty panel where there are none."""
    if isinstance(page, ModelPage):
        return model_panel(page, context.urls)
    if isinstance(page, NodePage):
        return node_panel(page, context.library.model(page.model.id), context.urls)
    if isinstance(page, UnitPage):
        return unit_panel(page, context.library.model(page.model.id), context.urls)
    return Panel()
