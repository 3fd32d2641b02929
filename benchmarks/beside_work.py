"""How long pages take while workers of the site have all to do: the part `beside` of serving.py.

All units of a model are rendered in the background, a picture of a unit is made while somebody
watches, and a reader's picture is looked at, again and again: three workers side by side, each of
which has its model already. That all three went on meanwhile is counted, and shown.
"""

import contextlib
import http.client
import io
import itertools
import json
import math
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image

MODEL = "toytown"
UNIT = f"/models/{MODEL}/mixed4a"
PATIENCE = 300.0
"""Seconds until each of the workers has begun."""
LONGEST = 40.0
"""Seconds that a round is prolonged while not every worker has done something: results are stored
some at a time."""
WARM = 60
"""Pages that are asked for before any is measured."""


class Asked(Protocol):
    """A site that answers at `netloc`; `settle` waits until it does nothing by itself."""

    netloc: str

    def settle(self) -> None: ...


@dataclass
class Work:
    """What was done so far: results stored, steps of watched pictures, looks answered."""

    stored: int = 0
    steps: int = 0
    looks: int = 0
    failures: list[BaseException] = field(default_factory=list)

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.stored, self.steps, self.looks


def beside(
    start: Callable[[], AbstractContextManager[Asked]],
    pages: Sequence[str],
    rounds: int,
    of_a_round: int,
) -> str:
    """The table of times beside work. Idle and at work take turns; times are of all rounds
    together."""
    found: dict[str, list[float]] = {"idle": [], "at work": []}
    paths, done = itertools.cycle(pages), [0, 0, 0]
    with start() as site:
        times(site, itertools.islice(paths, WARM))
        with at_work(site):
            pass  # each worker has its model from then on
        for number in range(rounds):
            site.settle()
            found["idle"] += (idle := times(site, itertools.islice(paths, of_a_round)))
            with at_work(site) as work:
                before, more, busy = work.counts, [0, 0, 0], []
                end = time.monotonic() + LONGEST
                while not busy or (not all(more) and time.monotonic() < end):
                    busy += times(site, itertools.islice(paths, of_a_round))
                    more = [b - a for a, b in zip(before, work.counts, strict=True)]
            found["at work"] += busy
            done = [a + b for a, b in zip(done, more, strict=True)]
            print(number, f"{p99(idle):.1f} {p99(busy):.1f} {len(busy)}", more, flush=True)
    assert all(done), f"not all workers went on meanwhile: {done}"
    rows = ["| | p50, ms | p99, ms |", "|---|---|---|"]
    rows += [
        f"| {what} | {statistics.median(took):.1f} | {p99(took):.1f} |"
        for what, took in found.items()
    ]
    ratios = (of(found["at work"]) / of(found["idle"]) for of in (statistics.median, p99))
    rows.append(f"| ratio | {' | '.join(f'{one:.2f}' for one in ratios)} |")
    rows.append(
        f"\n{len(found['idle'])} and {len(found['at work'])} pages. Meanwhile {done[0]} results "
        f"were rendered and stored, {done[1]} steps were watched, {done[2]} looks were answered."
    )
    return "\n".join(rows) + "\n"


def times(site: Asked, paths: Iterator[str]) -> list[float]:
    """Milliseconds of each page through one connection."""
    found = []
    with contextlib.closing(connection_to(site)) as connection:
        for path in paths:
            begun = time.perf_counter()
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, (path, answer.status)
            found.append(1000 * (time.perf_counter() - begun))
    return found


@contextlib.contextmanager
def at_work(site: Asked) -> Iterator[Work]:
    """While it is open there is work for all workers. It opens when each of them has begun."""
    data, end, work = io.BytesIO(), threading.Event(), Work()
    Image.effect_noise((400, 300), 80).convert("RGB").save(data, "PNG")
    watched: list[http.client.HTTPConnection] = []

    def look() -> None:
        while not end.is_set():
            post(site, f"/models/{MODEL}/look", data.getvalue(), "image/png")
            work.looks += 1

    def watch() -> None:
        for unit in itertools.cycle(range(8)):
            if end.is_set():
                return
            with contextlib.closing(connection_to(site)) as connection:
                watched[:] = [connection]
                headers = {**_own(site), "Accept": "text/event-stream"}
                connection.request("GET", f"{UNIT}/{unit}/live?steps=2048&size=128", None, headers)
                answer = connection.getresponse()
                assert answer.status == 200, answer.read()
                for line in answer:
                    assert not line.startswith(b"event: failed"), answer.readline()
                    work.steps += line.startswith((b"event: step", b"event: frame"))
                    if end.is_set():
                        break

    def render() -> None:
        ask_for_rest(site, "start")
        while not end.wait(0.3):
            work.stored = ask_for_rest(site, "state")

    def noted(do: Callable[[], None]) -> None:
        try:
            do()
        except (OSError, ValueError, AttributeError, http.client.HTTPException) as error:
            if not end.is_set():  # else it was cut off by us
                work.failures.append(error)
        except BaseException as error:
            work.failures.append(error)

    threads = [
        threading.Thread(target=noted, args=(one,), daemon=True) for one in (look, watch, render)
    ]
    for thread in threads:
        thread.start()
    try:
        until = time.monotonic() + PATIENCE
        while not (all(work.counts) and work.steps > 2):
            assert not work.failures, work.failures
            assert time.monotonic() < until, f"not all workers began: {work.counts}"
            time.sleep(0.1)
        yield work
        assert not work.failures, work.failures
    finally:
        end.set()
        for connection in watched:
            connection.close()
        ask_for_rest(site, "stop")
        for thread in threads:
            thread.join(PATIENCE)


def ask_for_rest(site: Asked, do: str) -> int:
    """Start or stop rendering all units of the model, or only ask: how many results of it were
    stored since it was started."""
    body = json.dumps({"do": do}).encode()
    told = json.loads(post(site, f"/models/{MODEL}/render", body, "application/json"))["render"]
    assert told["state"] != "failed", told
    return int(told["stored"])


def post(site: Asked, path: str, body: bytes, kind: str) -> bytes:
    with contextlib.closing(connection_to(site)) as connection:
        connection.request("POST", path, body, {**_own(site), "Content-Type": kind})
        answer = connection.getresponse()
        said = answer.read()
    assert answer.status == 200, said
    return said


def connection_to(site: Asked) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(site.netloc, timeout=PATIENCE)


def _own(site: Asked) -> dict[str, str]:
    """What the site's own pages say."""
    return {"Origin": f"http://{site.netloc}", "Accept": "application/json"}


def p99(times: Sequence[float]) -> float:
    """The time that one of a hundred is longer than."""
    return sorted(times)[math.ceil(0.99 * len(times)) - 1]
