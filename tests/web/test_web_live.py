"""Rendering from a page, with a small script in the render command's place."""

import sys
import textwrap
import time
from pathlib import Path

import pytest
import web_samples

from micrograph.atlas import AtlasWriter, Library
from micrograph.parts.urls import Urls
from micrograph.web.live import WAITING, AskedUnit, Live, render_command
from micrograph.workers import RENDER

SAME = {
    "content-type": "application/json",
    "origin": "http://site",
    "host": "site",
    "sec-fetch-site": "same-origin",
}
UNIT = "/models/tinynet/empty/2"

WRITES = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[4])
    import web_samples as samples
    from micrograph.atlas import AtlasWriter
    node, unit, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    with AtlasWriter.open(folder / "tinynet.atlas", samples.MODEL, samples.NODES) as writer:
        writer.put([samples.visualization(node, unit)])
"""
FAILS = "import sys; print('error: out of luck', file=sys.stderr); sys.exit(2)"
WAITS = "import time; time.sleep(60)"


def live_with(folder: Path | None, script: str) -> Live:
    text = textwrap.dedent(script)

    def command(asked: AskedUnit, folder: Path) -> list[str]:
        return [
            sys.executable,
            "-c",
            text,
            asked.node,
            str(asked.unit),
            str(folder),
            str(Path(web_samples.__file__).parent),
        ]

    return Live(folder, Urls(), command)


def until(condition, seconds: float = 20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def site(client_of, folder, tmp_path):
    """Makes a client and its live renders; pictures go to `tmp_path`, shown before `folder`."""
    made = []

    def make(script: str = WRITES, writable: Path | None = tmp_path):
        live = live_with(writable, script)
        made.append(live)
        return client_of(tmp_path, folder, live=live), live

    yield make
    for live in made:
        live.close()


def test_a_unit_asked_for_appears(site):
    client, _ = site()
    before = client.get(UNIT + ".json").json()
    assert before["visualizations"] == []
    assert before["render"]["available"]
    assert f'data-render="{UNIT}/render"' in client.get(UNIT).text
    answer = client.ask("POST", UNIT + "/render", SAME, b"{}")
    assert answer.status_code == 202
    assert answer.json()["state"] in ("queued", "running")
    until(lambda: client.get(UNIT + ".json").json()["render"]["state"] == "done")
    after = client.get(UNIT + ".json").json()
    assert len(after["visualizations"]) == 1
    assert client.get(after["visualizations"][0]["image"]).status_code == 200
    assert client.get("/models/tinynet/empty.json").json()["pictured"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"origin": "null"},
    ],
)
def test_another_site_may_not_ask(site, change):
    client, live = site()
    answer = client.ask("POST", UNIT + "/render", SAME | change, b"{}")
    assert answer.status_code == 403
    assert answer.json()["message"]
    assert live.state("tinynet", "empty", 2).state == "none"


def test_a_request_from_nowhere_is_refused(site):
    client, _ = site()
    headers = {"content-type": "application/json"}
    assert client.ask("POST", UNIT + "/render", headers, b"{}").status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/models/tinynet/empty/99/render", 404),
        ("/models/nomodel/empty/1/render", 404),
        ("/models/tinynet/empty/x/render", 400),
    ],
)
def test_only_units_that_are_can_be_asked_for(site, path, status):
    client, _ = site()
    assert client.ask("POST", path, SAME, b"{}").status_code == status


def test_a_failure_is_told_and_can_be_tried_again(site):
    client, live = site(FAILS)
    client.ask("POST", UNIT + "/render", SAME, b"{}")
    until(lambda: live.state("tinynet", "empty", 2).state == "failed")
    assert client.get(UNIT + ".json").json()["render"]["message"] == "out of luck"
    assert client.ask("POST", UNIT + "/render", SAME, b"{}").status_code == 202


def test_another_writer_is_named_kindly(site, tmp_path):
    client, live = site()
    path = tmp_path / "tinynet.atlas"
    with AtlasWriter.open(path, web_samples.MODEL, web_samples.NODES):
        client.ask("POST", UNIT + "/render", SAME, b"{}")
        until(lambda: live.state("tinynet", "empty", 2).state == "failed")
    assert "another render is writing" in client.get(UNIT + ".json").json()["render"]["message"]


def test_the_queue_is_short_and_asking_twice_is_once(site):
    client, live = site(WAITS)
    for unit in range(WAITING + 1):
        answer = client.ask("POST", f"/models/tinynet/conv0/{unit}/render", SAME, b"{}")
        assert answer.status_code == 202
    again = client.ask("POST", "/models/tinynet/conv0/0/render", SAME, b"{}")
    assert again.status_code == 202
    full = client.ask("POST", "/models/tinynet/conv0/7/render", SAME, b"{}")
    assert full.status_code == 409
    assert "try again" in full.json()["message"]
    until(lambda: live.state("tinynet", "conv0", 0).state == "running")
    assert live.state("tinynet", "conv0", 1).state == "queued"


def test_closing_ends_the_render(site):
    client, live = site(WAITS)
    client.ask("POST", UNIT + "/render", SAME, b"{}")
    until(lambda: live.workers.process(RENDER) is not None)
    process = live.workers.process(RENDER)
    live.close()
    until(lambda: not process.alive)


def test_a_read_only_site_says_so(site):
    client, _ = site(writable=None)
    page = client.get(UNIT)
    assert "read-only" in page.text
    assert "data-render=" not in page.text
    assert client.ask("POST", UNIT + "/render", SAME, b"{}").status_code == 503


def test_the_command_is_the_one_a_person_would_type(tmp_path):
    words = render_command(AskedUnit("toytown", "mixed3a", 4), tmp_path)
    assert words[1:] == [
        "-m",
        "micrograph",
        "render",
        "toytown",
        "--node",
        "mixed3a",
        "--units",
        "4",
        "--preset",
        "standard",
        "--atlas",
        str(tmp_path),
        "--orphan-stops",
        "--events",
        "--variant",
        "channel",
        "--variant",
        "neuron",
        "--variant",
        "channel-negative",
        "--variant",
        "neuron-negative",
    ]


def test_the_command_for_all_nodes_of_a_model(tmp_path):
    words = render_command(AskedUnit("toytown", "", 0, "connections"), tmp_path)
    assert words[3:8] == ["render", "toytown", "--technique", "connections", "--atlas"]
    assert words[8:] == [str(tmp_path), "--orphan-stops", "--events"]


def test_connections_are_asked_for_once_for_all_units(site):
    client, live = site(WAITS)
    address = "/circuits/tinynet/conv0/1"
    said = client.get(address + ".json").json()
    assert (said["render"]["available"], said["render"]["state"]) == (True, "none")
    assert said["missing"] == "No connections of conv0 are stored"
    assert f'data-render="{said["render"]["url"]}"' in client.get(address).text
    assert client.ask("POST", said["render"]["url"], SAME, b"{}").status_code == 202
    until(lambda: live.state("tinynet", "", 0, "connections").state == "running")
    for unit in (1, 2):
        now = client.get(f"/circuits/tinynet/conv0/{unit}.json").json()
        assert now["render"]["state"] == "running"
    assert client.get("/models/tinynet/conv0/1.json").json()["render"]["state"] == "none"
    other = client.ask("POST", "/circuits/nosuch/render", SAME, b"{}")
    assert (other.status_code, other.json()["kind"]) == (404, "error")
    assert client.ask("POST", said["render"]["url"], {"host": "site"}, b"{}").status_code == 403


def test_pages_follow_a_render_that_goes_on(client_of, tmp_path):
    path = tmp_path / "tinynet.atlas"
    with AtlasWriter.open(path, web_samples.MODEL, web_samples.NODES) as writer:
        client = client_of(tmp_path)
        for unit in range(3):
            writer.put([web_samples.visualization("conv0", unit)])
            page = client.get("/models/tinynet/conv0.json").json()
            assert page["pictured"] == unit + 1
            assert page["missing"] == "micrograph render tinynet --node conv0"
    assert Library([tmp_path]).models()[0].id == "tinynet"
