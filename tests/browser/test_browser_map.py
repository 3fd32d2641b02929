"""The map of units in a real browser: moved, zoomed, read, used by keys, and without scripts."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import uvicorn
import web_samples
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from waits import until

from micrograph.atlas import AtlasWriter, Library, Visualization
from micrograph.lenses.unit_map.page import units_map
from micrograph.parts.urls import Urls
from micrograph.web.guard import Guard
from micrograph.web.html import STATIC, Html
from micrograph.web.images import image_answer
from micrograph.web.serve import bind

pytestmark = pytest.mark.browser
COLUMNS = 36
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Map</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/v/icon.svg"><link rel="stylesheet" href="/static/v/css/base.css">
<link rel="stylesheet" href="/static/v/css/map.css">
<script type="module" src="/static/v/js/map.js"></script></head>
<body><div class="page"><main>%s<p>behind the map</p></main></div></body></html>"""


@pytest.fixture(scope="module")
def map_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with the map of the sample atlas's node of 1,024 units, unit u in cell u."""
    folder = tmp_path_factory.mktemp("mapped")
    path = web_samples.write(folder)
    cell = np.arange(1024)
    xy = ((np.stack([cell % COLUMNS, cell // COLUMNS], 1) + 0.5) / COLUMNS).astype(np.float32)
    with AtlasWriter.open(path, web_samples.MODEL, web_samples.NODES) as writer:
        writer.put(
            [
                Visualization(
                    "wide",
                    None,
                    {"technique": "unit_map", "view": "node", "seed": 0},
                    0.0,
                    None,
                    {"method": "By hand.", "columns": COLUMNS},
                    arrays={"xy": xy},
                )
            ]
        )
    library, urls = Library([folder]), Urls("v")
    fragment: Any = Html(urls).environment.get_template("lenses/unit_map/page.html").module

    def page(request: Request) -> Response:
        return HTMLResponse(
            PAGE % fragment.units_map(units_map(library.model("tinynet"), urls, "wide"))
        )

    def picture(request: Request) -> Response:
        return image_answer(library, request, "tinynet", request.path_params["name"])

    app = Starlette(
        routes=[
            Route("/", page),
            Route("/images/tinynet/{name}", picture),
            Route("/models/{rest:path}", lambda request: PlainTextResponse("a unit")),
            Route("/favicon.ico", lambda request: Response(status_code=204)),
            Mount("/static/v", StaticFiles(directory=STATIC)),
        ]
    )
    app.add_middleware(Guard)
    with bind("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def open_map(open_page: Callable[..., Any], map_site: str) -> Callable[..., Any]:
    return lambda **more: open_page(map_site, **more)


def middle(page: Any) -> tuple[float, float]:
    box = page.locator(".sea").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def painted(page: Any) -> int:
    """How many different colours a row of pixels through the canvas has."""
    found: int = page.evaluate("""() => {
        const canvas = document.querySelector(".unit-map canvas");
        const row = canvas.getContext("2d").getImageData(0, canvas.height / 2 | 0, canvas.width, 1);
        return new Set(new Uint32Array(row.data.buffer)).size;
    }""")
    return found


def here(page: Any) -> list[str]:
    return page.locator(".unit-map a.here").all_inner_texts()


def test_pictures_are_painted_and_pointing_names_them(open_map: Any) -> None:
    page = open_map()
    length = "document.querySelector('.unit-map canvas').toDataURL().length"
    until(page, f"{length} > {page.evaluate(length)} + 10_000")
    page.wait_for_timeout(500)
    assert painted(page) > 30
    page.mouse.move(*middle(page))
    link = page.locator(".unit-map a.here")
    assert link.get_attribute("data-name") in ("593", "594", "629", "630", "665", "666")
    assert abs(link.bounding_box()["width"] - link.bounding_box()["height"]) < 1


def test_a_click_opens_the_unit_and_a_drag_does_not(open_map: Any) -> None:
    page = open_map()
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 30, steps=4)
    page.mouse.up()
    assert page.title() == "Map"
    page.mouse.move(x - 40, y)
    name = page.locator(".unit-map a.here").get_attribute("data-name")
    page.mouse.click(x - 40, y)
    page.wait_for_url(f"**/models/tinynet/wide/{name}")


def test_the_wheel_zooms_only_a_map_that_is_in_use(open_map: Any) -> None:
    page = open_map(height=500)
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.wheel(0, 40)
    until(page, "scrollY > 0")
    assert page.locator(".hint").is_visible()
    assert not page.locator(".unit-map.near").count()
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=3)
    page.mouse.up()
    page.mouse.wheel(0, -200)
    until(page, 'document.querySelector(".unit-map.near") !== null')


def test_zoom_keeps_the_point_under_the_pointer(open_map: Any) -> None:
    page = open_map()
    x, y = middle(page)
    page.mouse.move(x + 50, y + 50)
    name = page.locator(".unit-map a.here").get_attribute("data-name")
    page.keyboard.down("Control")
    for _ in range(12):
        page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    until(page, 'document.querySelector(".unit-map.near") !== null')
    page.mouse.move(x + 51, y + 51)
    link = page.locator(".unit-map a.here")
    assert link.get_attribute("data-name") == name
    assert link.bounding_box()["width"] == 234, "as close as it gets"


def test_keys_walk_zoom_and_open(open_map: Any) -> None:
    page = open_map()
    page.locator(".unit-map a").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    assert here(page) == ["73"], "two rows down, one to the right"
    for _ in range(9):
        page.keyboard.press("+")
    page.keyboard.press("ArrowDown")
    box, sea = page.locator(".unit-map a.here").bounding_box(), page.locator(".sea").bounding_box()
    assert box["width"] > 200
    assert sea["y"] <= box["y"] <= sea["y"] + sea["height"] - box["height"], "it is in sight"
    page.keyboard.press("0")
    assert page.locator(".unit-map a.here").bounding_box()["width"] < 40
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/tinynet/wide/109")


def test_tab_passes_the_map_in_one_step(open_map: Any) -> None:
    page = open_map()
    page.locator('[data-zoom="0"]').focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.name") == "0"
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement?.closest('.unit-map')")


def test_two_fingers_zoom(open_map: Any) -> None:
    page = open_map(width=360, height=740, has_touch=True)
    x, y = middle(page)
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, apart: float) -> None:
        points = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}]
        touch.send(
            "Input.dispatchTouchEvent",
            {
                "type": kind,
                "touchPoints": [] if kind == "touchEnd" else points,
            },
        )

    fingers("touchStart", 20)
    for apart in (30, 50, 80, 120):
        fingers("touchMove", apart)
    fingers("touchEnd", 0)
    until(page, 'document.querySelector(".unit-map.near") !== null')
    assert page.title() == "Map"


def test_a_thousand_pictures_move_smoothly(open_map: Any) -> None:
    page = open_map()
    page.wait_for_timeout(800)
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("""() => {
        window.draws = [];
        const map = CanvasRenderingContext2D.prototype;
        const clear = map.clearRect;
        map.clearRect = function (...box) {
            const start = performance.now();
            clear.apply(this, box);
            queueMicrotask(() => window.draws.push(performance.now() - start));
        };
    }""")
    for k in range(30):
        page.mouse.move(x + k, y + k)
        page.wait_for_timeout(10)
    page.mouse.up()
    draws = sorted(page.evaluate("window.draws"))
    print(f"painting 1,024 pictures: median {draws[len(draws) // 2]:.1f} ms of {len(draws)}")
    assert len(draws) > 5
    assert draws[len(draws) // 2] < 16, "sixty a second, on a busy machine without a GPU"


def test_without_scripts_it_is_a_list_in_map_order(open_map: Any) -> None:
    page = open_map(java_script_enabled=False)
    links = page.locator(".unit-map ol a")
    assert links.count() == 1024
    assert links.nth(37).inner_text() == "37"
    assert links.nth(37).is_visible()
    assert not page.locator(".unit-map .tools").is_visible()
