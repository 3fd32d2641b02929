"""A site as a lab runs it: memory of its processes, rate with one and with two, pages beside work.

    python benchmarks/serving.py [memory] [rate] [beside] [--write]

Starts `micrograph serve` on the bundled atlases and asks it over loopback, so that the asking takes
its share of the processors too. What is said is ratios within one run, and medians over rounds that
take turns: neighbours on the machine come and go.

- memory: what each process holds (resident; and its share of what it has in common with others)
  while 10,000 pages over all models, nodes and units are asked for, every other one as its twin.
- rate: pages a second through 16 connections, of one process and of two.
- beside: the time of a unit page, made anew, through one connection, while nothing else happens and
  while workers have all to do (`beside_work.py`).

On a machine with nothing else to do all three take less than four minutes.

`--write` puts the tables into docs/benchmarks.md.
"""

import argparse
import contextlib
import http.client
import itertools
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
from pathlib import Path
from urllib.parse import quote, urlsplit

from beside_work import beside
from sites import compiled

from micrograph.atlas import Library, bundled_gallery

DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
START, END = "<!-- benchmarks/serving.py {} -->\n", "<!-- end -->\n"
REQUESTS = 10_000
CONNECTIONS = 16


class Site:
    """`micrograph serve`, and who asks it."""

    def __init__(self, *options: str) -> None:
        self._home = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "micrograph", "serve", "--port", "0", *options],
            stdout=subprocess.PIPE,
            text=True,
            env={**compiled(), "XDG_DATA_HOME": self._home.name, "XDG_CACHE_HOME": self._home.name},
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


def unit_pages() -> list[str]:
    """Of all units of one model, in an order that is no reader's."""
    model = "inceptionv1_caffe"
    nodes = Library([bundled_gallery()]).snapshot().model(model).nodes.values()
    pages = [f"/models/{model}/{n.id}/{unit}" for n in nodes for unit in range(n.units)]
    random.Random(3).shuffle(pages)
    return pages


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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", type=int, default=200, help="of a round")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    tables = {
        "memory": lambda: memory(given.requests),
        "rate": lambda: rate(given.rounds, given.pages),
        "beside": lambda: beside(Site, unit_pages(), given.rounds, given.pages),
    }
    for name in given.what or tables:
        text = tables[name]()
        print(f"{machine()}\n\n{text}", flush=True)
        if given.write:
            write(name, text)


if __name__ == "__main__":
    main()
