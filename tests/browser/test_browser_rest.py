"""Rendering what a node lacks, from its page: an estimate, progress, a stop, and what is scrolled
to; with small scripts in the place of the commands."""

import json
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import web_samples
from waits import until

from conftest import served
from micrograph.atlas import Library
from micrograph.parts.urls import Urls
from micrograph.web import create_app
from micrograph.web.live import Live
from micrograph.web.microscope import Microscope

pytestmark = pytest.mark.browser

NODE = "/models/tinynet/empty"
STATE = "document.querySelector('[data-rest]').dataset.state"
MISSING = "document.querySelectorAll('.grid a.missing').length"
SAID = "document.querySelector('[data-rest] [role=status]').textContent"
RENDERS = """
    import json, sys, time
    from pathlib import Path
    sys.path.insert(0, sys.argv[3])
    import web_samples as samples
    from micrograph.atlas import AtlasWriter
    file, every = Path(sys.argv[1]) / "tinynet.atlas", sys.argv[2] == "all"
    for unit in range(3) if every else map(int, sys.argv[2].split(",")):
        with AtlasWriter.open(file, samples.MODEL, samples.NODES) as writer:
            writer.put([samples.visualization("empty", unit)])
        print(json.dumps({"stored": f"empty/{unit}"}), flush=True)
    if every: time.sleep(60)
"""
ESTIMATES = """
    import json, sys
    print(json.dumps({"answer": "ready"}), flush=True)
    for line in sys.stdin:
        ask = json.loads(line)
        answer = {"said": "8 results, about 2 s, 1 kB of pictures"}
        print(json.dumps({"of": ask["of"], "answer": answer}), flush=True)
"""


def _script(text: str, *words: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text), *words]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """In the place of the shared one: a site that may render, as quickly as it answers."""
    monkeypatch.setattr("micrograph.web.live.NICENESS", 0)
    shown, grown = tmp_path / "shown", tmp_path / "grown"
    shown.mkdir()
    grown.mkdir()
    web_samples.write(shown)
    helpers = str(Path(web_samples.__file__).parent)
    live = Live(grown, Urls(), lambda asked, to: _script(RENDERS, str(to), asked.units, helpers))
    microscope = Microscope(grown, lambda model, digest: _script(ESTIMATES))
    app = create_app(Library([grown, shown]), grown, live=live, microscope=microscope)
    with served(app) as address:
        yield address
    live.close()
    microscope.close()


def test_the_rest_is_estimated_rendered_and_stopped(open_page, site):
    page = open_page(NODE)
    status = page.locator("[data-rest] [role=status]")
    page.get_by_role("button", name="How long would the rest take?").click()
    until(page, f"{SAID}.includes('about')")
    assert status.inner_text() == "8 results, about 2 s, 1 kB of pictures."
    before = page.evaluate(MISSING)
    page.get_by_role("button", name="Render the rest").click()
    until(page, f"{MISSING} < {before}", 20)
    until(page, f"{SAID}.includes('rendered so far')", 20)
    page.get_by_role("button", name="Stop").click()
    until(page, f"{STATE} === 'none'")
    assert status.inner_text() == "Stopped; what is done is kept."
    assert page.get_by_role("button", name="Render the rest").is_visible()
    with urllib.request.urlopen(f"{site}{NODE}.json") as twin:
        assert json.load(twin)["pictured"] >= before - page.evaluate(MISSING)


def test_what_is_scrolled_to_is_rendered(open_page):
    page = open_page(NODE)
    seen = page.evaluate(
        "[...document.querySelectorAll('.grid a.missing')]"
        ".filter((tile) => tile.getBoundingClientRect().top < innerHeight).length"
    )
    before = page.evaluate(MISSING)
    assert seen > 0
    page.get_by_label("Render what I scroll to").check()
    until(page, f"{STATE} === 'done'", 20)
    until(page, f"{MISSING} <= {before} - Math.min({seen}, 16)", 20)
