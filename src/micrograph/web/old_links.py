"""Old links, of OpenAI Microscope, and where they lead here."""

from micrograph.atlas import Snapshot
from micrograph.lenses import lenses
from micrograph.parts.urls import Urls
from micrograph.resolve import Resolved
from micrograph.web.lens_traits import grid_query, in_graph


def is_old(query: str) -> bool:
    """Whether a query is one of OpenAI Microscope's: `models.op.technique=feature_vis`."""
    return query.startswith("models.") or "&models." in query


def page_of(answer: Resolved, library: Snapshot, urls: Urls) -> str:
    """The URL of the page of what was found, through the lens that was asked for where it has one;
    "" where nothing was found."""
    if answer.model is None or answer.address is None or not _is_place(answer):
        return urls.own(answer.url) if answer.url else ""
    lens = answer.technique if answer.technique in lenses() else None
    if answer.node is None:
        there = {count.technique for count in library.model(answer.model).counts()}
        drawn = lens in in_graph() and lens in there
        return urls.model(answer.model, lens=lens if drawn else None)
    section = f"#{lens}" if lens else ""
    if answer.unit is not None:
        return urls.unit(answer.model, answer.node, answer.unit) + section
    view = grid_query(lens or "", answer.variant or "")
    return urls.node(answer.model, answer.node, **view) + section


def _is_place(answer: Resolved) -> bool:
    """Whether its page is that of a model, node or unit; not of a claim or a circuit, say."""
    return answer.url == f"/models/{answer.address}"
