"""`micrograph look`: answers the site's questions about pictures, as a process of its own.

Hidden: a program talks to it. A request is a line of JSON, `{"ask": ..., "shape": [y, x, 3], ...}`,
and then the picture's pixels as raw bytes. It tells events, one on each line (`micrograph.events`):
steps on the way, then an answer or a failure. The first line says that the model is there, or why
not. It ends when its input does, or when nobody is left who could read what it says.
"""

import json
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import click

from micrograph.cli.event_output import event_teller
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.errors import BadInput, Conflict, MicrographError, NotFound, Unavailable
from micrograph.events import Answer, Failed, Step

if TYPE_CHECKING:
    import numpy as np

    from micrograph.models.model import Model


@click.command(hidden=True)
@click.argument("model")
@click.option("--digest", default="", metavar="D", help="Of the weights that it must have.")
@model_options
def command(model: str, digest: str, asked: ModelOptions) -> None:
    """Answer questions about pictures on standard input."""
    questions = sys.stdin.buffer
    tell = event_teller(ends_with_reader=True)
    try:
        loaded = _load(model, digest, asked)
    except MicrographError as error:
        tell(Failed(str(error)))
        return
    tell(Answer("ready"))
    for request, pixels in _requests(questions):
        try:
            tell(Answer(_answer(loaded, request, pixels, lambda k, n: tell(Step(k, n)))))
        except MicrographError as error:
            tell(Failed(str(error), error.status))
        except MemoryError:
            tell(Failed("no memory is left for this picture"))


def _load(id: str, digest: str, asked: ModelOptions) -> "Model":
    try:
        chosen = asked.card(id)
    except NotFound:
        raise Unavailable(
            f"{id} is only in an atlas here; its network is not known to this Micrograph"
        ) from None
    model = asked.load(id, chosen)
    if digest and model.digest != digest:
        raise Conflict(
            f"the weights of {id} here are not those that the atlas was made from "
            f"({model.digest[:12]} instead of {digest[:12]})"
        )
    # Nodes are found, and kernels chosen, before somebody waits for them.
    from micrograph.runner.look import fit, look

    look(model, fit(_grey(model.preprocessing.size), model), None, None, False)
    return model


def _grey(size: int) -> "np.ndarray":
    import numpy as np

    return np.full((size, size, 3), 128, np.uint8)


def _requests(stream: IO[bytes]) -> Iterator[tuple[dict[str, Any], "np.ndarray"]]:
    """Each request and its pixels, until the input ends."""
    import numpy as np

    while line := stream.readline():
        request = json.loads(line)
        shape = tuple(request["shape"])
        pixels = stream.read(int(np.prod(shape)))
        if len(pixels) < np.prod(shape):
            return
        yield request, np.frombuffer(bytearray(pixels), np.uint8).reshape(shape)


def _answer(model: "Model", request: dict[str, Any], pixels: "np.ndarray", on_step: Any) -> Any:
    from micrograph.runner import look

    picture = look.fit(pixels, model)
    if request["ask"] == "look":
        wanted = {key: request[key] for key in ("node", "unit", "attribution") if key in request}
        return look.look(model, picture, **wanted)
    if request["ask"] == "map":
        return look.unit_map(model, picture, request["node"], request["unit"])
    if request["ask"] == "caricature":
        return look.caricature(model, picture, request["node"], on_step)
    raise BadInput(f"{request['ask']!r} is no question; expected look, map or caricature")
