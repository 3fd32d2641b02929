"""Faces, of people and animals. Units: x right, y down, about -0.9..0.9."""

from __future__ import annotations

from micrograph.organisms.toytown.canvas import Canvas, Material, Point
from micrograph.organisms.toytown.palette import (
    BLACK,
    WHITE,
    between,
    chance,
    coat,
    color,
    darker,
    mix,
    pick,
    pick_span,
)
from micrograph.organisms.toytown.shared import eye

DARK = Material(BLACK, (0.2, 0.16, 0.15))
PINK = Material((0.75, 0.35, 0.38), (0.98, 0.62, 0.62), ball=0.4)
FUR_HUES = ((0.04, 0.11), (0.04, 0.11), (0.55, 0.68))


def _gaze(c: Canvas) -> Point:
    return between(c.rng, -1, 1), between(c.rng, -0.7, 0.7)


def _whiskers(c: Canvas, x: float, y: float, reach: float, look: Material) -> None:
    for side in (-1, 1):
        for tilt in (-0.14, 0.02, 0.18):
            c.stroke(((side * x, y + tilt * 0.3), (side * reach, y + tilt)), 0.025, "whisker", look)


def face(c: Canvas) -> None:
    """A person: skin, hair, ears, eyes with brows, a nose, a mouth."""
    rng = c.rng
    skin = color(rng, (0.04, 0.09), (0.3, 0.65), (0.4, 1.0))
    look = Material(darker(skin, 0.88), skin, "cloud", ball=0.6)
    mane = color(rng, pick_span(rng, ((0.03, 0.14), (0.0, 1.0))), (0.2, 0.9), (0.1, 0.85))
    hair = Material(darker(mane, 0.4), mix(mane, WHITE, 0.15), "fur", 0.6)
    style = int(rng.integers(3))
    if style == 0:  # long
        c.polygon(
            (
                (-0.72, 0.66),
                (-0.76, -0.3),
                (-0.5, -0.82),
                (0, -0.98),
                (0.5, -0.82),
                (0.76, -0.3),
                (0.72, 0.66),
            ),
            "hair",
            hair,
        )
    else:
        c.ellipse(0, -0.28, 0.68, 0.66 if style == 1 else 0.7, "hair", hair)
    shirt = color(rng)
    c.rect(-0.22, 0.5, 0.22, 0.86, "neck", Material(darker(skin, 0.7), darker(skin, 0.8)))
    c.polygon(
        ((-0.75, 1.0), (-0.6, 0.82), (-0.2, 0.76), (0.2, 0.76), (0.6, 0.82), (0.75, 1.0)),
        "torso",
        Material(darker(shirt, 0.7), shirt, pick(rng, ("weave", "stripes", "plain")), 0.4),
    )
    for side in (-1, 1):
        c.ellipse(side * 0.58, 0.05, 0.1, 0.17, "ear", look)
    c.ellipse(0, 0.02, 0.56, 0.7, "head", look)
    iris = color(rng, (0.05, 0.65), (0.3, 0.8), (0.2, 0.7))
    gaze = _gaze(c)
    spread = between(rng, 0.22, 0.28)
    for side in (-1, 1):
        eye(c, side * spread, -0.08, 0.14, iris, flat=between(rng, 0.6, 0.8), gaze=gaze)
        lift = between(rng, -0.03, 0.05)
        c.stroke(
            (
                (side * (spread - 0.14), -0.26 + lift),
                (side * spread, -0.31),
                (side * (spread + 0.14), -0.26),
            ),
            0.055,
            "hair",
            hair,
        )
    shade = Material(darker(skin, 0.6), darker(skin, 0.75))
    c.polygon(
        ((0, -0.04), (0.1, 0.22), (0, 0.26), (-0.1, 0.22)),
        "nose",
        Material(darker(skin, 0.75), mix(skin, WHITE, 0.1), ball=0.5),
    )
    c.stroke(((-0.1, 0.22), (0, 0.26), (0.1, 0.22)), 0.03, "nose", shade)
    lips = Material((0.55, 0.12, 0.15), (0.85, 0.35, 0.35))
    smile = between(rng, -0.04, 0.1)
    c.polygon(
        (
            (-0.22, 0.42 - smile),
            (0, 0.4),
            (0.22, 0.42 - smile),
            (0.1, 0.5 + smile / 2),
            (-0.1, 0.5 + smile / 2),
        ),
        "mouth",
        lips,
    )
    if chance(rng, 0.4):
        c.stroke(
            ((-0.19, 0.44 - smile), (0, 0.445), (0.19, 0.44 - smile)),
            0.04,
            "mouth",
            Material(WHITE, WHITE),
        )
    if style:
        c.polygon(
            (
                (-0.56, -0.2),
                (-0.6, -0.52),
                (-0.3, -0.84),
                (0.3, -0.84),
                (0.6, -0.52),
                (0.56, -0.2),
                (0.4, -0.5),
                (0.0, -0.56),
                (-0.34, -0.46),
            ),
            "hair",
            hair,
        )
    else:
        c.polygon(
            (
                (-0.57, 0.0),
                (-0.62, -0.5),
                (0, -0.9),
                (0.62, -0.5),
                (0.57, 0.0),
                (0.1, -0.56),
                (-0.4, -0.4),
            ),
            "hair",
            hair,
        )


