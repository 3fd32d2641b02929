"""Pictures that are made while the reader watches, as server-sent events."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from micrograph.errors import MicrographError, Unavailable
from micrograph.events import Event, Step, Stored, Waiting
from micrograph.web.described import FAILURES, JSON_SENT, Responses
from micrograph.web.disconnects import reader_of
from micrograph.web.error_data import error_data
from micrograph.web.experiments import options_of
from micrograph.web.live_wishes import checked_wish, obstacle
from micrograph.web.locations import locate_all
from micrograph.web.microscope import Wish
from micrograph.web.origin import check_opened, check_origin, check_same_origin
from micrograph.web.reader import Reader
from micrograph.web.requests import context_of, page_answer
from micrograph.web.site import Site
from micrograph.web.small_json import sent_question
from micrograph.web.targets import LiveTarget

STREAM = "text/event-stream"
HEARTBEAT = 15.0
"""Seconds of silence after which a line that means nothing is sent: proxies give up silent ones."""
_UNKEPT = {"cache-control": "no-store"}
_HEADERS = {**_UNKEPT, "x-accel-buffering": "no"}
LONGEST = 1000
"""Bytes of what is sent along."""
ASKS = ("keep", "prepare")
_EVENTS: Responses = {
    "200": {
        "content": {STREAM: {"schema": {"type": "string"}}},
        "description": "Events: step, waiting, frame (the picture as it stands, as a data URL; the "
        "last one is done), stored, failed.",
    },
    **FAILURES,
}


def add_live_routes(app: FastAPI, site: Site) -> None:
    """The address of an experiment: a page for who opens it, events for who wants those."""

    @app.get(LiveTarget.pattern, include_in_schema=False)
    async def live(request: Request, model: str, node: str, unit: str) -> Response:
        """A picture of the unit while it is made, where the request accepts text/event-stream; same
        origin only. Else the experiment's page."""
        if STREAM in request.headers.get("accept", ""):
            return await _watched(site, request, [model, node, unit], keep=False)
        if "run" in request.query_params:
            check_opened(request, "have work done")
        async with reader_of(request) as reader:
            request.state.reader = reader
            return await run_in_threadpool(page_answer, site, request, None)

    @app.post(
        LiveTarget.pattern,
        response_class=Response,
        responses=_EVENTS,
        openapi_extra=JSON_SENT,
    )
    async def keep(request: Request, model: str, node: str, unit: str) -> Response:
        """The same, and the picture is kept in the atlas with its recipe. With `{"do": "prepare"}`
        only what a picture needs is made ready. Same origin and JSON only."""
        place = [model, node, unit]
        try:
            check_same_origin(request)
            asked = await sent_question(request, ASKS, LONGEST, usual="keep")
            if asked["do"] == "prepare":
                ready = await run_in_threadpool(_prepared, site, request, place)
                return Response(json.dumps({"ready": ready}), 202, _UNKEPT, "application/json")
        except MicrographError as error:
            return _refusal(error)
        return await _watched(site, request, place, keep=True)


async def _watched(site: Site, request: Request, place: list[str], keep: bool) -> Response:
    """The events, or as JSON why there are none."""
    try:
        if not keep:
            check_origin(request, "have live pictures made")
        wish = await run_in_threadpool(_wish, site, request, place, keep)
    except MicrographError as error:
        return _refusal(error)
    return StreamingResponse(_told(site, request, wish), media_type=STREAM, headers=_HEADERS)


def _refusal(error: MicrographError) -> Response:
    body = error_data(error.status, str(error))
    return Response(body, error.status, _UNKEPT, "application/json")


def _prepared(site: Site, request: Request, place: list[str]) -> bool:
    context = context_of(site, request)
    here = locate_all(context.library, place, context.urls)
    if reason := obstacle(context, here):
        raise Unavailable(reason)
    return site.microscope.get_ready(here.atlas.model.id, here.atlas.model.digest)


def _wish(site: Site, request: Request, place: list[str], keep: bool) -> Wish:
    options = options_of(dict(request.query_params))
    return checked_wish(context_of(site, request), place, options, keep)


async def _told(site: Site, request: Request, wish: Wish) -> AsyncIterator[bytes]:
    """What happens, until the picture is there or the reader has left."""
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def put(line: bytes | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads it
            loop.call_soon_threadsafe(lines.put_nowait, line)

    def on_event(event: Event) -> None:
        for line in _lines(event, wish):
            put(line)

    def work(reader: Reader) -> None:
        try:
            done = site.microscope.make(wish, reader.client, on_event, reader)
            steps = {"step": done["step"], "steps": done["step"]}
            put(_line("frame", {**done, **steps, "done": True}))
        except MicrographError as error:
            put(_line("failed", {"message": str(error), "status": error.status}))
        except Exception:  # a mistake of ours: its traceback is in the log of threads
            put(_line("failed", {"message": "the site failed; its log says where", "status": 500}))
            raise
        finally:
            put(None)

    async with reader_of(request) as reader:
        threading.Thread(target=work, args=(reader,), daemon=True).start()
        yield _line("step", {"step": 0, "steps": wish.options["steps"]})
        while True:
            try:
                line = await asyncio.wait_for(lines.get(), HEARTBEAT)
            except TimeoutError:
                yield b": still there\n\n"
                continue
            if line is None:
                return
            yield line


def _lines(event: Event, wish: Wish) -> list[bytes]:
    match event:
        case Step(step, steps, None):
            return [_line("step", {"step": step, "steps": steps})]
        case Step(step, steps, frame):
            return [_line("frame", {"step": step, "steps": steps, "frame": frame})]
        case Waiting(ahead, seconds, about):
            return [_line("waiting", {"ahead": ahead, "seconds": seconds, "about": about})]
        case Stored(subject):
            return [_line("stored", {"subject": f"{wish.model}/{subject}"})]
        case _:
            return []


def _line(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
