"""Things on wheels. Units: x right, y down; the ground is at y = 0.6."""

from __future__ import annotations

from math import pi

from micrograph.organisms.toytown.canvas import Canvas, Material
from micrograph.organisms.toytown.palette import (
    BLACK,
    WHITE,
    anything,
    between,
    chance,
    color,
    darker,
    glass,
    lacquer,
    metal,
    mix,
    wood,
)
from micrograph.organisms.toytown.shared import wheel, window

LAMP = Material((1.0, 0.85, 0.4), (1.0, 1.0, 0.85), ball=0.4)
DARK = Material(BLACK, (0.18, 0.18, 0.2))
TRIM = Material((0.15, 0.15, 0.17), (0.3, 0.3, 0.33))


def _panel(c: Canvas, x0: float, y0: float, x1: float, y1: float, look: Material) -> None:
    """A vehicle's door: an outlined panel with a handle."""
    edge = Material(darker(look.first, 0.45), darker(look.second, 0.45))
    c.rect(x0, y0, x1, y1, "door", edge)
    c.rect(x0 + 0.025, y0 + 0.025, x1 - 0.025, y1 - 0.025, "door", look)
    c.rect(x0 + 0.05, y0 + 0.09, x0 + 0.14, y0 + 0.13, "door", DARK)


def car(c: Canvas) -> None:
    """Low body, sloping cabin, two windows, two wheels."""
    rng = c.rng
    paint, pane = lacquer(rng), glass(rng)
    back = between(rng, -0.72, -0.5)
    c.polygon(((back, 0.02), (back + 0.22, -0.36), (0.22, -0.36), (0.56, 0.02)), "cabin", paint)
    c.polygon(
        ((back + 0.1, -0.01), (back + 0.26, -0.29), (-0.09, -0.29), (-0.09, -0.01)), "window", pane
    )
    c.polygon(((-0.02, -0.01), (-0.02, -0.29), (0.19, -0.29), (0.43, -0.01)), "window", pane)
    c.polygon(
        ((-0.96, 0.1), (-0.9, 0.0), (0.6, 0.0), (0.93, 0.1), (0.97, 0.42), (-0.97, 0.42)),
        "body",
        paint,
    )
    c.rect(-0.97, 0.34, 0.97, 0.42, "body", TRIM)
    _panel(c, -0.06, 0.03, 0.38, 0.34, paint)
    c.ellipse(0.9, 0.17, 0.06, 0.08, "lamp", LAMP)
    c.rect(-0.96, 0.1, -0.9, 0.22, "lamp", Material((0.7, 0.05, 0.05), (1, 0.2, 0.15)))
    for x in (-0.55, 0.6):
        c.ellipse(x, 0.4, 0.28, 0.26, "body", DARK)
        wheel(c, x, 0.4, 0.22)


def bus(c: Canvas) -> None:
    """A long box with a row of windows, a band, one door, two wheels."""
    rng = c.rng
    paint, pane = lacquer(rng), glass(rng)
    c.rounded(-1, -0.56, 1, 0.42, 0.1, "body", paint)
    band = lacquer(rng)
    c.rect(-1, 0.1, 1, 0.2, "body", band)
    count = int(rng.integers(4, 6))
    step = 1.34 / count
    for i in range(count):
        x = -0.93 + step * i
        window(c, x, -0.42, x + step * 0.88, -0.02, pane, TRIM)
    c.rect(0.46, -0.42, 0.68, 0.38, "door", DARK)
    for x in (0.475, 0.58):
        c.rect(x, -0.39, x + 0.085, 0.35, "door", pane)
    window(c, 0.74, -0.42, 0.97, 0.04, pane, TRIM)
    c.ellipse(0.93, 0.28, 0.05, 0.06, "lamp", LAMP)
    c.rect(-1, 0.34, 1, 0.42, "body", TRIM)
    for x in (-0.6, 0.3):
        c.ellipse(x, 0.42, 0.23, 0.22, "body", DARK)
        wheel(c, x, 0.43, 0.18)


