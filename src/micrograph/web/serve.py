"""Starting the site."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from micrograph.errors import BadInput, Conflict, Unavailable
from micrograph.heap import share_between_threads
from micrograph.parts.commands import Commands
from micrograph.web.endings import end_quietly
from micrograph.web.known import Known
from micrograph.web.proxies import Proxies
from micrograph.web.settings import SiteSettings, nothing_known
from micrograph.web.several import serve_by_several
from micrograph.web.token import Token
from micrograph.workers import Supervisor

_PATIENCE = 1
"""Seconds that requests under way have when the site is told to end."""
OPTIONS: dict[str, Any] = {
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "timeout_graceful_shutdown": _PATIENCE,
    "proxy_headers": False,  # the application asks `Proxies` whom to believe
    "timeout_worker_healthcheck": 30,  # a machine may have much else to do
}
"""Of uvicorn."""


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
    known: Callable[[str], Known] = nothing_known,
    catalogue: Path | None = None,
    workers: Supervisor | None = None,
    hosts: Sequence[str] = (),
    commands: Commands | None = None,
    proxies: Proxies | None = None,
    read_only: bool = False,
    token: Token | None = None,
    processes: int = 1,
) -> None:
    """Show the atlases in `folders` until interrupted; without folders the bundled ones.

    The first folder has precedence; models that only `catalogue` knows come last. Pictures asked
    for on a page go into the folder `writable`.
    `known` says whether the model of an id can be run here. `workers` are those that work for it,
    where the caller has use for them too. `commands` are what pages tell readers to type, `hosts`
    further names of the site: a request over loopback that names another one is refused. `port` 0
    takes any free one. `proxies` are those in front of the site; one that is `read_only` neither
    renders nor looks at pictures; with a `token` it shows nothing to those who lack it.
    `processes` answer, each with the whole site; what renders and looks is one queue for all.
    `announce` is called with the site's URL as soon as it answers.
    Raises Conflict when the port is taken, Unavailable when the address cannot be used, BadInput
    for a port that is none.
    """
    if processes < 1 or (processes > 1 and workers is not None):
        raise BadInput(
            f"processes={processes}; expected 1 or more, and 1 with workers of one's own"
        )
    settings = SiteSettings(
        tuple(folders),
        catalogue,
        writable,
        known,
        commands,
        tuple(hosts),
        proxies,
        read_only,
        token,
    )
    with bind(host, port) as listener:
        address, bound = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        if address in ("0.0.0.0", "::"):
            shown = "localhost"
        url = f"http://{shown}:{bound}{proxies.prefix if proxies else ''}/"

        def told() -> None:
            if announce:
                announce(url)

        if processes > 1:
            serve_by_several(settings, listener, processes, told, OPTIONS)
        else:
            share_between_threads()
            config = uvicorn.Config(settings.app(workers=workers), **OPTIONS)
            end_quietly()
            _Server(config, told).run([listener])


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
