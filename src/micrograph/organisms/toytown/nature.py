"""Plants, and the clock. Units: x right, y down, about -0.9..0.9."""

from __future__ import annotations

from math import cos, pi, sin

from micrograph.organisms.toytown.canvas import Canvas, Material
from micrograph.organisms.toytown.palette import (
    BLACK,
    WHITE,
    between,
    chance,
    color,
    darker,
    green,
    metal,
    mix,
    pick,
    wood,
)
from micrograph.organisms.toytown.shared import leaf, leafy


def _bark(c: Canvas) -> Material:
    base = color(c.rng, (0.04, 0.1), (0.25, 0.7), (0.3, 0.6))
    return Material(darker(base, 0.4), mix(base, WHITE, 0.2), "bark", between(c.rng, 0.4, 0.7))


def flower(c: Canvas) -> None:
    """Petals around a dotted disc, a stem with two leaves."""
    rng = c.rng
    look = leafy(c)
    c.stroke(((0, -0.25), (0.06, 0.3), (0, 1.0)), 0.08, "stem", look)
    leaf(c, 0.04, 0.62, 0.56, -0.6, look)
    leaf(c, 0.04, 0.74, 0.56, pi + 0.6, look)
    base = color(rng, val=(0.65, 1.0)) if chance(rng, 0.85) else WHITE
    inner = color(rng, val=(0.5, 1.0)) if chance(rng, 0.4) else mix(base, WHITE, 0.3)
    count = int(rng.integers(5, 12))
    turn = between(rng, 0, pi)
    reach, wide = between(rng, 0.32, 0.4), 0.95 / count + 0.07
    for i in range(count):
        a = turn + 2 * pi * i / count
        tone = darker(base, 1 - 0.18 * (i % 2))
        c.ellipse(
            reach * cos(a),
            -0.3 + reach * sin(a),
            reach * 0.85,
            wide,
            "petal",
            Material(darker(tone, 0.7), mix(tone, inner, 0.5), "ribs", 0.5, a + pi / 2, ball=0.3),
            a,
        )
    heart = color(rng, (0.06, 0.17), (0.6, 1.0), (0.3, 1.0))
    c.ellipse(
        0, -0.3, 0.21, 0.21, "disc", Material(darker(heart, 0.4), heart, "dots", 0.25, ball=0.5)
    )


def tree(c: Canvas) -> None:
    """A trunk with two boughs under a round crown of foliage, sometimes with fruit."""
    rng = c.rng
    bark, crown = _bark(c), green(rng)
    c.polygon(
        ((-0.2, 0.92), (-0.11, 0.4), (-0.12, -0.1), (0.12, -0.1), (0.11, 0.4), (0.2, 0.92)),
        "trunk",
        bark,
    )
    for side in (-1, 1):
        c.stroke(((0, 0.36), (side * 0.34, 0.0)), 0.1, "trunk", bark)
    for x, y, r in (
        (-0.42, -0.1, 0.36),
        (0.42, -0.1, 0.36),
        (-0.26, -0.5, 0.38),
        (0.26, -0.5, 0.38),
        (0.0, -0.24, 0.42),
    ):
        r *= between(rng, 0.9, 1.1)
        c.ellipse(x, y, r, r * 0.92, "foliage", crown.of(ball=0.6))
    if chance(rng, 0.4):
        fruit = color(rng, (-0.05, 0.14), (0.8, 1.0), (0.7, 1.0))
        for _ in range(7):
            c.ellipse(
                between(rng, -0.6, 0.6),
                between(rng, -0.7, 0.1),
                0.075,
                0.075,
                None,
                Material(darker(fruit, 0.8), fruit, ball=0.6),
            )


def palm(c: Canvas) -> None:
    """A curved ringed trunk with drooping fronds and nuts."""
    rng = c.rng
    bend = between(rng, -0.22, 0.22)
    base = color(rng, (0.06, 0.11), (0.3, 0.6), (0.4, 0.7))
    ringed = Material(darker(base, 0.5), mix(base, WHITE, 0.25), "ribs", 0.6, pi / 2)
    top = (bend, -0.36)
    c.polygon(
        (
            (-0.13, 0.94),
            (-0.08 + bend * 0.3, 0.2),
            (top[0] - 0.05, top[1]),
            (top[0] + 0.05, top[1]),
            (0.06 + bend * 0.3, 0.2),
            (0.13, 0.94),
        ),
        "trunk",
        ringed,
    )
    look = green(rng, "ribs").of(grain=0.35)
    for a in (0.55, 0.1, -0.45, -1.05, -pi + 1.05, -pi + 0.45, pi - 0.1, pi - 0.55):
        a += between(rng, -0.12, 0.12)
        size = between(rng, 0.66, 0.82)
        spine = [
            (top[0] + size * t * cos(a), top[1] + size * t * sin(a) + 0.5 * size * t * t)
            for t in (0, 0.35, 0.7, 1.0)
        ]
        low = [(x, y + w) for (x, y), w in zip(spine, (0.03, 0.2, 0.17, 0.02), strict=True)]
        high = [(x, y - w) for (x, y), w in zip(spine, (0.02, 0.07, 0.06, 0.0), strict=True)]
        c.polygon([*high, *reversed(low)], "leaf", look.of(angle=a))
        c.stroke(spine, 0.03, "leaf", Material(look.second, look.second))
    nut = Material((0.25, 0.14, 0.06), (0.5, 0.32, 0.16), ball=0.6)
    for x in (-0.09, 0.09, 0.0):
        c.ellipse(top[0] + x, top[1] + 0.07, 0.08, 0.08, None, nut)


