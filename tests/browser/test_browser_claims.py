"""Claims as a reader meets them: by keyboard alone, with any eyes, on any screen."""

import re
import threading
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import uvicorn
from accessible import faults, focus_walk

from micrograph.atlas import Library, bundled_catalogue, bundled_gallery
from micrograph.web import create_app
from micrograph.web.known import Known
from micrograph.web.serve import bind

pytestmark = pytest.mark.browser

STANDS = "/claims/inceptionv1_caffe/inception_4c/499=inception_4b/164+inception_4b/454"
FALLS = "/claims/inceptionv1_caffe/inception_4c/499=inception_4b/330"
UNTESTED = "/claims/inceptionv1/mixed4c/447=mixed4b/237+mixed4b/373"
SENTENCE = "InceptionV1 4c:447 is built from 4b:373 and 4b:237"
PAGES = [
    "/claims",
    STANDS,
    FALLS,
    UNTESTED,
    "/claims?about=inceptionv1_caffe/inception_4b/454",
    "/circuits/inceptionv1_caffe/inception_4c/499",
    "/models/inceptionv1_caffe/inception_4b/454",
    "/search?q=" + quote("InceptionV1 4c:447 is not built from 4b:373"),
]


def fetchable(model: str) -> Known:
    return Known("missing", [f"micrograph weights fetch {model}"])


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The bundled gallery, without weights."""
    with bind("127.0.0.1", 0) as listener:
        app = create_app(Library([bundled_gallery()], bundled_catalogue()), known=fetchable)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def press_until(page, key, test, limit=60):
    for _ in range(limit):
        page.keyboard.press(key)
        if page.evaluate(f"(one => {test})(document.activeElement)"):
            return
    raise AssertionError(f"{key} did not lead to where {test}")


def at(page, path):
    page.wait_for_url(re.compile(re.escape(path) + r"(#.*)?$"))
    page.wait_for_load_state("load")


def test_from_a_link_to_units_and_other_claims_by_keyboard(open_page):
    page = open_page(STANDS)
    press_until(page, "Tab", "one.pathname === '/models/inceptionv1_caffe/inception_4c/499'")
    page.keyboard.press("Enter")
    at(page, "/models/inceptionv1_caffe/inception_4c/499")
    press_until(page, "Tab", f"one.pathname === '{FALLS}'", 120)
    page.keyboard.press("Enter")
    at(page, FALLS)
    assert page.locator(".outcome .verdict").inner_text() == "contradicts"
    page.go_back()
    at(page, "/models/inceptionv1_caffe/inception_4c/499")
    page.go_back()
    at(page, STANDS)
    press_until(page, "Tab", "one.matches('summary')")
    page.keyboard.press("Enter")
    assert page.locator("details[open] dd").first.is_visible()
    press_until(page, "Tab", "one.pathname === '/circuits/inceptionv1_caffe/inception_4c/499'", 90)


def test_a_sentence_pasted_into_the_search_leads_to_the_filled_form(open_page):
    page = open_page("/")
    page.keyboard.press("/")
    page.keyboard.insert_text(SENTENCE)
    page.keyboard.press("Enter")
    at(page, UNTESTED)
    said = page.locator("main").inner_text()
    assert "the weights of inceptionv1 are not here" in said
    assert "micrograph weights fetch inceptionv1" in said
    assert 'micrograph claim "inceptionv1/mixed4c/447 <- mixed4b/237 + mixed4b/373"' in said
    field = page.get_by_label("Another claim")
    assert field.input_value() == "inceptionv1/mixed4c/447 <- mixed4b/237 + mixed4b/373"
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("inceptionv1_caffe 4c:499 <- 4b:330")
    page.keyboard.press("Enter")
    at(page, FALLS)


def test_a_claim_is_suggested_while_it_is_typed(open_page):
    page = open_page("/models")
    page.keyboard.press("/")
    page.keyboard.insert_text(SENTENCE)
    page.wait_for_selector("#found li")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    at(page, UNTESTED)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_used_on_any_screen_with_any_eyes_and_hands(open_page, path):
    page = open_page(path, 360, 780)
    for width in (360, 2560, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert faults(page) == []
    stops = focus_walk(page)
    assert len(stops) > 5
    assert [one["html"] for one in stops if not (one["visible"] and one["large"])] == []


def test_what_is_wrong_is_found(open_page):
    """The check itself: a page with one fault of each kind."""
    page = open_page("/claims")
    page.evaluate(
        """document.querySelector("main").innerHTML = `<h1>A</h1><h3>B</h3><a href="/"></a>
        <img src="data:,"><svg role="img"></svg><p style="color:#999;background:#fff">pale</p>
        <div aria-labelledby="nowhere" tabindex="3"></div>`"""
    )
    found = " ".join(faults(page))
    for fault in ("no name", "no alternative", "a level", "contrast 2", "of nothing", "an order"):
        assert fault in found
