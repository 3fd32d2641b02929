"""Pictures that are made while a reader watches, with a small script in the worker's place."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import live_worker
import pytest
from html_document import check_page
from web_client import Client

from micrograph.errors import Unavailable
from micrograph.events import Step, Waiting
from micrograph.parts.urls import Urls
from micrograph.web.broker import Broker
from micrograph.web.brokered_microscope import BrokeredMicroscope
from micrograph.web.known import Known
from micrograph.web.live import Live
from micrograph.web.microscope import Microscope, Wish
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.reader import Reader
from micrograph.web.token import Token
from micrograph.workers import Pool, PoolLimits

LIVE = "/models/tinynet/mixed1a/3/live"
SAME = {"sec-fetch-site": "same-origin", "accept": "text/event-stream"}
KEEP = {**SAME, "content-type": "application/json"}


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def site(
    client_of: Any, folder: Path, tmp_path: Path, log: Path
) -> Iterator[Callable[..., Client]]:
    """Makes a client of a site with a microscope."""
    made = []

    def make(pause: float = 0.001, limits: PoolLimits | None = None, **more: Any) -> Client:
        place = more.pop("writable", tmp_path / "kept")
        microscope = Microscope(
            place, lambda model, digest: live_worker.command(log, pause), Pool(limits)
        )
        made.append(microscope)
        return client_of(folder, writable=place, microscope=microscope, **more)

    make.made = made  # type: ignore[attr-defined]
    yield make
    for one in made:
        one.close()


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """What a stream tells, but for how long the worker takes to start, which differs."""
    found = []
    for part in text.strip().split("\n\n"):
        if part.startswith(":"):
            continue
        name, data = part.split("\n", 1)
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return [(name, data) for name, data in found if name != "waiting"]


def test_frames_come_as_events_and_the_last_is_done(site: Any) -> None:
    answer = site().ask("GET", f"{LIVE}?steps=3&seed=5", SAME)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    told = events(answer.text)
    assert told[0] == ("step", {"step": 0, "steps": 3})
    assert [name for name, _ in told[1:]] == ["frame"] * 4
    assert [data["step"] for _, data in told] == [0, 1, 2, 3, 3]
    last = told[-1][1]
    assert last["done"] is True
    assert last["score"] == 2.5
    assert last["recipe"]["seed"] == 5


def test_who_opens_the_address_gets_a_page_with_the_same_controls(site: Any) -> None:
    client = site()
    query = "steps=3&objective=neuron&at=1-2&others=-0.5*conv0/2&transforms=none"
    page = check_page(client, f"{LIVE}?{query}")
    values = {a["name"]: a.get("value") for a in page.all("input") if "name" in a}
    assert values["steps"] == "3"
    assert values["at"] == "1-2"
    assert values["others"] == "-0.5*conv0/2"
    checked = {a["value"] for a in page.all("input") if "checked" in a}
    assert checked == {"neuron", "positive"}
    twin = client.get(f"{LIVE}.json?{query}").json()
    assert twin["controls"]["transforms"] == "none"
    assert twin["picture"] is None
    assert "-o others=-0.5*conv0/2" in twin["command"]


def test_a_unit_without_a_map_has_no_positions_to_choose(site: Any) -> None:
    client = site()
    flat = check_page(client, "/models/tinynet/logits/1/live")
    assert "objective" not in {a.get("name") for a in flat.all("input")}
    asked = check_page(client, "/models/tinynet/logits/1/live?objective=neuron")
    assert "objective" in {a.get("name") for a in asked.all("input")}, "what is set can be unset"


def test_without_scripts_the_form_makes_the_picture_and_shows_the_last(
    site: Any, log: Path
) -> None:
    client = site()
    page = check_page(client, f"{LIVE}?steps=3&run=1")
    assert any((a.get("src") or "").startswith("data:image/png") for a in page.all("img"))
    assert "after 3 steps" in client.get(f"{LIVE}?steps=3").text
    assert client.get(f"{LIVE}.json?steps=3").json()["picture"]["step"] == 3
    client.get(f"{LIVE}?steps=3&run=1")
    assert log.read_text().count("done") == 1, "what is there is not made again"


def test_keeping_stores_it_and_needs_a_place(site: Any, log: Path) -> None:
    client = site()
    answer = client.ask("POST", f"{LIVE}?steps=2", KEEP, b"{}")
    assert ("stored", {"subject": "tinynet/mixed1a/3"}) in events(answer.text)
    made = json.loads(log.read_text().partition("done ")[2])
    assert made["folder"].endswith("kept")
    nowhere = site(writable=None)
    refused = nowhere.ask("POST", f"{LIVE}?steps=2", KEEP, b"{}")
    assert refused.status_code == 503
    assert "read-only" in refused.json()["message"]
    assert events(nowhere.ask("GET", f"{LIVE}?steps=2", SAME).text)[-1][1]["done"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("steps=0", "expected 1 to 2048"),
        ("steps=99999", "expected 1 to 2048"),
        ("steps=1e3", "whole number"),
        ("steps=%D9%A3", "whole number"),
        ("size=4096", "expected 32 to 512"),
        ("size=512&together=9", "too many"),
        ("objective=eval", "unknown objective"),
        ("sign=up", "unknown sign"),
        ("at=1-2", "a position is of a neuron"),
        ("objective=neuron&at=1", "is no position"),
        ("transforms=../../etc", "unknown transform"),
        ("together=3", "unknown together"),
        ("diversity=inf", "expected a number"),
        ("seed=-1", "out of range"),
        ("others=conv0", "is not understood"),
        ("others=0*conv0/1", "has no weight"),
        ("others=conv0/1,conv0/2,conv0/3,conv0/4,conv0/5", "at most 4"),
        ("others=nowhere/1", "unknown node"),
        ("others=conv0/4000", "out of range"),
        ("others=" + "a" * 2000, "others"),
    ],
)
def test_hostile_options_are_one_line(site: Any, log: Path, query: str, words: str) -> None:
    client = site()
    for headers in (SAME, {**KEEP}):
        method = "POST" if "content-type" in headers else "GET"
        answer = client.ask(method, f"{LIVE}?{query}", headers, b"{}")
        assert answer.status_code == 400
        assert words in answer.json()["message"]
        assert "\n" not in answer.json()["message"]
    page = client.get(f"{LIVE}.json?{query}")
    assert page.status_code == 400, "as every page answers a choice that it does not have"
    assert words in page.json()["message"]
    assert not log.exists(), "no worker hears of it"


def test_only_the_sites_own_pages_have_pictures_made(site: Any, log: Path) -> None:
    client = site()
    other = {**SAME, "sec-fetch-site": "cross-site"}
    assert client.ask("GET", LIVE, other).status_code == 403
    assert client.ask("POST", LIVE, {**KEEP, **other}, b"{}").status_code == 403
    assert client.ask("POST", LIVE, SAME, b"a=b").status_code == 403
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert client.ask("GET", f"{LIVE}?run=1", embedded).status_code == 403
    assert not log.exists()


def test_nothing_is_made_where_the_site_is_read_only_or_weights_are_missing(
    client_of: Any, folder: Path
) -> None:
    client = client_of(folder, read_only=True)
    refused = client.ask("GET", LIVE, SAME)
    assert refused.status_code == 503
    assert "read-only" in refused.json()["message"]
    assert "data-autostart" not in client.get(LIVE).text
    missing = Known("missing", ["micrograph weights fetch tinynet"])
    client = client_of(folder, known=lambda model: missing)
    refused = client.ask("GET", LIVE, SAME)
    assert refused.status_code == 503
    assert "micrograph weights fetch tinynet" in refused.json()["message"]


def test_a_token_is_asked_for_first(site: Any, log: Path) -> None:
    client = site(token=Token("a-token-of-a-lab-long-enough", "a test"))
    for method, headers in (("GET", SAME), ("POST", KEEP)):
        assert client.ask(method, LIVE, headers, b"{}").status_code == 401
    assert not log.exists()
    known = {**SAME, "authorization": "Bearer a-token-of-a-lab-long-enough"}
    answer = client.ask("GET", f"{LIVE}?steps=2", known)
    assert events(answer.text)[-1][1]["done"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_place_that_is_not_there_is_not_found(site: Any) -> None:
    client = site()
    for place in ("/models/tinynet/mixed1a/4000/live", "/models/nope/mixed1a/3/live"):
        assert client.ask("GET", place, SAME).status_code == 404
        assert client.get(place).status_code == 404
    page = client.get("/models/tinynet/MIXED1A/3/live?steps=3")
    assert page.headers["location"] == f"{LIVE}?steps=3"


def test_a_worker_that_dies_is_said_and_the_next_one_answers(site: Any) -> None:
    client = site()
    name, data = events(client.ask("GET", f"{LIVE}?seed=666", SAME).text)[-1]
    assert name == "failed"
    assert "has ended" in data["message"]
    name, data = events(client.ask("GET", f"{LIVE}?seed=404", SAME).text)[-1]
    assert (name, data) == ("failed", {"message": "no such unit", "status": 404})
    assert events(client.ask("GET", f"{LIVE}?steps=2", SAME).text)[-1][1]["done"]


def test_a_client_who_asks_for_too_much_at_a_time_is_told(site: Any) -> None:
    client = site(limits=PoolLimits(each=1))
    reader, begun = Reader("127.0.0.1"), threading.Event()
    first = threading.Thread(target=watch, args=(site.made[-1], reader, begun))
    first.start()
    assert begun.wait(20)
    name, data = events(client.ask("GET", f"{LIVE}?steps=2", SAME).text)[-1]
    assert (name, data["status"]) == ("failed", 429)
    reader.leave()
    first.join(10)
    assert events(client.ask("GET", f"{LIVE}?steps=2", SAME).text)[-1][1]["done"]


def watch(microscope: Microscope, reader: Reader, begun: threading.Event) -> None:
    """Until the reader leaves."""
    with pytest.raises(Unavailable):
        microscope.make(WISH, reader.client, lambda event: begun.set(), reader)


WISH = Wish("tinynet", "", "mixed1a", 3, {"steps": 2000})


@pytest.fixture
def brokered(tmp_path: Path, log: Path) -> Iterator[tuple[Microscope, BrokeredMicroscope]]:
    whole = Microscope(tmp_path, lambda model, digest: live_worker.command(log), Pool())
    broker = Broker(Live(None, Urls()), PictureQuestions(), lambda: None, whole)
    yield whole, BrokeredMicroscope(broker.address)
    broker.close()


@pytest.mark.parametrize("several", [False, True])
def test_a_reader_who_leaves_takes_it_back_within_a_step(
    brokered: Any, log: Path, several: bool
) -> None:
    microscope = brokered[several]
    reader, steps = Reader("one"), []

    def on_event(event: Any) -> None:
        if isinstance(event, Waiting):
            return
        steps.append(event.step)
        if event.step == 5:
            threading.Thread(target=reader.leave).start()

    with pytest.raises(Unavailable, match="the reader has left"):
        microscope.make(WISH, "one", on_event, reader)
    until(lambda: log.exists() and "cancelled" in log.read_text())
    assert int(log.read_text().split()[1]) < 40


def test_several_processes_share_the_workers(brokered: Any) -> None:
    _, process = brokered
    seen: list[Any] = []
    wish = Wish("tinynet", "", "mixed1a", 3, {"steps": 3})
    assert process.make(wish, "one", seen.append)["score"] == 2.5
    assert [one.step for one in seen if isinstance(one, Step)] == [1, 2, 3]
    assert process.finished(wish) is not None
    with pytest.raises(Exception, match="no such unit"):
        process.make(Wish("tinynet", "", "mixed1a", 3, {"steps": 3, "seed": 404}), "one")


@pytest.mark.parametrize("several", [False, True])
def test_who_waits_for_a_worker_to_start_is_told_for_how_long(
    tmp_path: Path, log: Path, several: bool
) -> None:
    def command(model: str, digest: str) -> list[str]:
        return live_worker.command(log, name=model, start=0.4)

    whole = Microscope(tmp_path, command, Pool(PoolLimits(workers=1), pause=0.05))
    broker = Broker(Live(None, Urls()), PictureQuestions(), lambda: None, whole)
    asked = BrokeredMicroscope(broker.address) if several else whole
    seen: list[list[Any]] = [[], []]
    for told, model in zip(seen, ("tinynet", "other"), strict=True):
        asked.make(Wish(model, "", "mixed1a", 3, {"steps": 1}), "one", told.append)
    broker.close()
    first, second = ([one for one in told if isinstance(one, Waiting)] for told in seen)
    seconds = [one.seconds for one in first]
    assert seconds == sorted(seconds)
    assert 0.3 < seconds[-1] < 20
    assert {one.about for one in first} == {None}
    assert 0.3 < second[-1].about < 20, "as long as the last one took"


def test_a_page_can_have_the_worker_started_ahead(site: Any, log: Path) -> None:
    client = site()
    ask = {**KEEP, "accept": "application/json"}
    answer = client.ask("POST", LIVE, ask, b'{"do": "prepare"}')
    assert (answer.status_code, answer.json()) == (202, {"ready": True})
    pool = site.made[-1]._pool
    (there,) = pool.commands
    pid = pool.pid(there)
    assert events(client.ask("GET", f"{LIVE}?steps=2", SAME).text)[-1][1]["done"]
    assert pool.pid(there) == pid
    for body in (b'{"do": "eat"}', b"[]", b"{", b'{"do": "prepare", "a": "' + b"a" * 2000 + b'"}'):
        refused = client.ask("POST", LIVE, ask, body)
        assert refused.status_code == 400
        assert refused.json()["kind"] == "error"
    for change in ({"sec-fetch-site": "cross-site"}, {"content-type": "text/plain"}):
        refused = client.ask("POST", LIVE, ask | change, b'{"do": "prepare"}')
        assert refused.status_code == 403
    until(lambda: "done" in log.read_text())
