"""The live microscope: frames arrive, are stopped and gone on with; the address holds it all."""

import pytest
from waits import until

pytestmark = pytest.mark.browser

UNIT = "/models/tinynet/mixed1a/3"
STATE = "document.querySelector('.live').dataset.state"
STEP = "Number(document.querySelector('.live').dataset.step)"
FRAME = "document.querySelector('.live [data-frame]').src"


def test_frames_arrive_on_a_units_page_and_stop_when_told(open_page):
    page = open_page(UNIT)
    page.get_by_role("spinbutton", name="Steps").fill("2000")
    page.get_by_role("button", name="Make the picture").click()
    until(page, f"{STEP} >= 2")
    early = page.evaluate(FRAME)
    until(page, f"{STEP} >= 6")
    assert page.evaluate(FRAME) != early, "the picture changes while one looks"
    assert page.url.endswith(f"{UNIT}/live?steps=2000")
    stranger = open_page("/models/tinynet/mixed1a/2")
    took = stranger.evaluate("performance.getEntriesByType('navigation')[0].responseEnd")
    assert took < 2000, "milliseconds: pages of others do not wait for it"
    stranger.close()
    assert page.evaluate(STATE) == "busy"
    page.get_by_role("button", name="Stop").click()
    until(page, f"{STATE} === 'stopped'")
    seen = page.evaluate(STEP)
    page.wait_for_timeout(150)
    assert page.evaluate(STEP) == seen, "nothing more arrives"
    assert page.url.endswith(f"{UNIT}/live?steps={seen}")
    page.get_by_role("button", name="Go on").click()
    until(page, f"{STATE} === 'done'")
    assert page.evaluate(STEP) == seen + 64
    assert page.url.endswith(f"steps={seen + 64}")


def test_the_address_opens_with_the_same_controls_and_makes_the_picture(open_page):
    query = "objective=neuron&sign=negative&at=1-2&steps=5&transforms=none&others=-0.5*conv0%2F2"
    page = open_page(f"{UNIT}/live?{query}")
    until(page, f"{STATE} === 'done'")
    assert "Activation 2.50 after 5 steps" in page.locator(".live [role=status]").inner_text()
    assert sorted(page.url.partition("?")[2].split("&")) == sorted(query.split("&"))
    assert page.get_by_role("radio", name="At one position").is_checked()
    assert page.get_by_role("radio", name="Silence").is_checked()
    assert page.get_by_label("Row-column").input_value() == "1-2"
    page.get_by_role("button", name="Keep it").click()
    until(page, "document.querySelector('.live [role=status]').textContent.includes('Kept')")


def test_the_map_chooses_a_position_by_mouse_and_by_keys(open_page):
    page = open_page(f"{UNIT}/live?objective=neuron&steps=3")
    until(page, f"{STATE} === 'done'")
    cells = page.locator(".map-of-unit")
    box = cells.bounding_box()
    page.mouse.click(box["x"] + 1, box["y"] + box["height"] - 1)
    until(page, f"{STATE} === 'done'")
    assert "at=3-0" in page.url
    cells.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    assert "at=2-1" in page.url
    page.keyboard.press("Enter")
    until(page, f"{STATE} === 'done'")


def test_another_setting_begins_at_once_and_only_what_is_seen_is_kept(open_page):
    page = open_page(f"{UNIT}/live?steps=2000")
    until(page, f"{STEP} >= 3")
    keep = page.get_by_role("button", name="Keep it")
    page.get_by_role("spinbutton", name="Seed").fill("7")
    page.keyboard.press("Enter")
    until(page, f"{STEP} >= 3")
    assert page.url.endswith("/live?steps=2000&seed=7")
    page.get_by_role("button", name="Stop").click()
    until(page, f"{STATE} === 'stopped'")
    seen = page.evaluate(STEP)
    assert page.url.endswith(f"/live?steps={seen}&seed=7")
    assert keep.is_visible()
    page.get_by_role("spinbutton", name="Seed").fill("8")
    page.keyboard.press("Tab")
    assert not keep.is_visible(), "what one sees is of another seed"
    assert not page.get_by_role("button", name="Go on").is_visible()
    page.get_by_role("spinbutton", name="Seed").fill("7")
    page.get_by_role("spinbutton", name="Steps").fill("1900")
    page.keyboard.press("Tab")
    keep.click()
    until(page, "document.querySelector('.live [role=status]').textContent.includes('Kept')")
    assert page.url.endswith(f"/live?steps={seen}&seed=7")
    kept = page.get_by_role("link", name="Kept, with its recipe")
    assert kept.get_attribute("href") == f"{UNIT}#experiment"


def test_what_is_wrong_is_said(open_page):
    page = open_page(UNIT)
    page.get_by_label("With other units").fill("nonsense")
    page.get_by_role("button", name="Make the picture").focus()
    page.evaluate(
        "window.asked = fetch; window.fetch = () => Promise.resolve(new Response("
        "JSON.stringify({message: 'others is not understood'}), {status: 400}))"
    )
    page.keyboard.press("Enter")
    until(page, f"{STATE} === 'failed'")
    assert page.locator(".live [role=status]").inner_text() == "others is not understood"


def test_a_stream_that_breaks_off_is_no_picture(open_page):
    page = open_page(UNIT)
    page.evaluate(
        "window.fetch = () => Promise.resolve(new Response("
        '\'event: step\\ndata: {"step": 1, "steps": 9}\\n\\n\'))'
    )
    page.get_by_role("button", name="Make the picture").click()
    until(page, f"{STATE} === 'failed'")
    assert "does not answer" in page.locator(".live [role=status]").inner_text()


def test_without_scripts_the_form_shows_the_picture(open_page):
    page = open_page(f"{UNIT}/live", java_script_enabled=False)
    page.get_by_label("Steps").fill("3")
    page.get_by_role("button", name="Make the picture").click()
    assert page.locator(".live [data-frame]").get_attribute("src").startswith("data:image/png")
    assert "after 3 steps" in page.locator(".live [role=status]").inner_text()


@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_it_fits_the_window(open_page, width):
    page = open_page(f"{UNIT}/live?objective=neuron&together=4&steps=2", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
