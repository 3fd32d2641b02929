"""Starting: without torch, and clear about a port that is taken."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from micrograph.errors import BadInput, Conflict
from micrograph.web.serve import bind, serve

START = """
import json, sys
from pathlib import Path
from micrograph.web import serve
serve([Path(sys.argv[1])], port=0, announce=lambda url: print(json.dumps({
    "url": url, "heavy": sorted({"torch", "numpy", "PIL"} & set(sys.modules)),
}), flush=True))
"""


@pytest.fixture
def start(folder):
    """Starts a site in a process of its own."""
    processes = []

    def make():
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        processes.append(process)
        return json.loads(process.stdout.readline()), process

    yield make
    for process in processes:
        process.kill()
        process.communicate()


def test_it_starts_without_what_takes_long_to_import(start):
    told, _ = start()
    assert told["heavy"] == []
    with urllib.request.urlopen(told["url"] + "models.json") as answer:
        assert json.load(answer)["models"][0]["model"]["id"] == "tinynet"


def test_an_interrupt_ends_it(start):
    _, process = start()
    process.send_signal(signal.SIGINT)
    process.wait(10)


def test_a_thousand_units_are_quick(client):
    client.get("/models/tinynet/wide")
    start = time.process_time()
    answer = client.get("/models/tinynet/wide")
    assert answer.text.count("<img") == 1024
    assert time.process_time() - start < 0.5


def test_a_busy_port_names_a_free_one():
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=rf"port {port} .* is taken; (\d+) is free") as told:
            serve([], port=port)
        free = int(str(told.value).rpartition(" ")[2])
        with bind("127.0.0.1", free):
            pass


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_a_port_that_is_none(port):
    with pytest.raises(BadInput, match="expected 0-65535"):
        bind("127.0.0.1", port)


def test_a_host_that_is_none():
    with pytest.raises(BadInput, match="no address"):
        bind("no.such.host.invalid", 8000)


def test_ipv6_where_there_is_any():
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(bind("::1", 0))
        except Exception as error:
            pytest.skip(f"no IPv6 here: {error}")
        assert listener.family == socket.AF_INET6
