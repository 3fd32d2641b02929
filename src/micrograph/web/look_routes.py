"""Where pictures of the reader's own are sent to, and heat maps of stored ones are asked for."""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from micrograph.errors import BadInput, MicrographError, NotFound
from micrograph.steps import StepHook
from micrograph.web import look_answer
from micrograph.web.answers import answer
from micrograph.web.look_answer import ClassOnPicture, NodeOnPicture, PictureSize, UnitOnPicture
from micrograph.web.origin import check_origin
from micrograph.web.places import Place, find
from micrograph.web.site import Site

if TYPE_CHECKING:
    from PIL import Image

STREAM = "application/x-ndjson"


class TooLarge(MicrographError):
    """More bytes than are taken."""

    status = 413


class NoPicture(MicrographError):
    """A body that does not say that it is a picture."""

    status = 415


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


_LOOKED = TypeAdapter(Looked)
_HEAT = TypeAdapter(HeatMap)


def add_look_routes(app: FastAPI, site: Site) -> None:
    """The routes about pictures; all answer in JSON."""

    async def post(request: Request, parts: list[str], caricature: bool) -> Response:
        try:
            check_origin(request, "look at pictures")
            data = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        look = await run_in_threadpool(_prepared, site, parts, data, caricature)
        if STREAM in request.headers.get("accept", ""):
            return StreamingResponse(
                _streamed(look), media_type=STREAM, headers={"cache-control": "no-store"}
            )
        found = await run_in_threadpool(look, None)
        return answer(request, found, "application/json", cache="no-store")

    @app.post("/models/{model}/look", response_model=Looked)
    async def model(request: Request, model: str) -> Response:
        """The body is a picture file: the strongest units of every node, the classes, and which
        units carried the strongest. Same origin only; nothing is kept."""
        return await post(request, [model], False)

    @app.post("/models/{model}/{node}/look", response_model=Looked)
    async def node(request: Request, model: str, node: str, caricature: bool = False) -> Response:
        """As for a model, of one node; with `caricature` only the picture as the node sees it."""
        return await post(request, [model, node], caricature)

    @app.post("/models/{model}/{node}/{unit}/look", response_model=Looked)
    async def unit(
        request: Request, model: str, node: str, unit: str, caricature: bool = False
    ) -> Response:
        """As for a node, with the unit's heat map and what carried it."""
        return await post(request, [model, node, unit], caricature)

    @app.get("/models/{model}/{node}/{unit}/map", response_model=HeatMap)
    def heat(
        request: Request,
        model: str,
        node: str,
        unit: str,
        dataset: Annotated[str, Query(max_length=64)],
        number: Annotated[int, Query(ge=0, lt=2**31)],
    ) -> Response:
        """The heat map of a unit on a stored picture of a dataset."""
        try:
            check_origin(request, "ask for heat maps")
            place = find(site.snapshot(request), f"{model}/{node}/{unit}", site.urls)
            found = _HEAT.dump_json(_heat(site, place, dataset, number))
        except MicrographError as error:
            return answer(request, _line(error), "application/json", error.status)
        return answer(request, found, "application/json")


def _prepared(
    site: Site, parts: list[str], data: bytes, caricature: bool
) -> Callable[[StepHook | None], bytes]:
    """What looks at the picture and writes down what it saw. Checks everything first."""
    from micrograph.pictures import decode  # Pillow: not before it is needed

    place = find(site.library.snapshot(), "/".join(parts), site.urls)
    image = decode(data, "that was sent")
    return lambda on_step: _LOOKED.dump_json(
        _look(site, place, image, caricature, on_step), by_alias=True
    )


def _look(
    site: Site, place: Place, image: "Image.Image", caricature: bool, on_step: StepHook | None
) -> Looked:
    record = place.atlas.model
    node = place.node.id if place.node else None
    request = {
        "ask": "caricature" if caricature else "look",
        "node": node,
        "unit": place.unit,
        "attribution": True,
    }
    told = site.look.ask(record.id, record.digest, request, image, on_step)
    size = PictureSize(*image.size)
    if caricature:
        return Looked(size, None, [], [], None, told)
    unit = None
    if node is not None and place.unit is not None:
        unit = look_answer.unit(place.atlas, node, place.unit, told["unit"])
    return Looked(
        size,
        unit,
        look_answer.nodes(place.atlas, told["maxima"]),
        [ClassOnPicture(c["class"], c["label"], c["value"], c["share"]) for c in told["classes"]],
        told["attribution"],
        None,
    )


def _heat(site: Site, place: Place, dataset: str, number: int) -> HeatMap:
    from micrograph.pictures import decode

    assert place.node is not None
    atlas, record, node = place.atlas, place.atlas.model, place.node.id
    try:
        sample = atlas.samples(dataset, [number]).get(number)
    except ValueError:
        raise BadInput(f"dataset {dataset!r} is no digest; expected 64 hex digits") from None
    stored = atlas.picture(sample.picture.digest) if sample and sample.picture else None
    if stored is None:
        raise NotFound(f"picture {number} of this dataset is not kept in the atlas of {record.id}")
    request = {"ask": "map", "node": node, "unit": place.unit}
    data, key = stored.data, (record.id, record.digest, node, place.unit, stored.digest)
    told = site.look.remembered(
        key,
        lambda: site.look.ask(
            record.id, record.digest, request, decode(data, f"{number} of the dataset")
        ),
    )
    return HeatMap(told["map"], told["value"], told["position"])


def _streamed(make: Callable[[StepHook | None], bytes]) -> Iterator[bytes]:
    """Lines of JSON: steps on the way, at the end the answer, or what went wrong."""
    lines: queue.Queue[bytes | None] = queue.Queue()

    def on_step(step: int, steps: int) -> None:
        lines.put(json.dumps({"step": step, "steps": steps}).encode() + b"\n")

    def work() -> None:
        try:
            lines.put(make(on_step) + b"\n")
        except MicrographError as error:
            lines.put(_line(error))
        finally:
            lines.put(None)

    threading.Thread(target=work, daemon=True).start()
    return iter(lines.get, None)


def _line(error: MicrographError) -> bytes:
    told = {"kind": "error", "status": error.status, "message": str(error)}
    return json.dumps(told).encode() + b"\n"


async def _body(request: Request) -> bytes:
    """All of it, unless it is too much. Never more than the limit is held."""
    from micrograph.pictures import MAX_BYTES

    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind != "application/octet-stream":
        raise NoPicture("send the bytes of a picture file (Content-Type: image/...)")
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and int(told) > MAX_BYTES:
        raise _too_large(MAX_BYTES)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BYTES:
            raise _too_large(MAX_BYTES)
    return bytes(data)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the picture has more than {most >> 20} MB; make it smaller")
