"""Pictures that are small files and large pictures, bodies that never come, and a site that is told
to end in the middle of it: with a real server, in a process of its own."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path

import pytest
import uvicorn
from PIL import Image

from micrograph.atlas import Library
from micrograph.web import create_app, uploads
from micrograph.web.incoming import AT_ONCE
from micrograph.web.serve import bind

SERVER = """
import sys
from pathlib import Path
from micrograph.atlas import Library
from micrograph.web import serve, picture_questions
picture_questions.PictureQuestions.__init__.__defaults__ = (
    lambda model, digest: [sys.executable, "-c", "import time; time.sleep(600)"], None
)
try:
    serve([Path(sys.argv[1])], port=0, announce=lambda url: print(url, flush=True))
finally:
    # Not `ru_maxrss`, which begins with what the parent had.
    status = Path("/proc/self/status").read_text()
    print(status.partition("VmHWM:")[2].split()[0], flush=True)
"""
LOOK = "/models/tinynet/look"


@pytest.fixture
def server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
        yield process, port
        process.kill()


def head(length: int, **more: str) -> bytes:
    fields = {
        "Host": "localhost",
        "Content-Type": "image/png",
        "Content-Length": str(length),
        "Sec-Fetch-Site": "same-origin",
    } | {name.replace("_", "-"): value for name, value in more.items()}
    lines = [f"POST {LOOK} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items()), "", ""]
    return "\r\n".join(lines).encode()


def send(port: int, *parts: bytes) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port), timeout=60)
    for part in parts:
        link.sendall(part)
    return link


def answer(link: socket.socket) -> HTTPResponse:
    found = HTTPResponse(link)
    found.begin()
    return found


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_large_pictures_take_turns(server: tuple[subprocess.Popen[str], int]) -> None:
    """Pictures of 36 megapixels, 144 MB each when decoded, from small files."""
    process, port = server
    file = BytesIO()
    Image.new("RGB", (6000, 6000), "red").save(file, "PNG")
    body = file.getvalue()
    assert len(body) < 500_000

    def post(_: int) -> socket.socket:
        return send(port, head(len(body), Accept="application/x-ndjson"), body)

    with ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        links = [stack.enter_context(link) for link in pool.map(post, range(8))]
        found = [answer(link).status for link in links]
        assert set(found) <= {200, 409}
        assert found.count(200) >= AT_ONCE
    assert process.stdout is not None
    process.send_signal(signal.SIGINT)
    megabytes = int(process.stdout.read()) / 1024
    assert megabytes < 600


def resident(pid: int) -> float:
    """Megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_memory_is_given_back_after_large_pictures(
    server: tuple[subprocess.Popen[str], int],
) -> None:
    process, port = server
    small, large = BytesIO(), BytesIO()
    Image.new("RGB", (40, 30), "red").save(small, "PNG")
    Image.new("RGBA", (6000, 6000), "red").save(large, "PNG")
    before = 0.0
    for body in [small.getvalue(), *[large.getvalue()] * 2]:
        accept = "application/x-ndjson"  # headers come once the picture is decoded
        with send(port, head(len(body), Accept=accept), body) as link:
            assert answer(link).status == 200
        before = before or resident(process.pid)
    assert resident(process.pid) < before + 60, "decoded, one takes 144 MB"


def test_it_ends_when_told_with_uploads_and_streams_open(
    server: tuple[subprocess.Popen[str], int],
) -> None:
    process, port = server
    file = BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, "PNG")
    body = file.getvalue()
    with ExitStack() as stack:
        stack.enter_context(send(port, head(1_000_000), body))  # the rest never comes
        for accept in ("application/x-ndjson", "application/json"):
            stack.enter_context(send(port, head(len(body), Accept=accept), body))
        time.sleep(1)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        assert time.monotonic() - started < 6, "three seconds on a quiet machine"


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    """Of a site in this process."""
    listener = bind("127.0.0.1", 0)
    config = uvicorn.Config(
        create_app(Library([folder])), log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


def test_a_body_that_does_not_come_is_given_up(port: int, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "SECONDS", 0.2)
    with send(port, head(1000), b"begin") as link:
        assert answer(link).status == 408


def test_who_comes_while_too_many_send_is_told_at_once(port: int) -> None:
    with ExitStack() as stack:
        waiting = [stack.enter_context(send(port, head(1000), b"x")) for _ in range(AT_ONCE)]
        time.sleep(0.5)
        with send(port, head(1000), b"x") as link:
            found = answer(link)
            told = json.loads(found.read())
        assert (found.status, len(waiting)) == (409, AT_ONCE)
        assert "several pictures" in told["message"]