def pine(c: Canvas) -> None:
    """A stack of jagged green triangles on a short trunk."""
    rng = c.rng
    c.rect(-0.1, 0.5, 0.1, 0.94, "trunk", _bark(c))
    base = color(rng, (0.28, 0.5), (0.4, 0.9), (0.3, 0.65))
    needles = Material(darker(base, 0.35), mix(base, WHITE, 0.2), "grass", between(rng, 0.4, 0.8))
    layers = int(rng.integers(3, 5))
    for i in range(layers):
        share = (layers - i) / layers
        low = -0.5 + 1.16 * share
        half = 0.22 + 0.46 * share
        teeth = [(half * (k / 4 - 1), low - (0.1 if k % 2 else 0.0)) for k in range(9)]
        c.polygon(
            [(0, low - 0.62), *reversed(teeth)],
            "foliage",
            needles.of(first=darker(needles.first, 0.8 + 0.15 * i)),
        )
    if chance(rng, 0.5):
        snow = Material((0.8, 0.85, 0.92), (1, 1, 1))
        c.polygon(
            ((0, -0.84), (-0.13, -0.6), (-0.05, -0.64), (0, -0.56), (0.06, -0.64), (0.13, -0.6)),
            None,
            snow,
        )


def mushroom(c: Canvas) -> None:
    """A spotted cap on a pale stem, with gills below."""
    rng = c.rng
    pale = color(rng, (0.08, 0.14), (0.05, 0.25), (0.8, 1.0))
    c.polygon(
        ((-0.2, 0.9), (-0.15, 0.1), (0.15, 0.1), (0.2, 0.9)),
        "stem",
        Material(darker(pale, 0.8), pale, "grass", 0.6, ball=0.3),
    )
    c.polygon(
        ((-0.22, 0.36), (-0.15, 0.22), (0.15, 0.22), (0.22, 0.36)),
        "stem",
        Material(pale, WHITE, "ribs", 0.3),
    )
    c.ellipse(0, 0.08, 0.72, 0.17, "cap", Material(darker(pale, 0.6), pale, "ribs", 0.4))
    base = color(rng, (-0.06, 0.12), (0.5, 1.0), (0.4, 0.95)) if chance(rng, 0.75) else color(rng)
    red = Material(darker(base, 0.8), base, "cloud", ball=0.6)
    tall = between(rng, 0.7, 0.95)
    c.polygon(
        [(0.8 * cos(a), 0.08 - tall * sin(a)) for a in (pi * i / 16 for i in range(17))], "cap", red
    )
    spot = Material((0.85, 0.83, 0.78), WHITE, ball=0.3)
    for x, y, r in (
        (-0.45, -0.2, 0.12),
        (0.02, -0.42, 0.15),
        (0.46, -0.16, 0.13),
        (0.0, -0.08, 0.11),
        (-0.24, -0.02, 0.07),
        (0.28, -0.4, 0.07),
    ):
        x, y = x + between(rng, -0.06, 0.06), y * tall / 0.82 + between(rng, -0.04, 0.04)
        c.ellipse(x, y, r, r * 0.85, "cap", spot)


def clock(c: Canvas) -> None:
    """A rim, a pale dial with twelve marks, two hands."""
    rng = c.rng
    ring = (
        metal(rng)
        if chance(rng, 0.4)
        else wood(rng)
        if chance(rng, 0.4)
        else Material(color(rng), WHITE)
    )
    if chance(rng, 0.35):  # an alarm clock has bells and feet
        for side in (-1, 1):
            c.ellipse(side * 0.46, -0.74, 0.22, 0.16, "rim", ring.of(ball=0.6), side * 0.6)
            c.stroke(((side * 0.4, 0.6), (side * 0.6, 0.94)), 0.1, "rim", ring)
    c.ellipse(0, 0, 0.84, 0.84, "rim", Material(darker(ring.first, 0.5), ring.first))
    c.ellipse(0, 0, 0.8, 0.8, "rim", ring)
    paper = (
        color(rng, (0.08, 0.16), (0.0, 0.25), (0.8, 1.0))
        if chance(rng, 0.75)
        else color(rng, sat=(0.2, 0.7), val=(0.6, 1.0))
    )
    c.ellipse(0, 0, 0.66, 0.66, "dial", Material(darker(paper, 0.92), paper, "cloud", ball=0.2))
    ink = Material(BLACK, (0.15, 0.1, 0.1))
    long_marks = pick(rng, ("all", "quarters"))
    for i in range(12):
        a = pi / 6 * i
        inner = 0.48 if long_marks == "all" or i % 3 == 0 else 0.56
        c.stroke(
            ((inner * cos(a), inner * sin(a)), (0.62 * cos(a), 0.62 * sin(a))),
            0.07 if i % 3 == 0 else 0.045,
            "dial",
            ink,
        )
    dark = ink if chance(rng, 0.7) else Material(*(2 * (color(rng, val=(0.2, 0.6)),)))
    for size, width in ((0.34, 0.09), (0.5, 0.065)):
        a = between(rng, 0, 2 * pi)
        c.stroke(
            ((-0.1 * cos(a), -0.1 * sin(a)), (size * cos(a), size * sin(a))), width, "hand", dark
        )
    c.ellipse(0, 0, 0.07, 0.07, "hand", dark)
