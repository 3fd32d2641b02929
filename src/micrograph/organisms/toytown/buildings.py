"""Buildings. Units: x right, y down; the ground is at y = 0.8."""

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
    glass,
    lacquer,
    masonry,
    mix,
    roofing,
    wood,
)
from micrograph.organisms.toytown.shared import door, window


def _frame(c: Canvas) -> Material:
    if chance(c.rng, 0.5):
        return Material((0.85, 0.85, 0.82), WHITE)
    return wood(c.rng)


def house(c: Canvas) -> None:
    """Wall, pitched roof, chimney, a door and windows."""
    rng = c.rng
    wall, roof, pane, frame = masonry(rng), roofing(rng), glass(rng), _frame(c)
    top = between(rng, -0.2, -0.05)
    x = between(rng, 0.3, 0.5)
    c.rect(x, -0.86, x + 0.18, -0.3, "chimney", masonry(rng))
    c.rect(x - 0.03, -0.9, x + 0.21, -0.82, "chimney", Material(BLACK, (0.3, 0.28, 0.26)))
    c.rect(-0.76, top, 0.76, 0.8, "wall", wall)
    if chance(rng, 0.5):  # gable to the front
        c.polygon(((-0.9, top), (0, -0.84), (0.9, top)), "roof", roof)
        c.polygon(((-0.66, top), (0, -0.66), (0.66, top)), "wall", wall)
        window(c, -0.14, -0.42, 0.14, top - 0.02, pane, frame, bars=(1, 1))
    else:
        c.polygon(((-0.92, top), (-0.6, -0.72), (0.6, -0.72), (0.92, top)), "roof", roof)
    c.rect(
        -0.94, top - 0.03, 0.94, top + 0.04, "roof", Material(darker(roof.first, 0.7), roof.first)
    )
    at = between(rng, -0.16, 0.02)
    door(c, at, 0.28, at + 0.28, 0.8)
    for x0 in (-0.62, 0.36):
        window(c, x0, 0.16, x0 + 0.28, 0.52, pane, frame, bars=(1, 1))


def church(c: Canvas) -> None:
    """A nave with tall round-topped windows, a tower with a pointed roof and a cross."""
    rng = c.rng
    wall, roof, pane, frame = masonry(rng), roofing(rng), glass(rng), _frame(c)
    gold = (
        Material((0.75, 0.6, 0.15), (1, 0.95, 0.6))
        if chance(rng, 0.6)
        else Material(BLACK, (0.3, 0.3, 0.3))
    )
    c.polygon(((-0.2, 0.2), (-0.06, -0.2), (0.8, -0.2), (0.94, 0.2)), "roof", roof)
    c.rect(-0.16, 0.18, 0.88, 0.8, "wall", wall)
    for x in (0.02, 0.32, 0.62):
        window(c, x, 0.38, x + 0.16, 0.68, pane, frame, round_top=True)
    c.rect(-0.7, -0.26, -0.14, 0.8, "wall", wall)
    c.polygon(((-0.78, -0.24), (-0.42, -0.78), (-0.06, -0.24)), "roof", roof)
    c.stroke(((-0.42, -0.74), (-0.42, -1.04)), 0.055, "cross", gold)
    c.stroke(((-0.53, -0.94), (-0.31, -0.94)), 0.055, "cross", gold)
    if chance(rng, 0.5):
        c.ellipse(-0.42, -0.04, 0.13, 0.13, "dial", Material((0.85, 0.85, 0.8), WHITE))
        c.stroke(
            ((-0.42, -0.13), (-0.42, -0.04), (-0.35, -0.01)), 0.03, "hand", Material(BLACK, BLACK)
        )
    else:
        window(c, -0.5, -0.04, -0.34, 0.14, pane, frame, round_top=True)
    door(c, -0.54, 0.46, -0.3, 0.8, round_top=True)


