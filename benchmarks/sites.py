"""Sites as processes of their own, and what they take."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

HERE = Path(__file__).parent.parent
_PATIENCE = 120.0
_QUIET = 0.5
"""Seconds without work after which a site is done with what it does at its start."""


@dataclass(frozen=True)
class Site:
    """A process that answers at a port of this machine. `started` is the seconds until it answered
    whether it is well, `started_cpu` those of CPU time."""

    port: int
    process: int
    started: float
    started_cpu: float

    def cpu_seconds(self) -> float:
        """What all threads of the process spent so far."""
        return _cpu(self.process)

    def megabytes(self) -> float:
        """What it holds in memory."""
        text = Path(f"/proc/{self.process}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1000  # type: ignore[index]

    def wait_until_idle(self) -> None:
        """Until it does nothing by itself, and what it started has ended: at first another process
        reads its atlases for the index."""
        before = -1.0
        while before != self.cpu_seconds() or _children(self.process):
            before = self.cpu_seconds()
            time.sleep(_QUIET)


def ours(atlases: Path, checkout: Path = HERE) -> AbstractContextManager[Site]:
    """The site of a checkout over a folder of atlases."""
    command = [sys.executable, "-m", "micrograph", "serve", "--atlas", str(atlases), "--port"]
    path = {"PYTHONPATH": str(checkout / "src"), "OMP_NUM_THREADS": "1"}
    return _running(command, {**compiled(), **path})


def bare() -> AbstractContextManager[Site]:
    """A server that has nothing to do for an answer, with the settings of ours."""
    command = [sys.executable, str(HERE / "benchmarks" / "bare_server.py")]
    return _running(command, compiled())


def compiled() -> dict[str, str]:
    """The environment, in which our code is compiled once, as it is where it was installed."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    place = Path(tempfile.gettempdir(), f"micrograph-benchmarks-{os.getuid()}")
    return {**env, "PYTHONPYCACHEPREFIX": str(place)}


def datasette(file: Path, python: Path) -> AbstractContextManager[Site]:
    """Datasette over one atlas, which it may not change."""
    command = [str(python), "-m", "datasette", "serve", "-i", str(file), "--port"]
    return _running(command, dict(os.environ))


@contextmanager
def _running(command: Sequence[str], env: dict[str, str]) -> Iterator[Site]:
    port = free_port()
    began = time.perf_counter()
    with subprocess.Popen(
        [*command, str(port)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(port, process)
            _ask_once(port, "/health")
            taken = time.perf_counter() - began
            site = Site(port, process.pid, taken, _cpu(process.pid))
            _ask_once(port)  # ours looks at its atlases then, and makes its index
            site.wait_until_idle()
            yield site
        finally:
            process.terminate()


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until it answers. Raises RuntimeError where it ends instead."""
    end = time.perf_counter() + _PATIENCE
    while time.perf_counter() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.005)
    raise TimeoutError(f"{process.args!r} does not answer")


def _ask_once(port: int, path: str = "/") -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    connection.request("GET", path)
    connection.getresponse().read()
    connection.close()


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _children(process: int) -> str:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return "".join(one.read_text() for one in tasks)


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
