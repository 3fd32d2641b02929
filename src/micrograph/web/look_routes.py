"""Where pictures of the reader's own are sent to, and heat maps of stored ones are asked for."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from micrograph.errors import BadInput, MicrographError, NotFound, Unavailable
from micrograph.steps import StepHook
from micrograph.web import look_answer
from micrograph.web.answers import answer
from micrograph.web.context import Context
from micrograph.web.described import FAILURES, PICTURE_SENT, STREAMED
from micrograph.web.disconnects import reader_of
from micrograph.web.error_data import error_data
from micrograph.web.kept_pages import Written
from micrograph.web.locations import Location, locate_all
from micrograph.web.look_answer import ClassOnPicture, NodeOnPicture, PictureSize, UnitOnPicture
from micrograph.web.on_picture import PictureHere, UnitQuestion, asked
from micrograph.web.origin import check_origin
from micrograph.web.pages.on_picture import OnPicturePage
from micrograph.web.reader import Reader
from micrograph.web.requests import context_of
from micrograph.web.site import Site
from micrograph.web.uploads import picture_bytes

if TYPE_CHECKING:
    from PIL import Image

STREAM = "application/x-ndjson"
Looking = Callable[[StepHook | None, Reader], bytes]
"""Looks at a picture for a reader, and writes down what it saw."""


@dataclass(frozen=True)
class Looked:
    """What a model makes of a picture; what was not asked for, or has no place, is null."""

    picture: PictureSize
    unit: UnitOnPicture | None
    nodes: list[NodeOnPicture]
    classes: list[ClassOnPicture]
    attribution: dict[str, Any] | None
    caricature: str | None


@dataclass(frozen=True)
class HeatMap:
    """A unit on a stored picture: `map` in 0..1 of its largest value there, `value`, which is at
    `position`."""

    map: list[list[float]]
    value: float
    position: int


@dataclass(frozen=True)
class OnOwnPicture:
    """The answer about a reader's own picture: as data, and as a part of a page."""

    page: OnPicturePage
    html: str


_ON_OWN = TypeAdapter(OnOwnPicture)
_LOOKED = TypeAdapter(Looked)
_HEAT = TypeAdapter(HeatMap)


def add_look_routes(app: FastAPI, site: Site) -> None:
    """The routes about pictures; all answer in JSON."""

    described: dict[str, Any] = {
        "response_model": Looked,
        "responses": STREAMED,
        "openapi_extra": PICTURE_SENT,
    }

    async def post(
        request: Request, parts: list[str], caricature: "bool | UnitQuestion"
    ) -> Response:
        try:
            check_origin(request, "look at pictures")
            if site.look.reason:  # before a picture is taken in
                raise Unavailable(site.look.reason)
            with site.incoming.turn():
                data = await picture_bytes(request)
                context = context_of(site, request)
                look = await run_in_threadpool(_prepared, context, parts, data, caricature)
        except ClientDisconnect:
            return Response(status_code=400)
        if STREAM in request.headers.get("accept", ""):
            return StreamingResponse(
                _streamed(request, look), media_type=STREAM, headers={"cache-control": "no-store"}
            )
        async with reader_of(request) as reader:
            found = await run_in_threadpool(look, None, reader)
        return answer(request, Written(found), "application/json", cache="no-store")

    @app.post("/models/{model}/look", **described)
    async def model(request: Request, model: str) -> Response:
        """The body is a picture file: the strongest units of every node, the classes, and which
        units carried the strongest. Same origin only; nothing is kept."""
        return await post(request, [model], False)

    @app.post("/models/{model}/{node}/look", **described)
    async def node(request: Request, model: str, node: str, caricature: bool = False) -> Response:
        """As for a model, of one node; with `caricature` only the picture as the node sees it."""
        return await post(request, [model, node], caricature)

    @app.post("/models/{model}/{node}/{unit}/look", **described)
    async def unit(
        request: Request, model: str, node: str, unit: str, caricature: bool = False
    ) -> Response:
        """As for a node, with the unit's heat map and what carried it."""
        return await post(request, [model, node, unit], caricature)

    @app.post(
        "/models/{model}/{node}/{unit}/on-picture", **{**described, "response_model": OnOwnPicture}
    )
    async def on_picture(
        request: Request,
        model: str,
        node: str,
        unit: str,
        question: Annotated[str, Query(max_length=16)] = "graph",
        how: Annotated[str, Query(max_length=16)] = "silence",
        units: Annotated[str, Query(max_length=2000)] = "",
    ) -> Response:
        """The body is a picture file: what the unit is made of on it ("graph"), or what changes on
        it with the unit and with other `units` of its node ("steer"). Same origin only; nothing is
        kept."""
        wanted = UnitQuestion(question, how, units)
        wanted.check()
        return await post(request, [model, node, unit], wanted)

    @app.get("/models/{model}/{node}/{unit}/map", response_model=HeatMap, responses=FAILURES)
    async def heat(
        request: Request,
        model: str,
        node: str,
        unit: str,
        dataset: Annotated[str, Query(max_length=64)],
        number: Annotated[int, Query(ge=0, lt=2**31)],
    ) -> Response:
        """The heat map of a unit on a stored picture of a dataset."""
        check_origin(request, "ask for heat maps")

        def found(reader: Reader) -> bytes:
            context = context_of(site, request)
            here = locate_all(context.library, [model, node, unit], context.urls)
            return _HEAT.dump_json(_heat(site, here, dataset, number, reader))

        async with reader_of(request) as reader:
            written = Written(await run_in_threadpool(found, reader))
        return answer(request, written, "application/json")