def tram(c: Canvas) -> None:
    """A box on many small wheels, round-cornered windows, a pantograph up to a wire."""
    rng = c.rng
    paint, pane, low = lacquer(rng), glass(rng), lacquer(rng)
    c.stroke(((-1.3, -0.86), (1.3, -0.86)), 0.025, "pole", DARK)
    c.stroke(((-0.12, -0.5), (0.14, -0.68), (-0.08, -0.85)), 0.045, "pole", TRIM)
    c.stroke(((0.14, -0.5), (-0.12, -0.68), (0.1, -0.85)), 0.045, "pole", TRIM)
    c.polygon(
        ((-0.9, -0.5), (0.9, -0.5), (1, -0.1), (1, 0.42), (-1, 0.42), (-1, -0.1)), "body", paint
    )
    c.rect(-1, 0.08, 1, 0.36, "body", low)
    c.rect(-0.8, -0.54, 0.8, -0.48, "roof", metal(rng))
    for x in (-0.9, -0.36, 0.1, 0.62):
        c.rounded(x, -0.36, x + 0.28, 0.02, 0.06, "window", TRIM)
        c.rounded(x + 0.025, -0.335, x + 0.255, -0.005, 0.05, "window", pane)
    for x in (-0.6, 0.4):
        c.rect(x, -0.38, x + 0.2, 0.36, "door", DARK)
        c.rect(x + 0.02, -0.35, x + 0.09, 0.34, "door", pane)
        c.rect(x + 0.11, -0.35, x + 0.18, 0.34, "door", pane)
    c.ellipse(0.94, 0.2, 0.05, 0.05, "lamp", LAMP)
    c.rect(-0.9, 0.4, 0.9, 0.5, "body", DARK)
    for x in (-0.7, -0.44, 0.44, 0.7):
        wheel(c, x, 0.5, 0.115)
    c.stroke(((-1.3, 0.62), (1.3, 0.62)), 0.04, None, metal(rng))


def van(c: Canvas) -> None:
    """A high box with a short sloping nose; one side window, a plain cargo side."""
    rng = c.rng
    paint, pane = lacquer(rng), glass(rng)
    c.polygon(
        ((-0.95, -0.5), (0.36, -0.52), (0.72, -0.06), (0.94, 0.04), (0.97, 0.42), (-0.97, 0.42)),
        "body",
        paint,
    )
    c.polygon(((0.32, -0.04), (0.32, -0.42), (0.36, -0.42), (0.63, -0.04)), "window", pane)
    c.polygon(((-0.02, -0.04), (-0.02, -0.42), (0.26, -0.42), (0.26, -0.04)), "window", pane)
    _panel(c, -0.02, 0.02, 0.4, 0.34, paint)
    sign = anything(rng)
    if chance(rng, 0.6):
        c.ellipse(-0.5, -0.1, 0.26, 0.2, "cargo", sign)
    else:
        c.rect(-0.85, -0.3, -0.15, 0.06, "cargo", sign)
    c.ellipse(0.91, 0.17, 0.06, 0.07, "lamp", LAMP)
    c.rect(-0.97, 0.35, 0.97, 0.42, "body", TRIM)
    for x in (-0.56, 0.6):
        c.ellipse(x, 0.4, 0.27, 0.25, "body", DARK)
        wheel(c, x, 0.41, 0.21)


def lorry(c: Canvas) -> None:
    """A cab in front of a high separate load, three wheels."""
    rng = c.rng
    paint, pane = lacquer(rng), glass(rng)
    c.rect(-0.98, 0.24, 0.9, 0.36, "frame", DARK)
    if chance(rng, 0.5):
        load = anything(rng)
        c.rect(-1, -0.62, 0.34, 0.26, "cargo", load)
    else:  # a tank
        tank = metal(rng)
        c.rounded(-1, -0.4, 0.34, 0.24, 0.28, "cargo", tank.of(ball=0.4))
        for x in (-0.66, -0.05):
            c.rect(x, -0.42, x + 0.05, 0.26, "cargo", TRIM)
    c.polygon(
        ((0.4, -0.42), (0.76, -0.42), (0.88, -0.08), (0.95, -0.04), (0.97, 0.4), (0.4, 0.4)),
        "cabin",
        paint,
    )
    c.polygon(((0.5, -0.06), (0.5, -0.34), (0.71, -0.34), (0.81, -0.06)), "window", pane)
    _panel(c, 0.47, 0.0, 0.78, 0.32, paint)
    c.ellipse(0.92, 0.14, 0.05, 0.06, "lamp", LAMP)
    for x in (-0.74, -0.3, 0.66):
        wheel(c, x, 0.41, 0.2)


