"""Examples large, heat maps, one's own picture, and the panel that follows the reader."""

import io
import json

import pytest
from PIL import Image
from waits import until

pytestmark = pytest.mark.browser

UNIT = "/models/lensed/mixed1a/3?dataset=toys"
SHOWN = "document.querySelector('dialog.example b').textContent"


def alpha(page, canvas: str) -> list[int]:
    """How much a heat map covers in each of its cells, 0 to 255."""
    return page.evaluate(
        "(c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
        f".filter((_, i) => i % 4 === 3))(document.querySelector({canvas!r}))"
    )


def test_an_example_opens_with_the_box_and_leads_to_the_next(open_page):
    page = open_page(UNIT)
    page.locator(".tiles a").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate(SHOWN) == "toy-47.png · cat · 4.70"
    img = page.locator("dialog.example img").bounding_box()
    box = page.locator("dialog.example i").bounding_box()
    assert box["x"] - img["x"] == pytest.approx(img["width"] * 13 / 32, abs=1)
    assert box["y"] - img["y"] == pytest.approx(img["height"] * 9 / 32, abs=1)
    assert box["width"] == pytest.approx(img["width"] / 4, abs=1)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(SHOWN).startswith("toy-46.png")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(SHOWN).startswith("toy-47.png")
    page.keyboard.press("Escape")
    assert page.url.endswith(UNIT)
    assert page.evaluate("document.activeElement.dataset.number") == "47"


def test_where_it_fires_is_lit(open_page):
    page = open_page(UNIT)
    page.route(
        "**/map?*",
        lambda route: route.fulfill(
            body=json.dumps({"map": [[0, 0.5], [1, 0]], "value": 4.7, "position": 2}),
            content_type="application/json",
        ),
    )
    page.locator(".tiles a").first.click()
    page.get_by_role("button", name="Where it fires").click()
    until(page, "document.querySelector('dialog.example canvas.heat')")
    covered = alpha(page, "dialog.example canvas.heat")
    assert covered[2] == 0
    assert covered[0] == covered[3] > covered[1] > 0


def test_tiles_become_whole_pictures_with_boxes(open_page):
    page = open_page(UNIT)
    tile = page.locator(".tiles .crop").first
    before = tile.bounding_box()
    assert tile.locator("img").bounding_box()["width"] == pytest.approx(4 * before["width"], abs=1)
    assert not tile.locator("i").is_visible()
    high = page.evaluate("document.body.scrollHeight")
    page.get_by_label("Whole pictures").check()
    before = tile.bounding_box()
    assert page.evaluate("document.body.scrollHeight") == high
    assert tile.locator("img").bounding_box() == pytest.approx(before, abs=1)
    assert tile.locator("i").bounding_box()["width"] == pytest.approx(before["width"] / 4, abs=1)


def test_attribution_lies_over_its_picture(open_page):
    page = open_page(UNIT)
    assert alpha(page, "#attribution canvas.heat") == [48, 190, 0, 95]
    canvas = page.locator("#attribution canvas.heat").bounding_box()
    assert canvas == pytest.approx(page.locator("#attribution img").first.bounding_box(), abs=1)


def test_the_panel_marks_what_is_read(open_page):
    page = open_page(UNIT)
    current = "document.querySelector('.lenses li.current a').textContent"
    assert page.evaluate(current) == "Feature visualization"
    page.locator("#tuning").evaluate("e => scrollTo(0, e.offsetTop - innerHeight * .15)")
    until(page, f"{current} === 'Synthetic tuning'")
    explained = page.locator(".explains").inner_text()
    assert explained.startswith("Curves, gratings")


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "#c04020").save(file, "PNG")
    return file.getvalue()


TOLD = {
    "picture": {"width": 64, "height": 48},
    "unit": {
        "address": "lensed/mixed1a/3",
        "value": 2.5,
        "position": 0,
        "quantile": 0.97,
        "dataset": "toys",
        "map": [[1, 0], [0, 0]],
    },
    "nodes": [
        {
            "node": "conv0",
            "relative_to": "node",
            "units": [{"unit": 2, "value": 4, "strength": 0.2}],
        }
    ],
    "classes": [{"class": 1, "label": "<b>car</b>", "value": 3.0, "share": 0.9}],
    "attribution": {
        "node": "mixed1a",
        "unit": 3,
        "nodes": [{"node": "conv0", "units": [[1, -0.5]], "total": -0.5}],
    },
    "caricature": None,
}


def test_a_picture_of_ones_own(open_page):
    page = open_page(UNIT)
    page.route(
        "**/look",
        lambda route: route.fulfill(body=json.dumps(TOLD), content_type="application/json"),
    )
    page.locator("#look input").set_input_files(
        {"name": "my.png", "mimeType": "image/png", "buffer": picture()}
    )
    page.wait_for_selector(".looked figcaption")
    said = page.locator(".looked figcaption").inner_text()
    assert "Activation 2.50, more than on 97 % of the pictures of toys." in said
    assert "90 %" in page.locator(".looked .scored").inner_text()
    assert "<b>car</b>" in page.locator(".looked").inner_text()
    assert alpha(page, ".looked canvas.heat") == [0, 165, 165, 165]
    page.locator(".looked .carriers").first.scroll_into_view_if_needed()
    page.wait_for_selector(".looked .carriers img")
    links = page.locator(".looked .carriers a").evaluate_all("l => l.map(a => a.pathname)")
    assert links == ["/models/lensed/conv0/2", "/models/lensed/conv0/1"]
    assert page.locator(".looked .stick.less").count() == 1
    assert page.get_by_role("heading", name="What carried mixed1a/3").count() == 1


def test_a_picture_of_ones_own_can_be_dropped_and_refused(open_page):
    page = open_page("/models/lensed")
    page.route(
        "**/look",
        lambda route: route.fulfill(
            body=json.dumps({"kind": "error", "status": 200, "message": "no picture at all"}),
            content_type="application/json",
        ),
    )
    page.evaluate("""() => {
      const data = new DataTransfer();
      data.items.add(new File(["x"], "x.png", { type: "image/png" }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
    }""")
    until(page, "document.querySelector('#look [role=status]').textContent === 'no picture at all'")


def test_lenses_can_be_read_without_scripts(open_page):
    page = open_page(UNIT, java_script_enabled=False)
    assert page.get_by_text("This needs JavaScript.").is_visible()
    page.get_by_label("Whole pictures").check()
    assert page.locator(".tiles .crop i").first.is_visible()
    page.get_by_role("group", name="Dataset").get_by_role("link", name="others").click()
    page.wait_for_url("**/mixed1a/3?dataset=others#dataset_examples")
    assert page.locator("svg.plot").first.is_visible()
    page.goto("/models/lensed/mixed1a")
    page.get_by_role("group", name="Lens").get_by_role("link", name="Synthetic tuning").click()
    page.wait_for_url("**/mixed1a?lens=tuning#tuning")
    assert page.locator(".grid img").count() == 16