def castle(c: Canvas) -> None:
    """Two round towers, a wall between, battlements everywhere, a gate."""
    rng = c.rng
    wall = masonry(rng)
    dark = Material(BLACK, (0.2, 0.18, 0.16))

    def crown(x0: float, x1: float, y: float, teeth: int) -> None:
        step = (x1 - x0) / (2 * teeth - 1)
        c.rect(x0, y, x1, y + 0.09, "battlement", wall)
        for i in range(teeth):
            c.rect(
                x0 + 2 * i * step, y - 0.13, x0 + (2 * i + 1) * step, y + 0.02, "battlement", wall
            )

    c.rect(-0.5, -0.06, 0.5, 0.8, "wall", wall)
    crown(-0.42, 0.42, -0.12, 5)
    high = between(rng, -0.58, -0.44)
    for x in (-0.66, 0.66):
        c.rect(x - 0.22, high, x + 0.22, 0.8, "wall", wall.of(ball=0.25))
        crown(x - 0.28, x + 0.28, high - 0.06, 4)
        for y in (high + 0.22, high + 0.62):
            c.rect(x - 0.045, y, x + 0.045, y + 0.2, "window", dark)
    gate = wood(rng) if chance(rng, 0.6) else dark
    door(c, -0.2, 0.38, 0.2, 0.8, gate, round_top=True)
    if chance(rng, 0.7):
        x = -0.66 if chance(rng, 0.5) else 0.66
        c.stroke(((x, high - 0.1), (x, high - 0.5)), 0.04, "pole", dark)
        c.polygon(((x, high - 0.5), (x + 0.3, high - 0.42), (x, high - 0.3)), "pole", lacquer(rng))


def windmill(c: Canvas) -> None:
    """A tapering tower with a cap roof and four latticed blades."""
    rng = c.rng
    wall, pane, frame = masonry(rng), glass(rng), _frame(c)
    c.polygon(((-0.42, 0.8), (-0.24, -0.3), (0.24, -0.3), (0.42, 0.8)), "wall", wall.of(ball=0.2))
    c.polygon(
        ((-0.3, -0.26), (-0.22, -0.46), (0, -0.6), (0.22, -0.46), (0.3, -0.26)),
        "roof",
        roofing(rng),
    )
    window(c, -0.09, 0.12, 0.09, 0.32, pane, frame, bars=(1, 1))
    door(c, -0.13, 0.48, 0.13, 0.8, round_top=chance(rng, 0.5))
    turn = between(rng, 0, pi / 2)
    base = color(rng, sat=(0.1, 0.8), val=(0.7, 1))
    cloth = Material(darker(base, 0.5), mix(base, WHITE, 0.4), "weave", between(rng, 0.7, 1.1))
    rod = Material((0.25, 0.16, 0.1), (0.4, 0.28, 0.18))
    hub_y = -0.34
    for i in range(4):
        a = turn + pi / 2 * i
        ca, sa = cos(a), sin(a)

        def at(u: float, v: float, ca: float = ca, sa: float = sa) -> tuple[float, float]:
            return (u * ca - v * sa, hub_y + u * sa + v * ca)

        c.polygon(
            (at(0.18, 0), at(0.18, 0.2), at(0.84, 0.2), at(0.84, 0)), "blade", cloth.of(angle=a)
        )
        c.stroke((at(0, 0), at(0.86, 0)), 0.05, "blade", rod)
    c.ellipse(0, hub_y, 0.08, 0.08, "blade", rod.of(ball=0.4))


def lighthouse(c: Canvas) -> None:
    """A banded round tower with a glazed lantern under a small roof."""
    rng = c.rng
    first = WHITE if chance(rng, 0.7) else color(rng, sat=(0.1, 0.4), val=(0.8, 1))
    second = color(rng, (-0.03, 0.04)) if chance(rng, 0.6) else color(rng, val=(0.1, 0.7))
    top, foot = 0.2, 0.36
    count = int(rng.integers(5, 8))
    for i in range(count):
        y0, y1 = -0.46 + 1.26 * i / count, -0.46 + 1.26 * (i + 1) / count
        x0, x1 = (top + (foot - top) * (y + 0.46) / 1.26 for y in (y0, y1))
        base = (first, second)[i % 2]
        look = Material(darker(base, 0.85), base, "cloud", ball=0.35)
        c.polygon(((-x0, y0), (x0, y0), (x1, y1), (-x1, y1)), "wall", look)
    c.rect(-0.28, -0.5, 0.28, -0.43, "wall", Material(BLACK, (0.25, 0.25, 0.27)))
    warm = Material((0.95, 0.8, 0.3), (1, 1, 0.8), "ribs", 0.5)
    c.rect(-0.16, -0.74, 0.16, -0.5, "lamp", warm)
    for x in (-0.15, 0.0, 0.15):
        c.stroke(((x, -0.74), (x, -0.5)), 0.03, "lamp", Material(BLACK, BLACK))
    c.polygon(((-0.24, -0.72), (0, -0.98), (0.24, -0.72)), "roof", lacquer(rng, (-0.05, 0.08)))
    for y in (-0.22, 0.14):
        window(c, -0.05, y, 0.05, y + 0.14, glass(rng), Material(BLACK, (0.3, 0.3, 0.3)))
    door(c, -0.11, 0.5, 0.11, 0.8, round_top=True)