def bicycle(c: Canvas) -> None:
    """Two spoked wheels and a diamond of tubes."""
    rng = c.rng
    tube = lacquer(rng)
    wheel(c, -0.56, 0.22, 0.42, spokes=5)
    wheel(c, 0.56, 0.22, 0.42, spokes=5)
    seat, crank, head = (-0.26, -0.3), (-0.1, 0.24), (0.36, -0.34)
    w = between(rng, 0.07, 0.1)
    c.stroke(((-0.56, 0.22), seat, head, (0.56, 0.22)), w, "frame", tube)
    c.stroke((seat, crank, head), w, "frame", tube)
    c.stroke(((-0.56, 0.22), crank), w, "frame", tube)
    c.stroke((seat, (-0.3, -0.44)), 0.05, "frame", metal(rng))
    c.ellipse(-0.32, -0.46, 0.19, 0.06, "frame", DARK)
    c.stroke((head, (0.32, -0.52), (0.5, -0.56)), 0.06, "frame", metal(rng))
    c.ellipse(-0.1, 0.24, 0.1, 0.1, "frame", metal(rng))
    c.stroke(((-0.22, 0.34), (0.02, 0.14)), 0.04, "frame", DARK)


def tractor(c: Canvas) -> None:
    """One big wheel, one small, a bonnet with an exhaust pipe, an open cabin."""
    rng = c.rng
    paint = lacquer(rng)
    c.stroke(((0.5, -0.1), (0.5, -0.62)), 0.07, "chimney", DARK)
    c.rounded(-0.1, -0.14, 0.9, 0.28, 0.08, "body", paint)
    for i in range(4):
        c.rect(0.3 + 0.11 * i, -0.04, 0.35 + 0.11 * i, 0.16, "body", DARK)
    c.rect(-0.68, -0.78, 0.02, 0.2, "cabin", paint)
    c.rect(-0.6, -0.66, -0.06, -0.08, "window", glass(rng))
    c.rect(-0.76, -0.84, 0.1, -0.74, "roof", lacquer(rng))
    c.ellipse(0.88, 0.0, 0.07, 0.08, "lamp", LAMP)
    wheel(c, -0.46, 0.16, 0.46)
    wheel(c, 0.62, 0.36, 0.26)


def locomotive(c: Canvas) -> None:
    """A round boiler with a chimney and a dome, a cab, three spoked wheels and a rod."""
    rng = c.rng
    paint, second = lacquer(rng), lacquer(rng)
    brass = Material((0.7, 0.5, 0.1), (1, 0.9, 0.5), ball=0.4)
    c.polygon(
        ((0.5, -0.3), (0.54, -0.66), (0.44, -0.78), (0.82, -0.78), (0.72, -0.66), (0.76, -0.3)),
        "chimney",
        DARK,
    )
    c.ellipse(0.12, -0.34, 0.14, 0.18, "body", brass)
    c.rounded(-0.4, -0.34, 0.92, 0.2, 0.1, "body", paint)
    for x in (-0.06, 0.34):
        c.rect(x, -0.34, x + 0.06, 0.2, "body", brass)
    c.rect(0.86, -0.34, 0.94, 0.2, "body", TRIM)
    c.rect(-0.92, -0.66, -0.34, 0.2, "cabin", second)
    window(c, -0.8, -0.52, -0.48, -0.16, glass(rng), brass)
    c.polygon(((-1.0, -0.64), (-0.96, -0.76), (-0.3, -0.76), (-0.24, -0.64)), "roof", DARK)
    c.rect(-0.96, 0.18, 0.98, 0.28, "frame", lacquer(rng, (-0.03, 0.03)))
    c.polygon(((0.86, 0.28), (0.98, 0.28), (1.06, 0.58), (0.84, 0.58)), "frame", DARK)
    c.ellipse(0.95, -0.2, 0.07, 0.08, "lamp", LAMP)
    for x in (-0.66, -0.14, 0.38):
        rim = darker(second.first, 0.8)
        c.ellipse(x, 0.36, 0.24, 0.24, "wheel", DARK)
        c.ellipse(x, 0.36, 0.19, 0.19, "wheel", Material(rim, mix(rim, WHITE, 0.3)))
        for k in range(3):
            dx, dy = ((0.18, 0.0), (0.09, 0.156), (-0.09, 0.156))[k]
            c.stroke(((x - dx, 0.36 - dy), (x + dx, 0.36 + dy)), 0.04, "wheel", DARK)
    y = 0.36 + between(rng, -0.08, 0.08)
    c.stroke(((-0.66, y), (0.38, y)), 0.06, "frame", metal(rng))


