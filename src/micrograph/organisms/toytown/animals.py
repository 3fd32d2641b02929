"""Whole animals. Units: x right, y down, about -0.9..0.9."""

from __future__ import annotations

from math import cos, pi, sin

from micrograph.organisms.toytown.canvas import Canvas, Color, Material
from micrograph.organisms.toytown.faces import DARK
from micrograph.organisms.toytown.palette import (
    BLACK,
    WHITE,
    between,
    chance,
    color,
    darker,
    mix,
    pick,
)
from micrograph.organisms.toytown.shared import eye


def _legs(
    c: Canvas,
    look: Material,
    hoof: Material,
    top: float,
    foot: float,
    width: float,
) -> None:
    for x in (-0.5, -0.34, 0.26, 0.42):
        swing = between(c.rng, -0.1, 0.1)
        c.stroke(
            ((x, top), (x + swing * 0.5, (top + foot) / 2), (x + swing, foot)), width, "leg", look
        )
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
    c.polygon(
        (
            (-0.72, 0.06),
            (-0.6, -0.16),
            (-0.2, -0.14),
            (0.3, -0.16),
            (0.56, -0.02),
            (0.54, 0.28),
            (0.3, 0.4),
            (-0.3, 0.42),
            (-0.62, 0.36),
        ),
        "torso",
        body,
    )
    mane = Material(dark, pale, "stripes", 0.25, -0.7)
    c.polygon(((0.1, -0.2), (0.42, -0.72), (0.62, -0.82), (0.4, -0.3)), "mane", mane)
    c.polygon(
        ((0.18, -0.1), (0.46, -0.66), (0.72, -0.6), (0.56, 0.12)), "neck", body.of(angle=-0.8)
    )
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
    c.polygon(
        (
            (-0.66, 0.16),
            (-0.5, 0.02),
            (0.1, -0.04),
            (0.5, -0.1),
            (0.54, 0.24),
            (0.32, 0.44),
            (-0.36, 0.46),
            (-0.6, 0.36),
        ),
        "torso",
        coat_,
    )
    c.polygon(
        ((0.1, -0.76), (0.2, -0.78), (0.36, -0.1), (0.2, 0.0)),
        "mane",
        Material(darker(patch, 0.5), patch, "stripes", 0.2, pi / 2),
    )
    c.polygon(((0.2, 0.04), (0.2, -0.78), (0.42, -0.78), (0.54, 0.1)), "neck", coat_)
    for x in (0.26, 0.38):
        c.stroke(((x, -0.82), (x - 0.04, -0.98)), 0.05, "antenna", Material(patch, patch))
        c.ellipse(x - 0.04, -0.99, 0.045, 0.04, "antenna", DARK)
    c.ellipse(0.16, -0.78, 0.12, 0.05, "ear", Material(patch, pale), 0.4)
    c.polygon(
        ((0.2, -0.86), (0.42, -0.9), (0.76, -0.66), (0.74, -0.54), (0.52, -0.56), (0.24, -0.64)),
        "head",
        coat_.of(grain=0.25),
    )
    c.ellipse(0.72, -0.6, 0.07, 0.06, "nose", Material(darker(patch, 0.4), patch))
    eye(c, 0.42, -0.75, 0.06, (0.2, 0.1, 0.05))


def fish(c: Canvas) -> None:
    """A scaled spindle with fins, a forked tail and one eye."""
    rng = c.rng
    base, second = color(rng), color(rng, val=(0.6, 1))
    skin = Material(
        darker(base, 0.5), mix(base, second, 0.4), "scales", between(rng, 0.5, 0.9), ball=0.5
    )
    ray = Material(darker(second, 0.5), second, "ribs", 0.35)
    c.polygon(
        ((-0.5, 0.0), (-0.96, -0.42), (-0.84, 0.0), (-0.96, 0.42)), "fin", ray.of(angle=pi / 2)
    )
    c.polygon(((-0.3, -0.3), (-0.12, -0.68), (0.3, -0.6), (0.4, -0.3)), "fin", ray)
    c.polygon(((-0.2, 0.3), (-0.2, 0.62), (0.16, 0.34)), "fin", ray)
    tall = between(rng, 0.38, 0.5)
    c.polygon(
        [
            (0.2 + 0.78 * cos(a) - 0.06 * cos(2 * a), tall * sin(a) * (1 + 0.15 * cos(a)))
            for a in (2 * pi * i / 20 for i in range(20))
        ],
        "torso",
        skin,
    )
    if chance(rng, 0.5):
        for x in (-0.28, 0.1):
            c.polygon(
                (
                    (x, -tall * 0.8),
                    (x + 0.14, -tall * 0.92),
                    (x + 0.14, tall * 0.92),
                    (x, tall * 0.8),
                ),
                "torso",
                Material(darker(second, 0.8), second, "scales", 0.5),
            )
    c.ellipse(
        0.7, 0.0, 0.27, tall * 0.72, "head", Material(darker(base, 0.7), base, "plain", ball=0.5)
    )
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
    wing = Material(
        base, texture, pick(rng, ("dots", "stripes", "cloud", "giraffe")), between(rng, 0.4, 0.7)
    )
    for side in (-1, 1):
        for grow, look in ((1.0, edge), (0.84, wing)):
            mid = (side * 0.44, -0.32)
            outline = (
                (0.04, 0.0),
                (0.3, -0.6),
                (0.72, -0.84),
                (0.92, -0.66),
                (0.8, -0.1),
                (0.5, 0.1),
            )
            c.polygon(
                [
                    (mid[0] + grow * (side * x - mid[0]), mid[1] + grow * (y - mid[1]))
                    for x, y in outline
                ],
                "wing",
                look,
            )
            c.ellipse(
                side * 0.4,
                0.4,
                0.38 * grow,
                lower * 0.82 * grow,
                "wing",
                look if look is edge else wing.of(first=second),
                side * -0.5,
            )
        for x, y, r in ((0.6, -0.44, 0.16), (0.42, 0.46, 0.14)):
            c.ellipse(side * x, y, r, r, "wing", edge)
            c.ellipse(side * x, y, r * 0.72, r * 0.72, "wing", Material(third, third))
            c.ellipse(side * x, y, r * 0.34, r * 0.34, "wing", edge)
        c.stroke(((0, -0.46), (side * 0.12, -0.76), (side * 0.3, -0.94)), 0.035, "antenna", DARK)
        c.ellipse(side * 0.3, -0.94, 0.05, 0.05, "antenna", DARK)
    brown = color(rng, (0.04, 0.1), (0.3, 0.7), (0.15, 0.4))
    c.ellipse(
        0, 0.08, 0.09, 0.54, "torso", Material(darker(brown, 0.5), brown, "stripes", 0.2, pi / 2)
    )
    c.ellipse(0, -0.46, 0.1, 0.1, "head", Material(darker(brown, 0.6), brown, ball=0.5))
