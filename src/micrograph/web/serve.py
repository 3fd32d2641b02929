"""Starting the site."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from micrograph.atlas import Library, bundled_gallery
from micrograph.errors import BadInput, Conflict, Unavailable
from micrograph.parts.commands import Commands
from micrograph.web.app import create_app
from micrograph.web.indexing import index_of
from micrograph.web.known import Known
from micrograph.workers import Supervisor


class _Server(uvicorn.Server):
    """Says its address once it really answers."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


def serve(
    folders: Sequence[Path],
    host: str = "127.0.0.1",
    port: int = 8000,
    writable: Path | None = None,
    announce: Callable[[str], None] | None = None,
    known: Callable[[str], Known] = lambda model: Known(),
    catalogue: Path | None = None,
    workers: Supervisor | None = None,
    commands: Commands | None = None,
) -> None:
    """Show the atlases in `folders` until interrupted; without folders the bundled ones.

    The first folder has precedence; models that only `catalogue` knows come last. Pictures asked
    for on a page go into the folder `writable`.
    `known` says whether the model of an id can be run here. `workers` are those that work for it,
    where the caller has use for them too. `commands` are what pages tell readers to type. `port` 0
    takes any free one.
    `announce` is called with the site's URL as soon as it answers.
    Raises Conflict when the port is taken, Unavailable when the address cannot be used, BadInput
    for a port that is none.
    """
    with bind(host, port) as listener:
        address, bound = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        if address in ("0.0.0.0", "::"):
            shown = "localhost"
        url = f"http://{shown}:{bound}/"
        places = folders or [bundled_gallery()]
        library = Library(places, catalogue, index_of(places))
        config = uvicorn.Config(
            create_app(library, writable, known=known, workers=workers, commands=commands),
            log_level="warning",
            access_log=False,
            server_header=False,
        )
        _Server(config, lambda: announce(url) if announce else None).run([listener])


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything starts, so that a busy port is one clear line."""
    if not 0 <= port <= 65535:
        raise BadInput(f"port {port} is out of range; expected 0-65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise BadInput(f"{host!r} is no address of this machine: {error.strerror}") from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(128)
    except PermissionError as error:
        listener.close()
        raise Unavailable(
            f"port {port} needs more rights than this user has; choose one above 1023 with --port"
        ) from error
    except OSError as error:
        listener.close()
        if error.errno == 98 or "in use" in str(error).lower():
            raise Conflict(
                f"port {port} on {host} is taken; {_free_port(host, port)} is free: "
                f"--port {_free_port(host, port)}"
            ) from error
        raise Unavailable(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def _free_port(host: str, busy: int) -> int:
    """The next free port above `busy`, else any."""
    for port in [*range(busy + 1, min(busy + 50, 65536)), 0]:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, port))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    return 0
