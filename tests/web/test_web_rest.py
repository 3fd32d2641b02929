"""Rendering what a node or a model lacks, with a small script in the render command's place."""

import json
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from web_client import Client

from micrograph.parts.urls import Urls
from micrograph.web.live import AskedUnit, Live, render_command
from micrograph.web.microscope import Microscope

SAME = {
    "content-type": "application/json",
    "origin": "http://site",
    "host": "site",
    "sec-fetch-site": "same-origin",
}
NODE = "/models/tinynet/empty/render"
RENDERS = """
    import json, sys, time
    for unit in range(3):
        print(json.dumps({"stored": f"empty/{unit}"}), flush=True)
    if sys.argv[1] == "wait": time.sleep(60)
"""
ESTIMATES = """
    import json, sys
    def say(**line): print(json.dumps(line), flush=True)
    say(answer="ready")
    for line in sys.stdin:
        ask = json.loads(line)
        if "estimate" in ask:
            say(of=ask["of"], answer={"said": f"about {ask['estimate']['node']}", "results": 5})
"""


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def site(client_of: Any, folder: Path, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(word: str = "end", writable: Path | None = tmp_path) -> tuple[Client, Live]:
        script = [sys.executable, "-c", textwrap.dedent(RENDERS), word]
        live = Live(writable, Urls(), lambda asked, folder: script)
        answers = [sys.executable, "-c", textwrap.dedent(ESTIMATES)]
        microscope = Microscope(writable, lambda model, digest: answers)
        made.extend((live, microscope))
        return client_of(tmp_path, folder, live=live, microscope=microscope), live

    yield make
    for one in made:
        one.close()


def ask(client: Client, path: str, **question: Any) -> dict[str, Any]:
    answer = client.ask("POST", path, SAME, json.dumps(question).encode())
    return {"status": answer.status_code, **answer.json()}


def test_a_render_of_the_rest_counts_what_it_stores(site: Any) -> None:
    client, _ = site()
    assert ask(client, NODE, do="state")["render"]["state"] == "none"
    assert ask(client, NODE, do="start")["render"]["state"] in ("queued", "running", "done")
    until(lambda: ask(client, NODE, do="state")["render"]["state"] == "done")
    assert ask(client, NODE, do="state")["render"]["stored"] == 3
    page = client.get("/models/tinynet/empty.json").json()
    assert page["render"]["state"] == "done", "the page says so too"
    assert page["render"]["url"] == NODE


def test_it_is_stopped(site: Any) -> None:
    client, _ = site("wait")
    ask(client, NODE, do="start", units="0-2")
    until(lambda: ask(client, NODE, do="state", units="0-2")["render"]["stored"] == 3)
    assert ask(client, NODE, do="state")["render"]["state"] == "none", "those are other units"
    ask(client, NODE, do="stop", units="0-2")
    until(lambda: ask(client, NODE, do="state", units="0-2")["render"]["state"] == "none")


def test_a_readers_unit_comes_before_the_rest(site: Any) -> None:
    client, live = site("wait")
    ask(client, "/models/tinynet/render", do="start")
    until(lambda: live.state("tinynet", "", 0, units="all").state == "running")
    client.ask("POST", "/models/tinynet/empty/2/render", SAME, b"{}")
    until(lambda: live.state("tinynet", "empty", 2).state == "running")
    assert live.state("tinynet", "", 0, units="all").state == "queued"


def test_an_estimate_is_the_workers(site: Any) -> None:
    client, _ = site()
    assert ask(client, NODE, do="estimate")["estimate"] == {"said": "about empty", "results": 5}
    assert ask(client, "/models/tinynet/render", do="estimate")["estimate"]["said"] == "about None"


@pytest.mark.parametrize(
    ("path", "question", "status"),
    [
        (NODE, {}, 400),
        (NODE, {"do": "everything"}, 400),
        (NODE, {"do": "start", "units": "0-9999"}, 400),
        (NODE, {"do": "start", "units": "; rm -rf"}, 400),
        (NODE, {"do": "start", "units": 5}, 400),
        (NODE, {"do": "start", "units": "1," * 20_000}, 400),
        ("/models/tinynet/render", {"do": "start", "units": "0"}, 400),
        ("/models/nope/render", {"do": "start"}, 404),
        ("/models/tinynet/nope/render", {"do": "state"}, 404),
    ],
)
def test_what_is_not_understood_is_one_line(
    site: Any, path: str, question: dict[str, Any], status: int
) -> None:
    client, _ = site()
    told = ask(client, path, **question)
    assert told["status"] == status
    assert "\n" not in told["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"a": ' * 2000, "is no JSON"),
        ("[" * 100_000, "more than 20,000 bytes"),
        ("{", "is no JSON"),
        ("", "asks nothing"),
        ("\xff", "is no JSON"),
    ],
)
def test_what_is_no_question_is_one_line(site: Any, body: str, said: str) -> None:
    client, _ = site()
    answer = client.ask("POST", NODE, SAME, body.encode("latin-1"))
    assert answer.status_code == 400
    assert said in answer.json()["message"]


def test_only_the_sites_own_pages_may_ask_and_only_where_there_is_a_place(site: Any) -> None:
    client, _ = site()
    refused = client.ask("POST", NODE, {**SAME, "sec-fetch-site": "cross-site"}, b'{"do":"start"}')
    assert refused.status_code == 403
    client, _ = site(writable=None)
    for do in ("start", "estimate"):
        assert ask(client, NODE, do=do)["status"] == 503


def test_the_command_is_the_one_a_person_would_type(tmp_path: Path) -> None:
    some = render_command(AskedUnit("toytown", "conv0", 0, "", "0-3"), tmp_path)
    assert some[3:8] == ["render", "toytown", "--node", "conv0", "--units"]
    assert "--makes-way" in some
    whole = render_command(AskedUnit("toytown", "", 0, "", "all"), tmp_path)
    assert whole[3:6] == ["render", "toytown", "--atlas"]
