"""Widths, themes, stillness while loading, and life without scripts."""

import pytest

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    "/models",
    "/models/tinynet",
    "/models/tinynet/mixed1a",
    "/models/tinynet/mixed1a/3",
    "/models/tinynet/empty/0",
    "/about",
    "/search?q=zzz",
    "/models/lensed/mixed1a/3",
    "/models/lensed/mixed1a",
    "/models/lensed/mixed1a?lens=dataset_examples",
    "/models/lensed?lens=caricature",
    "/models/lensed?lens=unit_map",
]
BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"

# Contrast of text with what is behind it (WCAG 2.2, relative luminance), least over the page.
CONTRAST = """() => {
  const channel = (v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  let worst = [99, ""];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !element.checkVisibility() || element.closest("[aria-hidden], i, .off")) continue;
    let back = element;
    while (back && rgba(getComputedStyle(back).backgroundColor)[3] < 255) back = back.parentElement;
    const a = light(rgba(getComputedStyle(element).color));
    const b = light(rgba(getComputedStyle(back ?? document.documentElement).backgroundColor));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < worst[0]) worst = [ratio, element.outerHTML.slice(0, 120)];
  }
  return worst;
}"""


@pytest.mark.parametrize("width", [360, pytest.param(768, marks=pytest.mark.nightly), 1280, 2560])
def test_nothing_is_wider_than_the_window(open_page, width):
    page = open_page("/about", width=width)
    for path in PAGES:
        page.goto(path)
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, (path, width)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(open_page, theme):
    page = open_page("/about", color_scheme=theme)
    for path in PAGES:
        page.goto(path)
        ratio, where = page.evaluate(CONTRAST)
        assert ratio >= 4.5, (path, where)


def test_the_theme_follows_the_system_and_a_choice_is_remembered(open_page):
    page = open_page("/", color_scheme="dark")
    dark = page.evaluate(BACKGROUND)
    page.get_by_role("button", name="Dark or light").click()
    light = page.evaluate(BACKGROUND)
    assert light != dark
    page.goto("/about")
    assert page.evaluate(BACKGROUND) == light
    page.keyboard.press("t")
    assert page.evaluate(BACKGROUND) == dark
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize(
    "path",
    [
        "/models/tinynet/wide",
        "/models/tinynet/mixed1a/3",
        "/models/tinynet",
        "/",
        "/models/lensed/mixed1a/3",
        "/models/lensed/mixed1a?lens=dataset_examples",
    ],
)
def test_nothing_moves_while_pictures_load(open_page, path):
    page = open_page("/about")
    page.add_init_script("""
        window.shift = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) window.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: true });
    """)

    def late(route) -> None:
        page.wait_for_timeout(5)
        route.continue_()

    page.route("**/images/**", late)
    page.goto(path, wait_until="load")
    page.wait_for_timeout(200)
    assert page.evaluate("shift") < 0.02


def test_a_grid_of_a_thousand_paints_at_once(open_page):
    page = open_page("/models/tinynet/wide?size=s")
    painted = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 1e9"
    )
    assert painted < 3000  # a second on an idle machine
    assert page.locator(".grid li").count() == 1024
    kept = page.evaluate("getComputedStyle(document.querySelector('.grid li')).contentVisibility")
    assert kept == "auto"


def test_everything_can_be_read_without_scripts(open_page):
    page = open_page("/", java_script_enabled=False)
    page.get_by_role("link", name="tinynet", exact=True).click()
    page.locator(".canvas a[href$='/mixed1a']").click()
    page.locator(".switch").get_by_role("link", name="Strongest").click()
    page.wait_for_url("**/mixed1a?sort=strong")
    page.locator("a[href$='/mixed1a/3']").click()
    assert page.get_by_role("heading", level=1).inner_text().endswith("3")
    page.get_by_text("What is copied").click()
    assert page.get_by_text("@misc{micrograph_tinynet_mixed1a_3").is_visible()
    assert page.locator("button:visible:not(form button)").count() == 0, "forms need no scripts"
    page.locator("input[name=q]").fill("tinynet 1a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/tinynet/mixed1a")


def test_landmarks_and_names(open_page):
    page = open_page("/models/tinynet/mixed1a/3")
    for role in ("banner", "main", "contentinfo", "search"):
        assert page.get_by_role(role).count() == 1, role
    assert page.get_by_role("complementary", name="Lenses and map").count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    nameless = page.evaluate("""() =>
        [...document.querySelectorAll("a[href], button, input, [role=application]")]
        .filter((e) => e.checkVisibility() && !(e.innerText?.trim() || e.ariaLabel || e.title
          || [...(e.labels ?? [])].some((label) => label.innerText.trim())
          || e.querySelector("img[alt]:not([alt=''])") || e.closest("[aria-hidden]")))
        .map((e) => e.outerHTML)""")
    assert nameless == []
