"""The parts that several classes share: wheels, windows, doors, eyes, leaves."""

from __future__ import annotations

from math import cos, pi, sin

from micrograph.organisms.toytown.canvas import Canvas, Color, Material
from micrograph.organisms.toytown.palette import (
    BLACK,
    WHITE,
    between,
    chance,
    color,
    darker,
    glass,
    green,
    metal,
    mix,
    wood,
)

RUBBER = Material((0.05, 0.05, 0.06), (0.22, 0.22, 0.24), "grain")


def wheel(c: Canvas, x: float, y: float, radius: float, *, spokes: int = 0) -> None:
    """A tyre, a rim and either a hub cap with holes or thin spokes."""
    rng = c.rng
    if spokes:
        c.ring(x, y, radius * 0.9, radius * 0.2, "wheel", RUBBER)
        thin = metal(rng)
        turn = between(rng, 0, pi)
        for i in range(spokes):
            a = turn + pi * i / spokes
            dx, dy = 0.82 * radius * cos(a), 0.82 * radius * sin(a)
            c.stroke(((x - dx, y - dy), (x + dx, y + dy)), 0.03, "wheel", thin)
        c.ellipse(x, y, radius * 0.16, radius * 0.16, "wheel", thin)
        return
    c.ellipse(x, y, radius, radius, "wheel", RUBBER)
    rim = metal(rng, (0.6, 0.95)) if chance(rng, 0.7) else Material(*(2 * (color(rng),)))
    c.ellipse(x, y, radius * 0.62, radius * 0.62, "wheel", rim.of(ball=0.4))
    holes = int(rng.integers(4, 7))
    turn = between(rng, 0, pi)
    hole = Material(BLACK, (0.2, 0.2, 0.2))
    for i in range(holes):
        a = turn + 2 * pi * i / holes
        c.ellipse(
            x + 0.4 * radius * cos(a),
            y + 0.4 * radius * sin(a),
            radius * 0.12,
            radius * 0.12,
            "wheel",
            hole,
        )
    c.ellipse(x, y, radius * 0.14, radius * 0.14, "wheel", metal(rng))


def window(
    c: Canvas,
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    pane: Material,
    frame: Material,
    *,
    bars: tuple[int, int] = (0, 0),
    round_top: bool = False,
) -> None:
    """A framed pane with (upright, level) glazing bars; all of it is the part `window`."""
    w = 0.12 * min(x1 - x0, y1 - y0)
    mid, half = (x0 + x1) / 2, (x1 - x0) / 2
    if round_top:
        c.ellipse(mid, y0, half, half, "window", frame)
        c.ellipse(mid, y0, half - w, half - w, "window", pane)
    c.rect(x0, y0, x1, y1, "window", frame)
    c.rect(x0 + w, y0 + (0 if round_top else w), x1 - w, y1 - w, "window", pane)
    for i in range(bars[0]):
        at = x0 + (x1 - x0) * (i + 1) / (bars[0] + 1)
        c.stroke(((at, y0), (at, y1)), w * 0.8, "window", frame)
    for i in range(bars[1]):
        at = y0 + (y1 - y0) * (i + 1) / (bars[1] + 1)
        c.stroke(((x0, at), (x1, at)), w * 0.8, "window", frame)


def door(
    c: Canvas,
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    look: Material | None = None,
    *,
    round_top: bool = False,
) -> None:
    """A wooden (or given) door with a knob."""
    look = look or (wood(c.rng) if chance(c.rng, 0.6) else _painted(c))
    mid, half = (x0 + x1) / 2, (x1 - x0) / 2
    edge = Material(darker(look.first, 0.5), darker(look.second, 0.5))
    if round_top:
        c.ellipse(mid, y0, half, half, "door", edge)
        c.ellipse(mid, y0, half * 0.8, half * 0.8, "door", look)
    c.rect(x0, y0, x1, y1, "door", edge)
    c.rect(
        x0 + half * 0.2, y0 + (0 if round_top else half * 0.2), x1 - half * 0.2, y1, "door", look
    )
    knob = Material((0.95, 0.8, 0.3), (1, 1, 0.7), ball=0.5)
    c.ellipse(mid + half * 0.45, (y0 + y1) / 2, half * 0.17, half * 0.17, "door", knob)


