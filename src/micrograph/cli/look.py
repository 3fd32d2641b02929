"""`micrograph look`: answers the site's questions about pictures, as a process of its own.

Hidden: a program talks to it. A request is a line of JSON, `{"ask": ..., "shape": [y, x, 3], ...}`,
and then the picture's pixels as raw bytes. With `"frames": N` a caricature's steps have the picture
as it stands after every N of them. The line `{"cancel": true}` takes back what was asked before it:
work on it ends with its next step, as a failure. It tells events, one on each line
(`micrograph.events`): steps on the way, then an answer or a failure. The first line says that the
model is there, or why not. It ends when its input does, or when nobody is left who could read what
it says.
"""

import json
import os
import queue
import threading
from collections.abc import Callable, Iterator
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
    tell = event_teller(ends_with_reader=True)
    try:
        loaded = load_for_site(model, digest, asked)
        _look_once(loaded)
    except MicrographError as error:
        tell(Failed(str(error)))
        return
    # Its own file: a thread that waits in `sys.stdin` would not let the interpreter end.
    questions = Questions(os.fdopen(os.dup(0), "rb"))
    tell(Answer("ready"))
    for request, pixels in questions:

        def on_step(step: Step) -> None:
            questions.check()
            tell(step)

        try:
            questions.check()
            tell(Answer(_answer(loaded, request, pixels, on_step)))
        except MicrographError as error:
            tell(Failed(str(error), error.status))
        except MemoryError:
            tell(Failed("no memory is left for this picture"))
        except Exception as error:  # of somebody's network: whatever it is, others still ask
            tell(failure(loaded, error))


def failure(model: "Model", error: Exception) -> Failed:
    """What went wrong inside a network, in one line."""
    from micrograph.runner.failing import in_one_line

    return Failed(f"{model.id} failed on this picture ({in_one_line(error)})")


def load_for_site(id: str, digest: str, asked: ModelOptions) -> "Model":
    """The model of an id, with the weights that an atlas names. Raises Unavailable and Conflict."""
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
    return model


def _look_once(model: "Model") -> None:
    """Nodes are found, and kernels chosen, before somebody waits for them."""
    from micrograph.runner.look import fit, look

    look(model, fit(_grey(model.preprocessing.size), model), None, None, False)


def _grey(size: int) -> "np.ndarray":
    import numpy as np

    return np.full((size, size, 3), 128, np.uint8)


class Questions:
    """Each request of `stream` and its pixels, until it ends. It is read by a thread of its own, so
    that a request can be taken back while it is worked on."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._asked: queue.Queue[tuple[dict[str, Any], np.ndarray] | None] = queue.Queue()
        self._read = self._begun = self._cancelled = 0  # numbers of requests, from 1
        threading.Thread(target=self._read_all, args=(stream,), daemon=True).start()

    def __iter__(self) -> Iterator[tuple[dict[str, Any], "np.ndarray"]]:
        while (asked := self._asked.get()) is not None:
            self._begun += 1
            yield asked

    def check(self) -> None:
        """Raises Unavailable where the request that was given last has been taken back."""
        if self._begun <= self._cancelled:
            raise Unavailable("the question was taken back")

    def _read_all(self, stream: IO[bytes]) -> None:
        try:
            for request, pixels in _requests(stream):
                if request.get("cancel"):
                    self._cancelled = self._read
                else:
                    self._read += 1
                    self._asked.put((request, pixels))
        finally:
            self._asked.put(None)


def _requests(stream: IO[bytes]) -> Iterator[tuple[dict[str, Any], "np.ndarray"]]:
    import numpy as np

    while line := stream.readline():
        request = json.loads(line)
        shape = tuple(request.get("shape", (0, 0, 3)))
        pixels = stream.read(int(np.prod(shape)))
        if len(pixels) < np.prod(shape):
            return
        yield request, np.frombuffer(bytearray(pixels), np.uint8).reshape(shape)


def _answer(
    model: "Model",
    request: dict[str, Any],
    pixels: "np.ndarray",
    on_step: Callable[[Step], None],
) -> Any:
    from micrograph.runner import look
    from micrograph.runner.frames import checked_frames, step_hook

    picture = look.fit(pixels, model)
    if request["ask"] == "look":
        wanted = {key: request[key] for key in ("node", "unit", "attribution") if key in request}
        return look.look(model, picture, **wanted)
    if request["ask"] == "map":
        return look.unit_map(model, picture, request["node"], request["unit"])
    if request["ask"] == "caricature":
        hook = step_hook(on_step, checked_frames(request.get("frames", 0)))
        return look.caricature(model, picture, request["node"], hook)
    if request["ask"] == "graph":
        hook = step_hook(on_step, 0)
        return look.circuit(model, picture, request["node"], request["unit"], hook)
    if request["ask"] == "steer":
        hook = step_hook(on_step, 0)
        units = request.get("units") or [request["unit"]]
        return look.steered(model, picture, request["node"], units, request["how"], hook)
    raise BadInput(
        f"{request['ask']!r} is no question; expected look, map, caricature, graph or steer"
    )