def _prepared(
    context: Context, parts: list[str], data: bytes, caricature: "bool | UnitQuestion"
) -> Looking:
    """What looks at the picture and writes down what it saw. Checks everything first."""
    here = locate_all(context.library, parts, context.urls)
    image, size = context.site.incoming.decoded(data)
    if isinstance(caricature, UnitQuestion):
        wanted, own = caricature, PictureHere("your picture", image, {})
        return lambda on_step, reader: _ON_OWN.dump_json(
            _on_own(context, asked(context, here, wanted, own, on_step, reader))
        )
    return lambda on_step, reader: _LOOKED.dump_json(
        _look(context.site, here, image, size, caricature, on_step, reader), by_alias=True
    )


def _on_own(context: Context, page: OnPicturePage) -> OnOwnPicture:
    return OnOwnPicture(page, context.site.html.answer_on_picture(page))


def _look(
    site: Site,
    here: Location,
    image: "Image.Image",
    full: tuple[int, int],
    caricature: bool,
    on_step: StepHook | None,
    reader: Reader,
) -> Looked:
    record = here.atlas.model
    node = here.node.id if here.node else None
    request = {
        "ask": "caricature" if caricature else "look",
        "node": node,
        "unit": here.unit,
        "attribution": True,
    }
    seen = site.look.ask(record.id, record.digest, request, image, on_step, reader)
    size = PictureSize(*full)
    if caricature:
        return Looked(size, None, [], [], None, seen)
    unit = None
    if node is not None and here.unit is not None:
        unit = look_answer.unit(here.atlas, node, here.unit, seen["unit"])
    return Looked(
        size,
        unit,
        look_answer.nodes(here.atlas, seen["maxima"]),
        [ClassOnPicture(c["class"], c["label"], c["value"], c["share"]) for c in seen["classes"]],
        seen["attribution"],
        None,
    )


def _heat(site: Site, here: Location, dataset: str, number: int, reader: Reader) -> HeatMap:
    from micrograph.pictures import decode

    assert here.node is not None
    atlas, record, node = here.atlas, here.atlas.model, here.node.id
    try:
        sample = atlas.samples(dataset, [number]).get(number)
    except ValueError:
        raise BadInput(f"dataset {dataset!r} is no digest; expected 64 hex digits") from None
    stored = atlas.picture(sample.picture.digest) if sample and sample.picture else None
    if stored is None:
        raise NotFound(f"picture {number} of this dataset is not kept in the atlas of {record.id}")
    request = {"ask": "map", "node": node, "unit": here.unit}
    data, key = stored.data, (record.id, record.digest, node, here.unit, stored.digest)
    seen = site.look.remembered(
        key,
        lambda: site.look.ask(
            record.id,
            record.digest,
            request,
            decode(data, f"{number} of the dataset"),
            reader=reader,
        ),
    )
    return HeatMap(seen["map"], seen["value"], seen["position"])


async def _streamed(request: Request, make: Looking) -> AsyncIterator[bytes]:
    """Lines of JSON: steps on the way, at the end the answer, or what went wrong."""
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def put(line: bytes | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads it
            loop.call_soon_threadsafe(lines.put_nowait, line)

    def on_step(step: int, steps: int) -> None:
        put(json.dumps({"step": step, "steps": steps}).encode() + b"\n")

    def work(reader: Reader) -> None:
        try:
            put(make(on_step, reader) + b"\n")
        except MicrographError as error:
            put(_error_line(error))
        finally:
            put(None)

    async with reader_of(request) as reader:
        threading.Thread(target=work, args=(reader,), daemon=True).start()
        while (line := await lines.get()) is not None:
            yield line


def _error_line(error: MicrographError) -> bytes:
    return error_data(error.status, str(error)) + b"\n"
