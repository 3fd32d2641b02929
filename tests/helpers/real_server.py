"""The site behind a real server, and requests that are written by hand."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from micrograph.web.serve import bind


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """The port on which an application answers."""
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, server_header=False)
    )
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def sent(port: int, data: bytes, ended: bool = False) -> bytes:
    """What comes back until the server closes the connection; `ended` says that no more comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        answer = b""
        try:
            link.sendall(data)
            if ended:
                link.shutdown(socket.SHUT_WR)
            while part := link.recv(65536):
                answer += part
        except ConnectionError:
            pass  # closed before everything was read
    return answer
