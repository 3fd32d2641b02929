"""What is around a thing: backgrounds, clutter behind it, a little in front of it."""

from __future__ import annotations

from math import cos, pi, sin

from micrograph.organisms.toytown.canvas import Canvas, Material
from micrograph.organisms.toytown.palette import (
    WHITE,
    anything,
    between,
    chance,
    color,
    darker,
    green,
    masonry,
    mix,
    pick,
)
from micrograph.organisms.toytown.shared import leaf, leafy, loose_part


def _full(c: Canvas, look: Material, y0: float = -1.5) -> None:
    """Fill the picture, or what lies below y0 (-1..1 over the picture)."""
    c.rect(-1.6, y0, 1.6, 1.6, None, look)


def background(c: Canvas) -> None:
    """Sky and ground, a wall, a meadow, water, or any texture at all."""
    rng = c.rng
    c.place(0.5, 0.5, 0.5, between(rng, -0.1, 0.1))
    kind = pick(rng, ("land", "land", "street", "wall", "sea", "green", "any", "any", "clouds"))
    c.setting = kind
    sky = color(rng, (0.5, 0.65) if chance(rng, 0.7) else (-0.1, 0.15), (0.1, 0.7), (0.35, 1.0))
    clouds = Material(sky, mix(sky, WHITE, between(rng, 0.2, 0.8)), "cloud", between(rng, 0.8, 1.6))
    if kind == "any":
        _full(c, anything(rng))
        return
    if kind == "wall":
        _full(c, masonry(rng).of(grain=between(rng, 0.5, 1.0)))
        return
    if kind == "green":
        _full(c, green(rng).of(grain=between(rng, 0.5, 1.2)))
        return
    _full(c, clouds)
    line = between(rng, -0.1, 0.7)
    if kind == "land":
        hill = green(rng, "grass")
        if chance(rng, 0.5):
            far = mix(sky, color(rng, (0.25, 0.7)), 0.5)
            peaks = [(-1.6 + 0.4 * i, line - between(rng, 0.0, 0.5)) for i in range(9)]
            c.polygon(
                [*peaks, (1.6, 1.6), (-1.6, 1.6)], None, Material(darker(far, 0.7), far, "cloud")
            )
        _full(c, hill, line)
    elif kind == "street":
        wall = masonry(rng)
        _full(c, wall.of(grain=0.5), line - 0.9)
        tar = color(rng, sat=(0.0, 0.2), val=(0.2, 0.6))
        _full(c, Material(darker(tar, 0.7), tar, "grain"), line)
    elif kind == "sea":
        deep = color(rng, (0.45, 0.65), (0.4, 0.9), (0.3, 0.8))
        _full(
            c,
            Material(darker(deep, 0.6), mix(deep, WHITE, 0.4), "water", between(rng, 0.5, 1)),
            line,
        )


def clutter(c: Canvas) -> None:
    """Random blobs, bars and polygons, and parts of other things, behind the thing."""
    rng = c.rng
    for _ in range(int(rng.integers(1, 6))):
        c.place(
            between(rng, 0, 1), between(rng, 0, 1), between(rng, 0.05, 0.2), between(rng, -pi, pi)
        )
        kind = int(rng.integers(4))
        look = anything(rng)
        if kind == 0:
            c.ellipse(0, 0, 1, between(rng, 0.4, 1), None, look.of(ball=0.5))
        elif kind == 1:
            c.rect(-1, -0.6, 1, 0.6, None, look)
        elif kind == 2:
            c.stroke(
                ((-1.6, 0), (0, between(rng, -1, 1)), (1.6, 0)), between(rng, 0.15, 0.5), None, look
            )
        else:
            c.polygon(
                [
                    (r * cos(a), r * sin(a))
                    for a, r in ((2 * pi * i / 7, between(rng, 0.5, 1.1)) for i in range(7))
                ],
                None,
                look,
            )
    for _ in range(int(rng.integers(0, 3))):
        c.place(
            between(rng, 0, 1),
            between(rng, 0, 1),
            between(rng, 0.07, 0.15),
            between(rng, -0.5, 0.5),
        )
        loose_part(c)


def foreground(c: Canvas) -> None:
    """Sometimes blades of grass, leaves or a bar in front of the thing, near the border."""
    rng = c.rng
    kind = int(rng.integers(5))
    if kind == 0:
        c.place(0.5, 1.0, 0.5)
        look = leafy(c)
        for _ in range(int(rng.integers(3, 8))):
            x = between(rng, -1, 1)
            tip = x + between(rng, -0.15, 0.15)
            c.polygon(
                ((x - 0.04, 0.1), (tip, between(rng, -0.4, -0.15)), (x + 0.04, 0.1)), "leaf", look
            )
    elif kind == 1:
        c.place(pick_side(c), between(rng, 0, 1), 0.2, between(rng, -1, 1))
        look = leafy(c)
        for i in range(3):
            leaf(c, 0, 0, 1.2, pi * i * 0.7, look)
    elif kind == 2:
        c.place(between(rng, 0.1, 0.9), 0.5, 0.5, between(rng, -0.3, 0.3))
        c.rect(-0.05, -1.6, 0.05, 1.6, None, anything(rng))


def pick_side(c: Canvas) -> float:
    """A place near the left or the right border."""
    return 0.03 if chance(c.rng, 0.5) else 0.97