def _painted(c: Canvas) -> Material:
    base = color(c.rng)
    return Material(darker(base, 0.6), base, "ribs", 0.5)


def eye(
    c: Canvas,
    x: float,
    y: float,
    radius: float,
    iris: Color,
    *,
    slit: bool = False,
    flat: float = 1.0,
    gaze: tuple[float, float] = (0.0, 0.0),
) -> None:
    """White, iris, pupil (a slit in cats and foxes) and a glint."""
    dark = Material((0.03, 0.02, 0.02), (0.12, 0.1, 0.1))
    c.ellipse(x, y, radius * 1.12, radius * 1.12 * flat, "eye", dark)
    c.ellipse(x, y, radius, radius * flat, "eye", Material((0.9, 0.9, 0.86), WHITE, ball=0.3))
    gx, gy = x + gaze[0] * radius * 0.25, y + gaze[1] * radius * 0.25 * flat
    share = 0.85 if slit else 0.62
    c.ellipse(
        gx,
        gy,
        radius * share,
        radius * share * min(1.0, flat * 1.15),
        "eye",
        Material(darker(iris, 0.7), iris, "fur", 0.4),
    )
    c.ellipse(
        gx,
        gy,
        radius * (0.22 if slit else 0.34),
        radius * (0.7 if slit else 0.34) * flat,
        "eye",
        dark,
    )
    c.ellipse(
        gx + radius * 0.18,
        gy - radius * 0.22 * flat,
        radius * 0.14,
        radius * 0.14,
        "eye",
        Material(WHITE, WHITE),
    )


def leaf(
    c: Canvas, x: float, y: float, length: float, angle: float, look: Material, width: float = 0.28
) -> None:
    """A pointed leaf from its foot at (x, y), with a midrib."""
    ca, sa = cos(angle), sin(angle)
    outline = (
        (0, 0),
        (0.2, 0.7),
        (0.45, 1),
        (0.75, 0.6),
        (1, 0),
        (0.75, -0.6),
        (0.45, -1),
        (0.2, -0.7),
    )
    c.polygon(
        [
            (x + length * (u * ca - v * width * sa), y + length * (u * sa + v * width * ca))
            for u, v in outline
        ],
        "leaf",
        look,
    )
    rib = Material(mix(look.second, WHITE, 0.35), mix(look.second, WHITE, 0.5))
    c.stroke(((x, y), (x + 0.9 * length * ca, y + 0.9 * length * sa)), 0.03, "leaf", rib)


def leafy(c: Canvas) -> Material:
    """A smooth leaf surface."""
    return green(c.rng, "plain")


def loose_part(c: Canvas) -> None:
    """One part alone, as clutter: a part must not give the class away."""
    rng = c.rng
    kind = int(rng.integers(6))
    if kind == 0:
        wheel(c, 0, 0, 0.9, spokes=5 if chance(rng, 0.3) else 0)
    elif kind == 1:
        frame = Material(WHITE, WHITE) if chance(rng, 0.5) else wood(rng)
        window(c, -0.6, -0.8, 0.6, 0.8, glass(rng), frame, bars=(1, 1))
    elif kind == 2:
        door(c, -0.5, -0.7, 0.5, 1.0, round_top=chance(rng, 0.5))
    elif kind == 3:
        eye(c, 0, 0, 0.7, color(rng), slit=chance(rng, 0.5), flat=between(rng, 0.6, 1))
    elif kind == 4:
        look = leafy(c)
        for i in range(int(rng.integers(1, 4))):
            leaf(c, 0, 0.8, 1.8, -pi / 2 + 0.7 * (i - 1), look)
    else:
        base = color(rng)
        look = Material(darker(base, 0.7), mix(base, WHITE, 0.2))
        for i in range(6):
            a = 2 * pi * i / 6
            c.ellipse(0.5 * cos(a), 0.5 * sin(a), 0.45, 0.22, "petal", look, a)
        c.ellipse(0, 0, 0.25, 0.25, "disc", Material((0.8, 0.6, 0.1), (1, 0.9, 0.3), "dots", 0.3))
