"""Pages that have work done when they are opened: by whom, and at whose cost."""

import socket
import sys
import threading
import time
from typing import Any

import pytest
from crawling import links_of, paths_in
from real_server import serving
from test_web_on_picture import GRAPH
from web_client import Client

from micrograph.atlas import Library
from micrograph.web import create_app
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.proxies import Proxies
from micrograph.web.turns import Turns

PAGE = "/models/tinynet/conv0/3/on-picture"
ASKED = PAGE + "?picture=car"


class Answering(PictureQuestions):
    """Answers `GRAPH` once `may` is set; notes that its reader has `left`."""

    def __init__(self, **more: Any) -> None:
        super().__init__(lambda model, digest: [sys.executable], **more)
        self.asked, self.may, self.left = threading.Event(), threading.Event(), threading.Event()
        self.may.set()

    def ask(self, *given: Any, reader: Any = None, **more: Any) -> Any:
        if self.reason:
            return super().ask(*given, **more)
        reader = reader or given[5]
        reader.when_gone(self.left.set)
        self.asked.set()
        self.may.wait(20)
        return GRAPH.to_json()


@pytest.fixture
def look() -> Answering:
    return Answering()


def test_pages_do_not_wait_for_it(folder, look, monkeypatch):
    monkeypatch.setattr("micrograph.web.site.Turns", lambda: Turns(1, 15.0))
    site = Client(create_app(Library([folder]), look=look))
    look.may.clear()
    asking = threading.Thread(target=site.get, args=(ASKED,))
    asking.start()
    assert look.asked.wait(10)
    began = time.monotonic()
    assert site.get("/models/tinynet/conv0/1").status_code == 200
    took = time.monotonic() - began
    look.may.set()
    asking.join()
    assert took < 10


def test_who_leaves_takes_the_question_back(folder, look):
    look.may.clear()
    with serving(create_app(Library([folder]), look=look)) as port:
        with socket.create_connection(("127.0.0.1", port)) as link:
            link.sendall(f"GET {ASKED} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
            assert look.asked.wait(10)
        assert look.left.wait(5)
        look.may.set()


NAVIGATES = {"sec-fetch-mode": "navigate"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "none", "sec-fetch-dest": "document", **NAVIGATES}, 200),
        ({"sec-fetch-site": "same-origin", "sec-fetch-dest": "empty"}, 200),
        ({"sec-fetch-site": "cross-site", "sec-fetch-dest": "document", **NAVIGATES}, 200),
        ({"sec-fetch-site": "cross-site", "sec-fetch-dest": "iframe", **NAVIGATES}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-dest": "script"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"sec-fetch-site": "none", "sec-purpose": "prefetch;prerender", **NAVIGATES}, 403),
    ],
)
def test_another_site_can_only_lead_a_reader_there(folder, look, headers, status):
    site = Client(create_app(Library([folder]), look=look))
    for path in (ASKED, PAGE + ".json?picture=car"):
        assert site.ask("GET", path, {"host": "site", **headers}).status_code == status
    assert look.asked.is_set() == (status == 200)


def test_it_stays_under_the_prefix(folder, look):
    site = Client(create_app(Library([folder]), look=look, proxies=Proxies("", "/lab/mg")))
    answer = site.get("/lab/mg" + ASKED)
    links = [*links_of(answer.text), *paths_in(site.get("/lab/mg" + PAGE + ".json").json())]
    assert len(links) > 20
    assert [one for one in links if not one.startswith(("/lab/mg/", "#"))] == []


def test_on_a_site_that_is_read_only_nothing_is_asked(folder):
    look = Answering(off="this site is read-only")
    answer = Client(create_app(Library([folder]), look=look, read_only=True)).get(ASKED)
    assert answer.status_code == 503
    assert "read-only" in answer.text
    assert not look.asked.is_set()


def test_answers_are_remembered_within_a_size(look, monkeypatch):
    monkeypatch.setattr("micrograph.web.picture_questions.REMEMBERED", 1000)
    made = []

    def answer(name: str, length: int) -> Any:
        return look.remembered((name,), lambda: made.append(name) or ["x" * length])

    first = answer("a", 400)
    assert (answer("a", 400), made) == (first, ["a"])
    for name in ("b", "c", "a", "a", "huge", "a", "huge"):
        answer(name, 5000 if name == "huge" else 400)
    assert made == ["a", "b", "c", "a", "huge", "a", "huge"]
