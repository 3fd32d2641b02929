"""Random but agreeable colours and materials."""

from __future__ import annotations

from colorsys import hsv_to_rgb

import numpy as np

from micrograph.organisms.toytown.canvas import Color, Material

Rng = np.random.Generator
Span = tuple[float, float]

ANY: Span = (0.0, 1.0)
BLACK: Color = (0.06, 0.06, 0.07)
WHITE: Color = (0.95, 0.95, 0.93)


def color(rng: Rng, hue: Span = ANY, sat: Span = (0.5, 1.0), val: Span = (0.5, 1.0)) -> Color:
    """A colour drawn from spans of hue (may leave 0..1, it wraps), saturation and value."""
    h, s, v = rng.random(3).tolist()
    return hsv_to_rgb(
        (hue[0] + h * (hue[1] - hue[0])) % 1.0,
        sat[0] + s * (sat[1] - sat[0]),
        val[0] + v * (val[1] - val[0]),
    )


def mix(a: Color, b: Color, share: float) -> Color:
    """`share` of b, the rest of a."""
    return tuple(s + (t - s) * share for s, t in zip(a, b, strict=True))  # type: ignore[return-value]


def darker(a: Color, factor: float) -> Color:
    """The colour times a factor."""
    return (a[0] * factor, a[1] * factor, a[2] * factor)


def pick(rng: Rng, options: tuple[str, ...]) -> str:
    """One of the options."""
    return options[int(rng.integers(len(options)))]


def chance(rng: Rng, share: float) -> bool:
    """True in `share` of the draws."""
    return bool(rng.random() < share)


def between(rng: Rng, low: float, high: float) -> float:
    """A uniform draw."""
    return low + (high - low) * float(rng.random())


def glass(rng: Rng) -> Material:
    """Window panes: dark by day with a sky reflection, or lit from within."""
    if chance(rng, 0.25):
        warm = color(rng, (0.1, 0.16), (0.4, 0.7), (0.9, 1.0))
        return Material(warm, mix(warm, WHITE, 0.4), "glass", 0.6)
    dark = color(rng, (0.52, 0.66), (0.3, 0.6), (0.12, 0.35))
    return Material(dark, color(rng, (0.52, 0.6), (0.15, 0.4), (0.6, 0.95)), "glass", 0.6)


def lacquer(rng: Rng, hue: Span = ANY) -> Material:
    """Painted metal."""
    base = color(rng, hue, (0.55, 1.0), (0.45, 1.0)) if chance(rng, 0.85) else WHITE
    return Material(base, mix(base, WHITE, 0.25), "plain")


def metal(rng: Rng, val: Span = (0.55, 0.85)) -> Material:
    """Bare grey metal."""
    base = color(rng, (0.55, 0.65), (0.0, 0.15), val)
    return Material(base, mix(base, WHITE, 0.5), "grain")


def wood(rng: Rng) -> Material:
    """Brown planks."""
    base = color(rng, (0.05, 0.1), (0.45, 0.8), (0.3, 0.6))
    return Material(darker(base, 0.55), mix(base, WHITE, 0.2), "planks", between(rng, 0.35, 0.6))


def masonry(rng: Rng) -> Material:
    """Brick, stone, planks or plaster."""
    kind = pick(rng, ("brick", "brick", "stone", "planks", "cloud"))
    if kind == "brick":
        base = color(rng, (-0.02, 0.09), (0.4, 0.85), (0.45, 0.9))
        return Material(darker(base, 0.75), mix(base, WHITE, 0.75), "brick", between(rng, 0.4, 0.7))
    if kind == "stone":
        base = color(rng, (0.05, 0.15), (0.05, 0.35), (0.5, 0.9))
        return Material(darker(base, 0.4), mix(base, WHITE, 0.2), "stone", between(rng, 0.4, 0.7))
    base = color(rng, ANY, (0.1, 0.6), (0.6, 1.0))
    return Material(darker(base, 0.7), base, kind, between(rng, 0.5, 0.8))


def roofing(rng: Rng) -> Material:
    """Rows of tiles."""
    base = color(
        rng, pick_span(rng, ((-0.03, 0.06), (0.55, 0.65), (0.3, 0.4))), (0.3, 0.9), (0.4, 0.85)
    )
    return Material(darker(base, 0.35), mix(base, WHITE, 0.2), "tiles", between(rng, 0.35, 0.6))


def green(rng: Rng, texture: str = "foliage") -> Material:
    """Leaves and grass, now and then autumn."""
    hue = (0.22, 0.42) if chance(rng, 0.8) else (0.03, 0.16)
    base = color(rng, hue, (0.5, 0.95), (0.4, 0.85))
    return Material(darker(base, 0.3), mix(base, (1, 1, 0.6), 0.25), texture, between(rng, 0.5, 1))


def coat(rng: Rng, hue: Span, sat: Span, val: Span) -> Material:
    """Fur."""
    base = color(rng, hue, sat, val)
    return Material(darker(base, 0.55), mix(base, WHITE, 0.25), "fur", 0.5, ball=0.5)


def anything(rng: Rng) -> Material:
    """Any colours with any texture, for clutter and backgrounds."""
    texture = pick(
        rng,
        (
            "plain",
            "cloud",
            "brick",
            "planks",
            "tiles",
            "fur",
            "stripes",
            "dots",
            "checks",
            "scales",
            "foliage",
            "grass",
            "stone",
            "ribs",
            "weave",
            "water",
            "bark",
        ),
    )
    first = color(rng, ANY, (0.05, 0.9), (0.15, 0.95))
    second = (
        color(rng, ANY, (0.05, 0.9), (0.15, 0.95))
        if chance(rng, 0.4)
        else mix(first, WHITE if chance(rng, 0.5) else BLACK, between(rng, 0.3, 0.7))
    )
    return Material(first, second, texture, between(rng, 0.4, 1.3), between(rng, -3, 3))


def pick_span(rng: Rng, options: tuple[Span, ...]) -> Span:
    """One of the spans."""
    return options[int(rng.integers(len(options)))]