def _pointed_ears(
    c: Canvas,
    fur: Material,
    inner: Material,
    x: float,
    tip: Point,
) -> None:
    for side in (-1, 1):
        a, b = (side * (x - 0.24), -0.42), (side * (x + 0.22), -0.2)
        c.polygon((a, (side * tip[0], tip[1]), b), "ear", fur)
        c.polygon(
            (
                (side * (x - 0.12), -0.44),
                (side * tip[0], tip[1] + 0.13),
                (side * (x + 0.12), -0.28),
            ),
            "ear",
            inner,
        )


def cat(c: Canvas) -> None:
    """A round head with pointed ears, slit eyes, a pink nose, whiskers and a striped brow."""
    rng = c.rng
    fur = coat(rng, pick_span(rng, FUR_HUES), (0.1, 0.75), (0.3, 0.9))
    _pointed_ears(c, fur, PINK, 0.46, (0.62, -0.92))
    c.ellipse(0, 0.05, 0.74, 0.62, "head", fur)
    band = Material(darker(fur.first, 0.5), darker(fur.first, 0.8), "fur", 0.4)
    for x in (-0.16, 0.0, 0.16):
        c.polygon(((x - 0.045, -0.56), (x + 0.045, -0.56), (x * 0.8, -0.26)), "head", band)
    for side in (-1, 1):
        for y in (0.12, 0.28):
            c.polygon(
                ((side * 0.72, y - 0.05), (side * 0.72, y + 0.05), (side * 0.5, y + 0.03)),
                "head",
                band,
            )
        c.ellipse(
            side * 0.15,
            0.33,
            0.2,
            0.16,
            "head",
            Material((0.8, 0.78, 0.74), WHITE, "fur", 0.5, ball=0.5),
        )
    iris = color(rng, (0.1, 0.5), (0.6, 1.0), (0.6, 0.95))
    gaze = _gaze(c)
    for side in (-1, 1):
        eye(c, side * 0.3, -0.08, 0.17, iris, slit=True, flat=0.9, gaze=gaze)
    c.polygon(((-0.1, 0.18), (0.1, 0.18), (0, 0.3)), "nose", PINK)
    c.stroke(
        ((-0.16, 0.44), (-0.04, 0.42), (0, 0.3), (0.04, 0.42), (0.16, 0.44)), 0.035, "mouth", DARK
    )
    _whiskers(c, 0.24, 0.3, 0.95, Material(WHITE, WHITE) if chance(rng, 0.7) else DARK)


def fox(c: Canvas) -> None:
    """A pointed orange head with white cheeks, a black nose at the tip and dark ears."""
    rng = c.rng
    fur = coat(rng, (0.02, 0.08), (0.7, 1.0), (0.6, 1.0))
    _pointed_ears(c, fur, DARK, 0.48, (0.6, -0.96))
    c.polygon(
        (
            (-0.84, 0.08),
            (-0.62, -0.4),
            (-0.25, -0.54),
            (0.25, -0.54),
            (0.62, -0.4),
            (0.84, 0.08),
            (0.3, 0.5),
            (0.0, 0.84),
            (-0.3, 0.5),
        ),
        "head",
        fur,
    )
    white = Material((0.78, 0.76, 0.72), WHITE, "fur", 0.5)
    for side in (-1, 1):
        c.polygon(
            (
                (side * 0.84, 0.08),
                (side * 0.42, 0.08),
                (side * 0.1, 0.46),
                (0, 0.84),
                (side * 0.3, 0.5),
            ),
            "head",
            white,
        )
    iris = color(rng, (0.08, 0.14), (0.8, 1.0), (0.6, 0.95))
    gaze = _gaze(c)
    for side in (-1, 1):
        eye(c, side * 0.32, -0.06, 0.13, iris, slit=True, flat=0.75, gaze=gaze)
    c.ellipse(0, 0.72, 0.14, 0.11, "nose", DARK.of(ball=0.6))


