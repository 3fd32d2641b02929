"""A site as a lab runs it: memory of its processes, rate with one and with two, pages beside work.

    python benchmarks/serving.py [memory] [rate] [beside] [--write]

Starts `micrograph serve` on the bundled atlases and asks it over loopback, so that the asking takes
its share of the processors too. What is said is ratios within one run, and medians over rounds that
take turns: neighbours on the machine come and go.

- memory: what each process holds (resident; and its share of what it has in common with others)
  while 10,000 pages over all models, nodes and units are asked for, every other one as its twin.
- rate: pages a second through 16 connections, of one process and of two.
- beside: the time of a unit page, made anew, through one connection, while nothing else happens and
  while units are rendered live and a picture is looked at, one after the other, each
  of them once before (torch is loaded then).

On a machine with nothing else to do all three take less than four minutes.

`--write` puts the tables into docs/benchmarks.md.
"""

import argparse
import contextlib
import http.client
import io
import itertools
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from PIL import Image

from micrograph.atlas import Library, bundled_gallery

DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
START, END = "<!-- benchmarks/serving.py {} -->\n", "<!-- end -->\n"
REQUESTS = 10_000
CONNECTIONS = 16
MODEL = "toytown"
NODES = ("conv0", "mixed4a", "mixed5b")


class Site:
    """`micrograph serve`, and who asks it."""

    def __init__(self, *options: str) -> None:
        self._home = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "micrograph", "serve", "--port", "0", *options],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_DATA_HOME": self._home.name, "XDG_CACHE_HOME": self._home.name},
        )
        assert self._process.stdout is not None
        found = re.search(r"http://\S+", self._process.stdout.readline())
        assert found, "the site did not start"
        self.netloc = urlsplit(found[0]).netloc

    def __enter__(self) -> "Site":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._home.cleanup()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.netloc, timeout=300)

    def settle(self) -> None:
        """Wait until nothing is under way: at first atlases are read for the index."""
        before = -1.0
        while (now := sum(map(cpu_seconds, self._all()))) - before > 0.05:
            before = now
            time.sleep(1)

    def _all(self) -> list[int]:
        """Its processes, those that render and look among them."""
        found = [self._process.pid]
        for pid in found:
            for one in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, _read(str(one)).split())
        return found

    def processes(self) -> list[int]:
        """Those that answer."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        several = [int(c) for c in children if b"spawn_main" in _read(f"/proc/{c}/cmdline")]
        return several or [pid]


def _read(path: str) -> bytes:
    with contextlib.suppress(OSError):
        return Path(path).read_bytes()
    return b""


def held(pid: int) -> tuple[float, float]:
    """What a process holds in MB: resident, and its share of what several have in common."""
    text = _read(f"/proc/{pid}/smaps_rollup").decode()
    kinds = dict(re.findall(r"^(\w+): +(\d+) kB", text, re.M))
    return int(kinds["Rss"]) / 1000, int(kinds["Pss"]) / 1000


def cpu_seconds(pid: int) -> float:
    """That a process has taken; 0 once it is gone."""
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks if fields else 0.0


def all_pages() -> list[str]:
    """Of every model, node and unit of the bundled atlases, and those about all."""
    found = ["/", "/models", "/about", "/search?q=dog", "/search?q=4c:447"]
    for atlas in Library([bundled_gallery()]).snapshot().atlases():
        model = f"/models/{quote(atlas.model.id)}"
        found += [model, *(f"{model}/{quote(node)}" for node in atlas.nodes)]
        for node in atlas.nodes.values():
            found += [f"{model}/{quote(node.id)}/{unit}" for unit in range(node.units)]
    return found


def fetch(connection: http.client.HTTPConnection, path: str) -> int:
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status in (200, 303), (path, answer.status)
    return answer.status


def mixed(count: int, seed: int) -> list[str]:
    """Pages in any order, every other one as its twin."""
    pages = all_pages()
    chosen = random.Random(seed).sample(pages * (1 + count // len(pages)), count)
    return [
        page if number % 2 else page.replace("?", ".json?", 1) if "?" in page else page + ".json"
        for number, page in enumerate(chosen)
    ]


def ask_all(site: Site, paths: list[str], connections: int) -> float:
    """Seconds that all take through so many connections."""
    todo = iter(paths)
    lock = threading.Lock()

    def work() -> None:
        connection = site.connection()
        while True:
            with lock:
                path = next(todo, None)
            if path is None:
                break
            fetch(connection, path)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def memory(requests: int) -> str:
    """The table of what the processes hold."""
    rows = ["| pages asked for | resident, MB | share, MB |", "|---|---|---|"]
    paths = mixed(requests, 1)
    marks = [0, requests // 10, requests // 2, requests]
    with Site("--workers", "2") as site:
        fetch(site.connection(), "/health")
        while len(site.processes()) < 2:
            time.sleep(0.1)
        for before, after in itertools.pairwise([0, *marks]):
            ask_all(site, paths[before:after], CONNECTIONS)
            found = [held(pid) for pid in site.processes()]
            texts = (" and ".join(f"{one[kind]:.0f}" for one in found) for kind in (0, 1))
            rows.append(f"| {after:,} | {' | '.join(texts)} |")
            print(rows[-1], flush=True)
    return "\n".join(rows) + "\n"


def rate(rounds: int, pages: int) -> str:
    """The table of pages a second."""
    found: dict[int, list[float]] = {1: [], 2: []}
    with Site() as one, Site("--workers", "2") as two:
        ask_all(one, mixed(pages, 2), CONNECTIONS)
        ask_all(two, mixed(2 * pages, 2), CONNECTIONS)
        one.settle(), two.settle()
        for number in range(rounds):
            for count, site in ((1, one), (2, two)):
                paths = mixed(pages, 10 + number)
                found[count].append(len(paths) / ask_all(site, paths, CONNECTIONS))
                print(count, round(found[count][-1]), flush=True)
    ratios = [b / a for a, b in zip(found[1], found[2], strict=True)]
    return (
        "| processes | pages a second | ratio |\n|---|---|---|\n"
        f"| 1 | {statistics.median(found[1]):.0f} | 1 |\n"
        f"| 2 | {statistics.median(found[2]):.0f} | {statistics.median(ratios):.2f} |\n"
    )


def times(site: Site, paths: list[str]) -> list[float]:
    """Milliseconds of each page through one connection."""
    connection, found = site.connection(), []
    for path in paths:
        begun = time.perf_counter()
        fetch(connection, path)
        found.append(1000 * (time.perf_counter() - begun))
    connection.close()
    return found


def post(site: Site, path: str, body: bytes, kind: str) -> tuple[int, bytes]:
    connection = site.connection()
    connection.request(
        "POST", path, body, {"Content-Type": kind, "Origin": f"http://{site.netloc}"}
    )
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


@contextlib.contextmanager
def at_work(site: Site, units: Iterator[int]) -> Iterator[list[int]]:
    """While it is open units are rendered and a picture is looked at, again and again, both of them
    once before. Gives the numbers of units and looks, so far."""
    data = io.BytesIO()
    Image.effect_noise((400, 300), 80).convert("RGB").save(data, "PNG")
    end, done = threading.Event(), [0, 0]

    def look() -> None:
        while not end.is_set():
            status, said = post(site, f"/models/{MODEL}/look", data.getvalue(), "image/png")
            assert status == 200 or end.is_set(), said
            done[1] += 1

    def render() -> None:
        while not end.is_set():
            unit = next(units)
            path = f"/models/{MODEL}/{NODES[unit % len(NODES)]}/{unit // len(NODES)}"
            status, said = post(site, f"{path}/render", b"{}", "application/json")
            assert status == 202, said
            state = "queued"
            while state in ("queued", "running"):  # to its end: idle is idle
                time.sleep(0.2)
                connection = site.connection()
                connection.request("GET", f"{path}.json")
                state = json.loads(connection.getresponse().read())["render"]["state"]
                connection.close()
            assert state != "failed", path
            done[0] += 1

    threads = [threading.Thread(target=work) for work in (look, render)]
    for thread in threads:
        thread.start()
    while not all(done):
        time.sleep(0.1)
        assert all(thread.is_alive() for thread in threads)
    yield done
    end.set()
    for thread in threads:
        thread.join()


def beside(rounds: int, pages: int) -> str:
    """The table of times beside work."""
    found: dict[str, list[tuple[float, float]]] = {"idle": [], "at work": []}
    atlas = Library([bundled_gallery()]).snapshot().model("inceptionv1_caffe")
    places = [f"/{n.id}/{u}" for n in atlas.nodes.values() for u in range(n.units)]
    random.Random(3).shuffle(places)
    paths, units = (f"/models/inceptionv1_caffe{one}" for one in places), itertools.count()

    def measure(what: str) -> None:
        took = times(site, list(itertools.islice(paths, pages)))
        found[what].append((statistics.median(took), statistics.quantiles(took, n=100)[98]))
        print(what, *(f"{one:.1f}" for one in found[what][-1]), flush=True)

    with Site() as site:
        times(site, list(itertools.islice(paths, 100)))
        for _ in range(rounds):
            site.settle()
            measure("idle")
            with at_work(site, units) as done:
                before = [*done]
                measure("at work")
                print("units, looks:", *(b - a for a, b in zip(before, done, strict=True)))
    rows = ["| | p50, ms | p99, ms |", "|---|---|---|"]
    for what, both in found.items():
        middle = (statistics.median(kind) for kind in zip(*both, strict=True))
        rows.append(f"| {what} | {' | '.join(f'{one:.1f}' for one in middle)} |")
    pairs = list(zip(found["idle"], found["at work"], strict=True))
    ratios = (statistics.median(b[kind] / a[kind] for a, b in pairs) for kind in (0, 1))
    rows.append(f"| ratio | {' | '.join(f'{one:.2f}' for one in ratios)} |")
    return "\n".join(rows) + "\n"


def machine() -> str:
    """The processor, as the system names it."""
    lines = _read("/proc/cpuinfo").decode().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if "model name" in line)
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {next(named, '')}:"


def write(name: str, text: str) -> None:
    """Between its marks in the docs."""
    page = DOCS.read_text("utf-8")
    before, mark, rest = page.partition(START.format(name))
    assert mark, f"docs/benchmarks.md has no place for {name}"
    after = rest.partition(END)[2]
    DOCS.write_text(f"{before}{mark}{machine()}\n\n{text}{END}{after}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help="memory, rate, beside; all without any")
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pages", type=int, default=300, help="of a round")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    tables = {
        "memory": lambda: memory(given.requests),
        "rate": lambda: rate(given.rounds, given.pages),
        "beside": lambda: beside(given.rounds, given.pages),
    }
    for name in given.what or tables:
        text = tables[name]()
        print(f"{machine()}\n\n{text}", flush=True)
        if given.write:
            write(name, text)


if __name__ == "__main__":
    main()
