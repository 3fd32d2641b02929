"""The whole site by keyboard alone."""

import re

import pytest
from waits import until

pytestmark = pytest.mark.browser


def focused(page) -> str:
    return page.evaluate("document.activeElement.getAttribute('href') ?? ''")


def press_until(page, key: str, href: str, limit: int = 40) -> None:
    for _ in range(limit):
        if focused(page) == href:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} did not lead to {href}, but to {focused(page)!r}")


def at(page, path: str) -> None:
    page.wait_for_url(re.compile(re.escape(path) + r"(#.*)?$"))
    page.wait_for_load_state("load")


def test_from_the_index_to_a_unit_and_back(open_page):
    page = open_page("/models")
    press_until(page, "Tab", "/models/tinynet")
    page.keyboard.press("Enter")
    at(page, "/models/tinynet")
    page.keyboard.press("ArrowDown")
    press_until(page, "ArrowDown", "/models/tinynet/mixed1a")
    page.keyboard.press("Enter")
    at(page, "/models/tinynet/mixed1a")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "/models/tinynet/mixed1a/1"
    page.keyboard.press("Enter")
    at(page, "/models/tinynet/mixed1a/1")
    page.keyboard.press("ArrowRight")
    at(page, "/models/tinynet/mixed1a/2")
    page.keyboard.press("ArrowLeft")
    at(page, "/models/tinynet/mixed1a/1")
    page.keyboard.press("Escape")
    at(page, "/models/tinynet/mixed1a")
    until(page, "document.activeElement.dataset.unit === '1'")
    page.keyboard.press("u")
    at(page, "/models/tinynet")
    until(page, "document.activeElement.pathname === '/models/tinynet/mixed1a'")
    page.keyboard.press("Escape")
    at(page, "/models")


def test_arrows_move_in_two_dimensions(open_page):
    page = open_page("/models/tinynet/wide?size=s")
    columns = page.evaluate(
        "getComputedStyle(document.querySelector('.grid')).gridTemplateColumns.split(' ').length"
    )
    assert columns > 5
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert focused(page) == f"/models/tinynet/wide/{columns + 1}"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert focused(page) == "/models/tinynet/wide/0"
    page.keyboard.press("ArrowUp")
    assert focused(page) == "/models/tinynet/wide/0"


def test_tab_passes_a_grid_in_one_step(open_page):
    page = open_page("/models/tinynet/wide")
    stops = page.evaluate("document.querySelectorAll('.grid a:not([tabindex=\"-1\"])').length")
    assert stops == 1


def test_the_graph_is_walked_and_zoomed(open_page):
    page = open_page("/models/tinynet")
    width = "document.querySelector('.canvas').getBoundingClientRect().width"
    before = page.evaluate(width)
    page.keyboard.press("+")
    assert page.evaluate(width) > before * 1.2
    page.keyboard.press("0")
    box = page.evaluate(
        "(r => [r.height, innerHeight])(document.querySelector('.canvas').getBoundingClientRect())"
    )
    assert box[0] <= box[1]
    page.keyboard.press("ArrowDown")
    assert focused(page) == "/models/tinynet/conv0"
    press_until(page, "ArrowDown", "/models/tinynet/logits")
    press_until(page, "ArrowUp", "/models/tinynet/conv0")


def test_a_repeated_block_is_opened_and_folded(open_page):
    page = open_page("/models/resnetv2_50_slim")
    page.evaluate("document.getElementById('n-block2.unit3.add').focus()")
    page.keyboard.press("ArrowRight")
    assert focused(page).startswith("/models/resnetv2_50_slim?open=block2.unit3#")
    page.keyboard.press("Enter")
    at(page, "?open=block2.unit3")
    until(page, "document.activeElement.id === 'n-block2.unit3.add'")
    page.keyboard.press("ArrowUp")
    assert focused(page) == "/models/resnetv2_50_slim/block2.unit3.conv3"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    at(page, "/models/resnetv2_50_slim")


@pytest.mark.parametrize(
    "path",
    [
        "/models/contrastive_16x",
        "/models/toytown_vit",
        "/compare?here=contrastive_16x&there=tinynet",
        "/models",
    ],
)
def test_a_phone_is_wide_enough(open_page, path):
    page = open_page(path, 360, 780)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_slash_searches(open_page):
    page = open_page("/models/tinynet/conv0/1")
    page.keyboard.press("/")
    page.keyboard.type("tinynet 1a:3")
    page.wait_for_selector("#found li")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    at(page, "/models/tinynet/mixed1a/3")


def test_help_theme_and_node_keys(open_page):
    page = open_page("/models/tinynet/mixed1a")
    page.keyboard.press("?")
    assert page.locator("#keys-help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#keys-help").is_visible()
    at(page, "/models/tinynet/mixed1a")
    page.keyboard.press("]")
    at(page, "/models/tinynet/wide")
    page.keyboard.press("[")
    at(page, "/models/tinynet/mixed1a")


def test_the_skip_link_comes_first(open_page):
    page = open_page("/models/tinynet/mixed1a")
    page.keyboard.press("Tab")
    assert focused(page) == "#main"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_circuit_is_changed_by_keyboard_alone(open_page):
    page = open_page("/circuits/lensed/mixed1a/3", java_script_enabled=False)
    page.get_by_role("group", name="Steps back").get_by_role("link", name="3").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/circuits/lensed/mixed1a/3?depth=3")
    page.get_by_label("Always show").focus()
    page.keyboard.type("conv0/1")
    page.keyboard.press("Enter")
    page.wait_for_url("**pin=conv0%2F1*")
    # Above the drawing, and in the list of its units.
    assert page.get_by_role("link", name="Unpin conv0/1").count() == 2


def test_a_group_and_an_order_are_reached_by_keyboard_alone(open_page):
    page = open_page("/circuits/lensed/mixed1a/3", java_script_enabled=False)
    page.get_by_role("group", name="Branches").get_by_role("link", name="apart").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/circuits/lensed/mixed1a/3?branches=apart")
    assert page.get_by_role("region", name="Circuit").count() == 1
    page = open_page("/models/lensed/mixed1a", java_script_enabled=False)
    page.get_by_role("link", name="lensed/mixed1a/5: its weights").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/lensed/mixed1a/5#connections")
