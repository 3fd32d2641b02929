"""What scripts add: copying, filling in, zooming with the mouse."""

import re
from dataclasses import replace

import pytest
import web_samples
from waits import until

from micrograph.atlas import AtlasWriter

pytestmark = pytest.mark.browser


def test_copy_buttons_copy(open_page):
    page = open_page("/models/tinynet/mixed1a/3")
    cite = page.get_by_role("region", name="Cite")
    for name, expected in (
        ("Address", r"tinynet/mixed1a/3"),
        ("Link", r"http://.*/mixed1a/3"),
        ("Markdown", r"\[tinynet.*\]\(http.*\)"),
        ("BibTeX", r"(?s)@misc\{.*\}"),
        ("Recipe", r'\{.*"technique":"feature_vis".*\}'),
    ):
        page.evaluate("navigator.clipboard.writeText('')")
        cite.get_by_role("button", name=name, exact=True).click()
        until(page, "navigator.clipboard.readText()")
        assert re.fullmatch(expected, page.evaluate("navigator.clipboard.readText()"))
    assert page.get_by_role("status").filter(has_text="Recipe copied").count() == 1


def test_a_node_and_a_unit_fill_in_while_they_are_looked_at(open_page, growing):
    model = replace(web_samples.MODEL, id="growing", title="Growing")
    path = growing / "growing.atlas"
    with AtlasWriter.open(path, model, web_samples.NODES) as writer:
        writer.put([web_samples.visualization("conv0", 0)])
        node, unit = open_page("/models/growing/conv0"), open_page("/models/growing/conv0/2")
        assert node.locator(".grid a.missing").count() == 7
        assert "1 of 8" in node.locator("[data-progress]").inner_text()
        before = node.locator("#u7").bounding_box()
        writer.put([web_samples.visualization("conv0", u) for u in (1, 2)])
        until(node, "document.querySelectorAll('.grid a.missing').length === 5")
        assert "3 of 8" in node.locator("[data-progress]").inner_text()
        assert node.locator("#u7").bounding_box() == before
        unit.wait_for_selector(".view figure img")
        assert unit.locator(".made [data-copy]").count() == 1


def test_the_graph_is_dragged_and_zoomed_by_mouse(open_page):
    page = open_page("/models/tinynet", height=500)
    frame = page.locator(".graph .frame").bounding_box()
    x, y = frame["x"] + 200, frame["y"] + 150
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    until(page, "Number(document.querySelector('.canvas').style.getPropertyValue('--zoom')) > 1.5")
    left = page.evaluate("document.querySelector('.frame').scrollLeft")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 120, y - 60, steps=4)
    page.mouse.up()
    assert page.evaluate("document.querySelector('.frame').scrollLeft") > left + 60
    assert page.url.endswith("/models/tinynet")


def test_pages_are_fetched_before_they_are_asked_for(open_page):
    page = open_page("/models/tinynet/mixed1a")
    page.locator("#u3").hover()
    early = 'link[rel="prefetch"][href="/models/tinynet/mixed1a/3"]'
    page.wait_for_selector(early, state="attached")
