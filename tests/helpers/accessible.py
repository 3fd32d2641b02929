"""What of a page a reader with a keyboard, a screen reader or weak eyes could not use."""

from typing import Any

_FAULTS = """() => {
  const faults = [];
  const say = (what, one) => faults.push(`${what}: ${one.outerHTML.slice(0, 120)}`);
  const shown = (one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const name = (one) => {
    const by = (one.getAttribute("aria-labelledby") ?? "").split(/\\s+/).filter(Boolean);
    const told = by.map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    const images = [...one.querySelectorAll("img, svg")]
      .map((i) => i.getAttribute("alt") ?? i.getAttribute("aria-label") ?? "").join(" ");
    const labels = [...(one.labels ?? [])].map((l) => l.textContent).join(" ");
    return [one.getAttribute("aria-label"), told, labels, one.textContent, images,
      one.getAttribute("title"), one.getAttribute("placeholder")].join(" ").trim();
  };
  for (const one of document.querySelectorAll("a[href], button, input, select, summary, textarea"))
    if (shown(one) && !name(one)) say("no name", one);
  for (const one of document.querySelectorAll("img:not([alt])")) say("no alternative", one);
  for (const one of document.querySelectorAll("[role=img]"))
    if (!name(one)) say("no name", one);
  for (const one of document.querySelectorAll("[aria-labelledby], [aria-controls], label[for]"))
    for (const key of ["aria-labelledby", "aria-controls", "for"])
      for (const id of (one.getAttribute(key) ?? "").split(/\\s+/).filter(Boolean))
        if (!document.getElementById(id)) say(`${key} of nothing`, one);
  let level = 0;
  for (const one of document.querySelectorAll("main :is(h1, h2, h3, h4, h5, h6)")) {
    if (!shown(one)) continue;
    const now = Number(one.tagName[1]);
    if (now > level + 1) say("a level of headings is left out", one);
    level = now;
  }
  if (!document.documentElement.lang) faults.push("the page has no language");
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main part");
  for (const one of document.querySelectorAll("[tabindex]"))
    if (one.tabIndex > 0) say("an order of its own", one);

  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const colour = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => top.slice(0, 3).map((v, k) => v * top[3] + below[k] * (1 - top[3]));
  const behind = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null;
      layers.push(colour(style.backgroundColor));
    }
    const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark") &&
      matchMedia("(prefers-color-scheme: dark)").matches;
    const ground = dark ? [18, 18, 18] : [255, 255, 255];
    return layers.reduceRight((below, top) => over(top, below), ground);
  };
  const light = (rgb) => rgb.map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (texts.nextNode()) {
    const one = texts.currentNode.parentElement;
    if (!/[\\p{L}\\p{N}]/u.test(texts.currentNode.data) || seen.has(one) || !shown(one)) continue;
    seen.add(one);
    if (one.closest("[aria-hidden=true], :disabled")) continue;
    const style = getComputedStyle(one);
    const ground = behind(one);
    if (ground === null) continue;
    const drawn = one.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const ink = colour(drawn);
    ink[3] *= Number(style.opacity);
    const [a, b] = [light(over(ink, ground)), light(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)}`, one);
  }
  return faults;
}"""

_FOCUS = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const style = getComputedStyle(one);
  const outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const box = one.getBoundingClientRect();
  return {
    html: one.outerHTML.slice(0, 120),
    visible: outline || style.boxShadow !== "none" || one.matches("input, textarea"),
    large: box.width > 0 && box.height > 0,
  };
}"""


def faults(page: Any) -> list[str]:
    """What is wrong with a page that a browser has open, a line each."""
    # Colours on their way from one theme to the other are none of either.
    page.evaluate("for (const one of document.getAnimations()) { try { one.finish() } catch {} }")
    found: list[str] = page.evaluate(_FAULTS)
    return found


def focus_walk(page: Any, most: int = 200) -> list[dict[str, Any]]:
    """What Tab leads to from the top of the page to its end, in order."""
    page.evaluate("document.activeElement.blur()")
    found: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUS)
        if at is None or (found and at == found[0]):
            break
        found.append(at)
    return found