def owl(c: Canvas) -> None:
    """A feathered egg with huge round eyes in discs, a beak, ear tufts and two wings."""
    rng = c.rng
    base = color(rng, pick_span(rng, ((0.05, 0.12), (0.55, 0.65))), (0.15, 0.65), (0.4, 0.85))
    down = Material(darker(base, 0.4), mix(base, WHITE, 0.3), "feathers", 0.6, ball=0.3)
    for side in (-1, 1):
        c.polygon(((side * 0.2, -0.66), (side * 0.6, -0.98), (side * 0.62, -0.4)), "ear", down)
    c.ellipse(0, 0.2, 0.62, 0.74, "torso", down)
    c.ellipse(0, 0.42, 0.38, 0.46, "torso", Material(base, WHITE, "scales", 0.8))
    c.ellipse(0, -0.3, 0.66, 0.46, "head", down)
    for side in (-1, 1):
        c.ellipse(
            side * 0.56,
            0.3,
            0.2,
            0.5,
            "wing",
            Material(darker(base, 0.25), darker(base, 0.9), "feathers", 0.7),
            side * 0.2,
        )
    rim = Material(mix(base, WHITE, 0.5), WHITE, "fur", 0.5)
    iris = color(rng, (0.06, 0.16), (0.8, 1.0), (0.8, 1.0))
    gaze = _gaze(c)
    for side in (-1, 1):
        c.ellipse(side * 0.28, -0.3, 0.3, 0.3, "head", rim)
        eye(c, side * 0.27, -0.3, 0.21, iris, gaze=gaze)
    beak = Material((0.6, 0.4, 0.05), (1, 0.8, 0.3), ball=0.4)
    c.polygon(((-0.1, -0.22), (0.1, -0.22), (0, 0.06)), "beak", beak)
    for side in (-1, 1):
        for k in (-1, 0, 1):
            c.ellipse(side * 0.22 + 0.07 * k, 0.9, 0.04, 0.09, "leg", beak)


def rabbit(c: Canvas) -> None:
    """A round head with two long upright ears, round eyes, a small nose and two teeth."""
    rng = c.rng
    fur = coat(rng, pick_span(rng, FUR_HUES), (0.05, 0.5), (0.45, 1.0))
    tilt = between(rng, 0.05, 0.35)
    for side in (-1, 1):
        c.ellipse(side * (0.24 + tilt * 0.4), -0.56, 0.15, 0.44, "ear", fur, side * tilt)
        c.ellipse(side * (0.24 + tilt * 0.4), -0.54, 0.08, 0.34, "ear", PINK, side * tilt)
    c.ellipse(0, 0.28, 0.6, 0.54, "head", fur)
    cheek = Material((0.82, 0.8, 0.77), WHITE, "fur", 0.5, ball=0.5)
    c.rect(-0.07, 0.56, -0.005, 0.72, "mouth", Material(WHITE, WHITE))
    c.rect(0.005, 0.56, 0.07, 0.72, "mouth", Material(WHITE, WHITE))
    for side in (-1, 1):
        c.ellipse(side * 0.15, 0.48, 0.19, 0.15, "head", cheek)
    iris = color(rng, pick_span(rng, ((0.03, 0.1), (0.55, 0.62))), (0.4, 0.9), (0.2, 0.6))
    gaze = _gaze(c)
    for side in (-1, 1):
        eye(c, side * 0.3, 0.16, 0.13, iris, gaze=gaze)
    c.ellipse(0, 0.37, 0.09, 0.065, "nose", PINK)
    c.stroke(((-0.12, 0.54), (0, 0.5), (0, 0.4), (0, 0.5), (0.12, 0.54)), 0.03, "mouth", DARK)
    _whiskers(c, 0.22, 0.46, 0.8, DARK if chance(rng, 0.5) else Material(WHITE, WHITE))
