"""Old links, of OpenAI Microscope: where they lead here, and the address that answers texts."""

from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Query

from micrograph.atlas import Library, Snapshot
from micrograph.lenses.pages.listing import PLUGINS
from micrograph.parts.urls import Urls
from micrograph.resolve import Answer, resolve
from micrograph.web.known import Known

_VIEWS = {
    "neuron": {"objective": "neuron"},
    "channel-negative": {"sign": "negative"},
    "neuron-negative": {"objective": "neuron", "sign": "negative"},
}


def is_old(query: str) -> bool:
    """Whether a query is one of OpenAI Microscope's: `models.op.technique=feature_vis`."""
    return query.startswith("models.") or "&models." in query


def landing(answer: Answer, library: Snapshot, urls: Urls) -> str:
    """The page of what was found, through the lens that was asked for where it has one; or ""."""
    if answer.model is None or answer.address is None:
        return answer.url or ""
    lens = answer.technique if answer.technique in PLUGINS else None
    if answer.node is None:
        there = {count.technique for count in library.model(answer.model).counts()}
        in_graph = lens in ("deepdream", "caricature", "activation_grid") and lens in there
        return urls.model(answer.model, lens=lens if in_graph else None)
    section = f"#{lens}" if lens else ""
    if answer.unit is not None:
        return urls.unit(answer.model, answer.node, answer.unit) + section
    view: dict[str, str] = _VIEWS.get(answer.variant or "", {})
    if lens and lens != "feature_vis" and PLUGINS[lens].tiles:
        view = {"lens": lens}
    return urls.node(answer.model, answer.node, **view) + section


def add_resolve_route(app: FastAPI, library: Library, known: Callable[[str], Known]) -> None:
    """`/resolve?q=`: JSON for programs; `/search?q=` takes people to the same place."""

    @app.get("/resolve")
    def answer(q: Annotated[str, Query()] = "") -> Answer:
        """Which place a text or a link means: an address, a link to OpenAI Microscope or to a site
        like this, `InceptionV1 4c:447`. Where there is none, `address` is null and `note` says why.
        """
        return resolve(q, library.snapshot(), lambda model: known(model).missing)
