"""Faces and whole animals. Units: x right, y down, about -0.9..0.9."""

from __future__ import annotations

from math import cos, pi, sin

from micrograph.models.toytown.canvas import Canvas, Color, Material, Point
from micrograph.models.toytown.palette import (
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
from micrograph.models.toytown.shared import eye

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
        c.polygon(((-0.72, 0.66), (-0.76, -0.3), (-0.5, -0.82), (0, -0.98), (0.5, -0.82),
                   (0.76, -0.3), (0.72, 0.66)), "hair", hair)  # fmt: skip
    else:
        c.ellipse(0, -0.28, 0.68, 0.66 if style == 1 else 0.7, "hair", hair)
    shirt = color(rng)
    c.rect(-0.22, 0.5, 0.22, 0.86, "neck", Material(darker(skin, 0.7), darker(skin, 0.8)))
    c.polygon(((-0.75, 1.0), (-0.6, 0.82), (-0.2, 0.76), (0.2, 0.76), (0.6, 0.82), (0.75, 1.0)),
              "torso", Material(darker(shirt, 0.7), shirt, pick(rng, ("weave", "stripes", "plain")),
                                0.4))  # fmt: skip
    for side in (-1, 1):
        c.ellipse(side * 0.58, 0.05, 0.1, 0.17, "ear", look)
    c.ellipse(0, 0.02, 0.56, 0.7, "head", look)
    iris = color(rng, (0.05, 0.65), (0.3, 0.8), (0.2, 0.7))
    gaze = _gaze(c)
    spread = between(rng, 0.22, 0.28)
    for side in (-1, 1):
        eye(c, side * spread, -0.08, 0.14, iris, flat=between(rng, 0.6, 0.8), gaze=gaze)
        lift = between(rng, -0.03, 0.05)
        c.stroke(((side * (spread - 0.14), -0.26 + lift), (side * spread, -0.31),
                  (side * (spread + 0.14), -0.26)), 0.055, "hair", hair)  # fmt: skip
    shade = Material(darker(skin, 0.6), darker(skin, 0.75))
    c.polygon(((0, -0.04), (0.1, 0.22), (0, 0.26), (-0.1, 0.22)), "nose",
              Material(darker(skin, 0.75), mix(skin, WHITE, 0.1), ball=0.5))  # fmt: skip
    c.stroke(((-0.1, 0.22), (0, 0.26), (0.1, 0.22)), 0.03, "nose", shade)
    lips = Material((0.55, 0.12, 0.15), (0.85, 0.35, 0.35))
    smile = between(rng, -0.04, 0.1)
    c.polygon(((-0.22, 0.42 - smile), (0, 0.4), (0.22, 0.42 - smile), (0.1, 0.5 + smile / 2),
               (-0.1, 0.5 + smile / 2)), "mouth", lips)  # fmt: skip
    if chance(rng, 0.4):
        c.stroke(((-0.19, 0.44 - smile), (0, 0.445), (0.19, 0.44 - smile)), 0.04, "mouth",
                 Material(WHITE, WHITE))  # fmt: skip
    if style:
        c.polygon(((-0.56, -0.2), (-0.6, -0.52), (-0.3, -0.84), (0.3, -0.84), (0.6, -0.52),
                   (0.56, -0.2), (0.4, -0.5), (0.0, -0.56), (-0.34, -0.46)),
                  "hair", hair)  # fmt: skip
    else:
        c.polygon(((-0.57, 0.0), (-0.62, -0.5), (0, -0.9), (0.62, -0.5), (0.57, 0.0), (0.1, -0.56),
                   (-0.4, -0.4)), "hair", hair)  # fmt: skip


def _pointed_ears(c: Canvas, fur: Material, inner: Material, x: float, tip: Point,
                  ) -> None:  # fmt: skip
    for side in (-1, 1):
        a, b = (side * (x - 0.24), -0.42), (side * (x + 0.22), -0.2)
        c.polygon((a, (side * tip[0], tip[1]), b), "ear", fur)
        c.polygon(((side * (x - 0.12), -0.44), (side * tip[0], tip[1] + 0.13),
                   (side * (x + 0.12), -0.28)), "ear", inner)  # fmt: skip


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
            c.polygon(((side * 0.72, y - 0.05), (side * 0.72, y + 0.05), (side * 0.5, y + 0.03)),
                      "head", band)  # fmt: skip
        c.ellipse(side * 0.15, 0.33, 0.2, 0.16, "head",
                  Material((0.8, 0.78, 0.74), WHITE, "fur", 0.5, ball=0.5))  # fmt: skip
    iris = color(rng, (0.1, 0.5), (0.6, 1.0), (0.6, 0.95))
    gaze = _gaze(c)
    for side in (-1, 1):
        eye(c, side * 0.3, -0.08, 0.17, iris, slit=True, flat=0.9, gaze=gaze)
    c.polygon(((-0.1, 0.18), (0.1, 0.18), (0, 0.3)), "nose", PINK)
    c.stroke(((-0.16, 0.44), (-0.04, 0.42), (0, 0.3), (0.04, 0.42), (0.16, 0.44)), 0.035, "mouth",
             DARK)  # fmt: skip
    _whiskers(c, 0.24, 0.3, 0.95, Material(WHITE, WHITE) if chance(rng, 0.7) else DARK)


def fox(c: Canvas) -> None:
    """A pointed orange head with white cheeks, a black nose at the tip and dark ears."""
    rng = c.rng
    fur = coat(rng, (0.02, 0.08), (0.7, 1.0), (0.6, 1.0))
    _pointed_ears(c, fur, DARK, 0.48, (0.6, -0.96))
    c.polygon(((-0.84, 0.08), (-0.62, -0.4), (-0.25, -0.54), (0.25, -0.54), (0.62, -0.4),
               (0.84, 0.08), (0.3, 0.5), (0.0, 0.84), (-0.3, 0.5)), "head", fur)  # fmt: skip
    white = Material((0.78, 0.76, 0.72), WHITE, "fur", 0.5)
    for side in (-1, 1):
        c.polygon(((side * 0.84, 0.08), (side * 0.42, 0.08), (side * 0.1, 0.46), (0, 0.84),
                   (side * 0.3, 0.5)), "head", white)  # fmt: skip
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


def _legs(c: Canvas, look: Material, hoof: Material, top: float, foot: float, width: float,
          ) -> None:  # fmt: skip
    for x in (-0.5, -0.34, 0.26, 0.42):
        swing = between(c.rng, -0.1, 0.1)
        c.stroke(((x, top), (x + swing * 0.5, (top + foot) / 2), (x + swing, foot)), width, "leg",
                 look)  # fmt: skip
        c.stroke(((x + swing, foot - 0.06), (x + swing, foot + 0.02)), width, "leg", hoof)


def zebra(c: Canvas) -> None:
    """A striped horse with an upright mane."""
    rng = c.rng
    pale = mix(WHITE, color(rng, (0.05, 0.15), (0.2, 0.5), (0.7, 1.0)), between(rng, 0, 0.5))
    dark = mix(BLACK, color(rng, (0.02, 0.1), (0.3, 0.6), (0.2, 0.3)), between(rng, 0, 1))
    coarse = between(rng, 0.4, 0.6)
    body = Material(dark, pale, "zebra", coarse)
    _legs(c, body.of(angle=pi / 2), Material(dark, dark), 0.3, 0.86, 0.12)
    c.stroke(((-0.68, -0.02), (-0.84, 0.2), (-0.82, 0.44)), 0.07, "tail", body.of(angle=pi / 2))
    c.polygon(((-0.72, 0.06), (-0.6, -0.16), (-0.2, -0.14), (0.3, -0.16), (0.56, -0.02),
               (0.54, 0.28), (0.3, 0.4), (-0.3, 0.42), (-0.62, 0.36)), "torso", body)  # fmt: skip
    mane = Material(dark, pale, "stripes", 0.25, -0.7)
    c.polygon(((0.1, -0.2), (0.42, -0.72), (0.62, -0.82), (0.4, -0.3)), "mane", mane)
    c.polygon(((0.18, -0.1), (0.46, -0.66), (0.72, -0.6), (0.56, 0.12)), "neck",
              body.of(angle=-0.8))  # fmt: skip
    c.polygon(((0.5, -0.76), (0.58, -0.96), (0.66, -0.74)), "ear", body)
    c.polygon(
        (
            (0.46, -0.66),
            (0.6, -0.8),
            (0.78, -0.66),
            (0.98, -0.34),
            (0.92, -0.22),
            (0.78, -0.26),
            (0.56, -0.42),
        ),
        "head",
        body.of(angle=0.9, grain=coarse * 0.7),
    )
    c.ellipse(0.92, -0.28, 0.1, 0.1, "nose", Material(dark, mix(dark, WHITE, 0.15)))
    eye(c, 0.7, -0.58, 0.06, (0.2, 0.1, 0.05))


def giraffe(c: Canvas) -> None:
    """A very long neck, a patched coat, two horns."""
    rng = c.rng
    pale = color(rng, (0.1, 0.14), (0.2, 0.55), (0.85, 1.0))
    patch = color(rng, (0.04, 0.08), (0.6, 0.9), (0.35, 0.65))
    coat_ = Material(pale, patch, "giraffe", between(rng, 0.3, 0.45))
    _legs(c, coat_, Material(BLACK, darker(patch, 0.5)), 0.36, 0.92, 0.1)
    c.stroke(((-0.64, 0.12), (-0.76, 0.4)), 0.05, "tail", Material(darker(patch, 0.5), patch))
    c.polygon(((-0.66, 0.16), (-0.5, 0.02), (0.1, -0.04), (0.5, -0.1), (0.54, 0.24), (0.32, 0.44),
               (-0.36, 0.46), (-0.6, 0.36)), "torso", coat_)  # fmt: skip
    c.polygon(((0.1, -0.76), (0.2, -0.78), (0.36, -0.1), (0.2, 0.0)), "mane",
              Material(darker(patch, 0.5), patch, "stripes", 0.2, pi / 2))  # fmt: skip
    c.polygon(((0.2, 0.04), (0.2, -0.78), (0.42, -0.78), (0.54, 0.1)), "neck", coat_)
    for x in (0.26, 0.38):
        c.stroke(((x, -0.82), (x - 0.04, -0.98)), 0.05, "antenna", Material(patch, patch))
        c.ellipse(x - 0.04, -0.99, 0.045, 0.04, "antenna", DARK)
    c.ellipse(0.16, -0.78, 0.12, 0.05, "ear", Material(patch, pale), 0.4)
    c.polygon(((0.2, -0.86), (0.42, -0.9), (0.76, -0.66), (0.74, -0.54), (0.52, -0.56),
               (0.24, -0.64)), "head", coat_.of(grain=0.25))  # fmt: skip
    c.ellipse(0.72, -0.6, 0.07, 0.06, "nose", Material(darker(patch, 0.4), patch))
    eye(c, 0.42, -0.75, 0.06, (0.2, 0.1, 0.05))


def fish(c: Canvas) -> None:
    """A scaled spindle with fins, a forked tail and one eye."""
    rng = c.rng
    base, second = color(rng), color(rng, val=(0.6, 1))
    skin = Material(darker(base, 0.5), mix(base, second, 0.4), "scales", between(rng, 0.5, 0.9),
                    ball=0.5)  # fmt: skip
    ray = Material(darker(second, 0.5), second, "ribs", 0.35)
    c.polygon(((-0.5, 0.0), (-0.96, -0.42), (-0.84, 0.0), (-0.96, 0.42)), "fin",
              ray.of(angle=pi / 2))  # fmt: skip
    c.polygon(((-0.3, -0.3), (-0.12, -0.68), (0.3, -0.6), (0.4, -0.3)), "fin", ray)
    c.polygon(((-0.2, 0.3), (-0.2, 0.62), (0.16, 0.34)), "fin", ray)
    tall = between(rng, 0.38, 0.5)
    c.polygon([(0.2 + 0.78 * cos(a) - 0.06 * cos(2 * a), tall * sin(a) * (1 + 0.15 * cos(a)))
               for a in (2 * pi * i / 20 for i in range(20))], "torso", skin)  # fmt: skip
    if chance(rng, 0.5):
        for x in (-0.28, 0.1):
            c.polygon(((x, -tall * 0.8), (x + 0.14, -tall * 0.92), (x + 0.14, tall * 0.92),
                       (x, tall * 0.8)), "torso", Material(darker(second, 0.8), second, "scales",
                                                           0.5))  # fmt: skip
    c.ellipse(0.7, 0.0, 0.27, tall * 0.72, "head", Material(darker(base, 0.7), base, "plain",
                                                            ball=0.5))  # fmt: skip
    c.polygon(((0.3, 0.06), (0.02, 0.22), (0.26, 0.26)), "fin", ray)
    eye(c, 0.72, -0.12, 0.13, color(rng))
    c.stroke(((0.98, 0.1), (0.84, 0.13)), 0.04, "mouth", DARK)


def butterfly(c: Canvas) -> None:
    """Four patterned wings with eye spots, a body, two antennae."""
    rng = c.rng
    base, second, third = color(rng), color(rng), color(rng, val=(0.6, 1))
    edge = Material(BLACK, darker(second, 0.4))
    lower = between(rng, 0.42, 0.56)
    texture: Color = mix(base, WHITE, 0.35)
    wing = Material(base, texture, pick(rng, ("dots", "stripes", "cloud", "giraffe")),
                    between(rng, 0.4, 0.7))  # fmt: skip
    for side in (-1, 1):
        for grow, look in ((1.0, edge), (0.84, wing)):
            mid = (side * 0.44, -0.32)
            outline = ((0.04, 0.0), (0.3, -0.6), (0.72, -0.84), (0.92, -0.66), (0.8, -0.1),
                       (0.5, 0.1))  # fmt: skip
            c.polygon([(mid[0] + grow * (side * x - mid[0]), mid[1] + grow * (y - mid[1]))
                       for x, y in outline], "wing", look)  # fmt: skip
            c.ellipse(side * 0.4, 0.4, 0.38 * grow, lower * 0.82 * grow, "wing",
                      look if look is edge else wing.of(first=second), side * -0.5)  # fmt: skip
        for x, y, r in ((0.6, -0.44, 0.16), (0.42, 0.46, 0.14)):
            c.ellipse(side * x, y, r, r, "wing", edge)
            c.ellipse(side * x, y, r * 0.72, r * 0.72, "wing", Material(third, third))
            c.ellipse(side * x, y, r * 0.34, r * 0.34, "wing", edge)
        c.stroke(((0, -0.46), (side * 0.12, -0.76), (side * 0.3, -0.94)), 0.035, "antenna", DARK)
        c.ellipse(side * 0.3, -0.94, 0.05, 0.05, "antenna", DARK)
    brown = color(rng, (0.04, 0.1), (0.3, 0.7), (0.15, 0.4))
    c.ellipse(0, 0.08, 0.09, 0.54, "torso", Material(darker(brown, 0.5), brown, "stripes", 0.2,
                                                     pi / 2))  # fmt: skip
    c.ellipse(0, -0.46, 0.1, 0.1, "head", Material(darker(brown, 0.6), brown, ball=0.5))
