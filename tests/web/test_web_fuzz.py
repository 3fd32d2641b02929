"""Thousands of requests that nobody would send, and what holds for the answer to each of them.

What fails is printed as a line; MICROGRAPH_REQUEST='that line' asks just that again.
"""

import asyncio
import hashlib
import logging
import os
import shlex
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lens_samples
import pytest
import web_samples
from answer_rules import check, same
from asked import Answered, Asked, ask, ask_all
from hostile_requests import Names, request, routes_of

from micrograph.atlas import Library
from micrograph.web import create_app
from micrograph.web.known import Known
from micrograph.web.microscope import Microscope
from micrograph.web.static import STATIC
from micrograph.workers import Order, Pool, PoolFull, QueueFull, Supervisor, Ticket

SECONDS = 5.0
"""An answer may take, in seconds of this process: a hundred times what the slowest takes."""
STORED = Path(__file__).parents[1] / "twins" / "atlases"


class Counting(Supervisor):
    """Nobody works here: orders are counted, and refused."""

    def __init__(self) -> None:
        super().__init__()
        self.orders = 0

    def submit(self, lane: str, order: Order, most: int | None = None) -> Ticket:
        self.orders += 1
        raise QueueFull(4)


class CountingPool(Pool):
    """As `Counting`, of live pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.orders = 0

    def submit(self, *asked: Any, **more: Any) -> Any:
        self.orders += 1
        raise PoolFull(4)


class Site:
    """A site over copies of atlases, with what it must not change."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workers, self.pool = folder, Counting(), CountingPool()
        library = Library([folder])
        # Every model can be run, as far as the site knows: so that all that work is asked for is.
        self.app = create_app(
            library,
            folder / "new",
            workers=self.workers,
            known=lambda model: Known(),
            microscope=Microscope(folder / "new", pool=self.pool),
        )
        files = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.*")]
        self.routes = routes_of(self.app)
        self.names = Names(library.snapshot(), self.routes, files)

    @property
    def orders(self) -> int:
        """What was to be done so far."""
        return self.workers.orders + self.pool.orders

    def state(self) -> dict[str, str]:
        """Every file below the folder by digest."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("fuzzed")
    web_samples.write(folder)
    lens_samples.write(folder)
    return Site(folder)


def follow_ups(asked: Asked, answered: Answered) -> list[Asked]:
    """What is asked behind a GET: the same without a body, and whether it has changed."""
    found = [replace(asked, method="HEAD")]
    if answered.status == 200 and (etag := answered.header("etag")):
        others = [(k, v) for k, v in asked.headers if k != "if-none-match"]
        found.append(replace(asked, headers=(*others, ("if-none-match", etag))))
    return found


def may_work(asked: Asked) -> bool:
    """Whether a GET may have work done: a heat map, and a live picture that is asked for."""
    path, _, query = asked.path.partition("?")
    accepted = dict(asked.headers).get("accept", "")
    live = path.endswith("/live") and ("run=" in query or "event-stream" in accepted)
    return asked.path.endswith("/map") or live


async def judge(site: Site, asked: Asked) -> Answered:
    """The answer to a request, of which every rule holds."""
    started, orders = time.process_time(), site.orders
    answered = await ask(site.app, asked)
    seconds = time.process_time() - started
    check(asked, answered)
    assert seconds < SECONDS, f"took {seconds:.1f} s"
    if asked.method in ("GET", "HEAD") and not may_work(asked):
        assert site.orders == orders, "starts work"
    if asked.method == "GET":
        without, *again = follow_ups(asked, answered)
        head = await ask(site.app, without)
        assert not same(answered, head), f"as HEAD differs: {same(answered, head)}"
        for one in again:
            unchanged = await ask(site.app, one)
            assert unchanged.status == 304, f"is sent again: {unchanged.status}"
            assert unchanged.header("etag") == answered.header("etag")
            assert not unchanged.body
    return answered


def ask_and_judge(site: Site, seed: int, numbers: Sequence[int], caplog: Any) -> Counter[int]:
    """How often each status came."""
    before, statuses = site.state(), Counter[int]()
    only = os.environ.get("MICROGRAPH_REQUEST", "")
    made = (request(seed, number, site.routes, site.names) for number in numbers)

    async def run() -> None:
        for asked in [Asked.of_line(only)] if only else made:
            try:
                statuses[(await judge(site, asked)).status] += 1
                assert not caplog.records, f"is in the log: {caplog.text}"
            except AssertionError as error:
                line = shlex.quote(asked.line())
                pytest.fail(f"{error}\nMICROGRAPH_REQUEST={line}", pytrace=False)

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert site.state() == before
    return statuses


def test_every_answer_keeps_the_rules(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    statuses = ask_and_judge(site, 0, range(600), caplog)
    assert {200, 307, 400, 403, 404, 405, 409, 415} <= {*statuses}
    assert statuses[200] > 100


@pytest.mark.nightly
def test_every_answer_keeps_the_rules_at_night(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Over atlases of all formats, with results of every lens."""
    for path in STORED.glob("*.atlas"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    web_samples.write(tmp_path)
    lens_samples.write(tmp_path)
    seed = int(time.time()) // 86400  # others every night
    ask_and_judge(Site(tmp_path), seed, range(10_000), caplog)


def test_a_request_is_made_again_from_its_seed_and_from_its_line(site: Site) -> None:
    made = [request(7, number, site.routes, site.names) for number in range(200)]
    assert made == [request(7, number, site.routes, site.names) for number in range(200)]
    assert made == [Asked.of_line(one.line()) for one in made]
    assert len({*made}) > 190


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"status": 500}, "is 500"),
        ({"body": b"<!doctype html><h1>a<x></h1>"}, "closes another"),
        ({"body": b"<!doctype html><h1>a</h1><x></x>"}, "was sent"),
        ({"headers": [("content-type", "text/html; charset=utf-8")]}, "has no content-security"),
        ({"error": ValueError("x")}, "raised"),
    ],
)
def test_what_breaks_a_rule_is_found(site: Site, change: dict[str, Any], says: str) -> None:
    asked = Asked("GET", "/about", (("host", "localhost"),))
    (answered,) = ask_all(site.app, [asked])
    check(asked, answered)
    answered.headers = [(k, v) for k, v in answered.headers if k != "content-length"]
    with pytest.raises(AssertionError, match=says):
        check(asked, replace(answered, **change))
