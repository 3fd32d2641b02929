"""A server of this machine that gives the pictures of a small published set."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import published_samples as samples


class Server(http.server.ThreadingHTTPServer):
    """Gives files by name. `cut` are names whose next answer breaks off, `most` the largest number
    of answers at a time."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {
            one.name: samples.drawing(n) for n, one in enumerate(samples.listing().pictures)
        }
        self.asked: list[tuple[str, str | None]] = []
        self.cut: set[str] = set()
        self.lock, self.now, self.most = threading.Lock(), 0, 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        server, name = self.server, unquote(self.path[1:])
        with server.lock:
            server.asked.append((name, self.headers.get("Range")))
            server.now += 1
            server.most = max(server.most, server.now)
        try:
            self.give(name)
        finally:
            with server.lock:
                server.now -= 1

    def give(self, name: str) -> None:
        data = self.server.files.get(name)
        if data is None:
            self.send_error(404)
            return
        asked, start = self.headers.get("Range"), 0
        if asked:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("ETag", '"one"')
        self.end_headers()
        cut = name in self.server.cut
        self.server.cut.discard(name)
        self.wfile.write(data[start : len(data) // 2 if cut else None])


@contextmanager
def serving() -> Iterator[Server]:
    """A server for as long as the context lasts."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
