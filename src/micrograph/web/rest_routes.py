"""Rendering what a node or a model lacks: an estimate before it starts, progress, and a stop."""

import json
import re
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from micrograph.address import parse_units
from micrograph.errors import BadInput, Unavailable, short
from micrograph.web.context import Context
from micrograph.web.described import FAILURES, JSON_SENT
from micrograph.web.disconnects import reader_of
from micrograph.web.live import ALL
from micrograph.web.live_wishes import obstacle
from micrograph.web.locations import Location, locate_all
from micrograph.web.origin import check_same_origin
from micrograph.web.reader import Reader
from micrograph.web.render_state import RenderState
from micrograph.web.requests import context_of
from micrograph.web.site import Site

LONGEST = 20_000
"""Bytes of a question: the numbers of some units."""
ASKS = ("estimate", "start", "stop", "state")


@dataclass(frozen=True)
class RestState:
    """How far a render of what is missing is. `estimate` says how long it would take, where that
    was asked: `results`, `seconds`, `bytes`, and in words `said`."""

    render: RenderState
    estimate: dict[str, Any] | None = None


def add_rest_routes(app: FastAPI, site: Site) -> None:
    """Where nodes and models are asked for as a whole."""
    described: dict[str, Any] = {
        "response_model": RestState,
        "responses": FAILURES,
        "openapi_extra": JSON_SENT,
    }

    @app.post("/models/{model}/render", **described)
    async def model(request: Request, model: str) -> RestState:
        """JSON with `do`: "estimate" says how long rendering all units of the model that lack a
        picture would take; "start", "stop" and "state" do that. Same origin only."""
        return await _asked(site, request, [model])

    @app.post("/models/{model}/{node}/render", **described)
    async def node(request: Request, model: str, node: str) -> RestState:
        """The same of a node; with `units` ("0-15,20") only of these."""
        return await _asked(site, request, [model, node])


async def _asked(site: Site, request: Request, place: list[str]) -> RestState:
    check_same_origin(request)
    question = _question(await request.body())
    async with reader_of(request) as reader:
        return await run_in_threadpool(_answer, context_of(site, request), place, question, reader)


def _question(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body[:LONGEST])
        shown = short(found)
    except (ValueError, RecursionError):  # of lists in lists without end, too
        raise BadInput(f"{short(body[:80])} is no JSON of at most {LONGEST} bytes") from None
    if not isinstance(found, dict) or found.get("do") not in ASKS:
        raise BadInput(f"{shown} asks nothing; expected do: {', '.join(ASKS)}")
    return found


def _answer(
    context: Context, place: list[str], question: dict[str, Any], reader: Reader
) -> RestState:
    here = locate_all(context.library, place, context.urls)
    model, node = here.atlas.model, here.node.id if here.node else ""
    units = _units(here, question.get("units", ALL))
    live = context.site.live
    if question["do"] == "state":
        return RestState(context.rest_state(here, units))
    if question["do"] == "stop":
        live.stop(model.id, node, units)
        return RestState(context.rest_state(here, units))
    if reason := context.obstacle(model.id) or live.reason:
        raise Unavailable(reason)
    if question["do"] == "start":
        live.ask(model.id, node, 0, units=units)
        return RestState(context.rest_state(here, units))
    if reason := obstacle(context, here):
        raise Unavailable(reason)
    found = context.site.microscope.estimate(model.id, model.digest, node, reader.client, reader)
    return RestState(context.rest_state(here, units), found)


def _units(here: Location, given: Any) -> str:
    if here.node is None or given == ALL:
        if given != ALL:
            raise BadInput(f"units {short(given)} given for a model; expected a node's")
        return ALL
    if not isinstance(given, str) or not re.fullmatch(r"[0-9,-]+", given):
        raise BadInput(f"units {short(given)} are not usable; expected a text such as 0-15,20")
    parse_units(given, here.node.units)
    return given