def boat(c: Canvas) -> None:
    """A hull, a mast and two sails."""
    rng = c.rng
    c.stroke(((0.0, -0.92), (0.0, 0.3)), 0.07, "mast", wood(rng))
    cloth = WHITE if chance(rng, 0.4) else color(rng, sat=(0.3, 0.9), val=(0.7, 1))
    sail = Material(
        darker(cloth, 0.8),
        cloth,
        "stripes" if chance(rng, 0.4) else "ribs",
        between(rng, 0.4, 0.9),
        pi / 2,
    )
    if chance(rng, 0.5):
        sail = sail.of(second=color(rng), texture="stripes")
    c.polygon(((0.06, -0.84), (0.3, -0.3), (0.72, 0.14), (0.06, 0.14)), "sail", sail)
    c.polygon(((-0.06, -0.7), (-0.2, -0.2), (-0.58, 0.14), (-0.06, 0.14)), "sail", sail)
    hull = wood(rng).of(angle=pi / 2) if chance(rng, 0.6) else lacquer(rng)
    c.polygon(((-0.88, 0.22), (0.92, 0.22), (0.66, 0.6), (-0.62, 0.6)), "hull", hull)
    c.polygon(((-0.88, 0.22), (0.92, 0.22), (0.87, 0.3), (-0.84, 0.3)), "hull", lacquer(rng))
    c.stroke(((0.0, -0.88), (0.22, -0.94), (0.0, -1.0)), 0.05, "mast", lacquer(rng))


def balloon(c: Canvas) -> None:
    """A striped envelope and a basket on ropes."""
    rng = c.rng
    first, second = color(rng), color(rng)
    look = Material(first, second, "stripes", between(rng, 0.6, 1.1), ball=0.7)
    if chance(rng, 0.3):
        look = look.of(texture="checks")
    rope = Material((0.3, 0.22, 0.12), (0.5, 0.4, 0.25))
    for x in (-0.2, 0.0, 0.2):
        c.stroke(((x * 1.3, 0.34), (x * 0.7, 0.72)), 0.03, "basket", rope)
    c.polygon(
        (
            (-0.6, 0.06),
            (-0.68, -0.26),
            (-0.6, -0.56),
            (-0.36, -0.82),
            (0, -0.92),
            (0.36, -0.82),
            (0.6, -0.56),
            (0.68, -0.26),
            (0.6, 0.06),
            (0.26, 0.46),
            (-0.26, 0.46),
        ),
        "envelope",
        look,
    )
    band = color(rng)
    c.polygon(
        ((-0.66, -0.16), (-0.68, -0.3), (0.68, -0.3), (0.66, -0.16)),
        "envelope",
        Material(darker(band, 0.8), band, "dots", 0.6, ball=0.4),
    )
    wicker = color(rng, (0.06, 0.11), (0.5, 0.8), (0.4, 0.7))
    c.rect(-0.19, 0.68, 0.19, 0.94, "basket", Material(darker(wicker, 0.5), wicker, "weave", 0.5))
