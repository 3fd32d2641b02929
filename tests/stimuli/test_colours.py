"""Colours against the published conversion, in the other direction."""

import numpy as np
import pytest

from micrograph.stimuli import FAMILIES
from micrograph.stimuli.canvas import GREY
from micrograph.stimuli.colours import CHROMA, EVEN, oklch


def to_oklch(rgb: np.ndarray) -> tuple[float, float, float]:
    """sRGB in 0..1 to lightness, chroma, hue: Ottosson's first matrices, which the drawing code,
    going the other way, does not hold."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lms = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ linear
    )
    light, a, b = (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ lms
    )
    return light, np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


@pytest.mark.parametrize("hue", range(0, 360, 15))
def test_there_and_back(hue: int) -> None:
    colour = oklch(EVEN, CHROMA, hue)
    assert 0 <= colour.min() <= colour.max() <= 1, "all hues of even lightness can be shown"
    light, chroma, back = to_oklch(colour)
    assert light == pytest.approx(EVEN, abs=1e-4)
    assert chroma == pytest.approx(CHROMA, abs=1e-4)
    assert (back - hue + 180) % 360 - 180 == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(
    ("colour", "hue"),
    [
        ((1, 0, 0), 29),
        ((1, 1, 0), 110),
        ((0, 1, 0), 142),
        ((0, 0, 1), 264),
    ],
)
def test_hues_are_where_the_documentation_says(colour: tuple[int, ...], hue: float) -> None:
    light, chroma, found = to_oklch(np.array(colour, float))
    assert found == pytest.approx(hue, abs=0.6)
    assert oklch(light, chroma, found) == pytest.approx(colour, abs=1e-4)


def test_the_grey_of_patterns_is_as_light_as_the_even_colours() -> None:
    light, chroma, _ = to_oklch(np.full(3, GREY / 255))
    assert light == pytest.approx(EVEN, abs=0.01)
    assert chroma < 1e-3


def test_plain_colours_reach_the_edge_of_what_a_screen_shows() -> None:
    hues = FAMILIES["hue"].at(8)
    for number in range(len(hues)):
        colour = hues.picture(number)
        assert (colour == colour[0, 0]).all()
        assert colour.min() <= 1 or colour.max() >= 254


def test_a_disc_of_one_colour_in_another() -> None:
    picture = FAMILIES["colour_contrast"].draw(64, 30.0, "grey")
    assert (picture[0] == GREY).all()
    light, chroma, hue = to_oklch(picture[32, 32] / 255)
    assert (light, chroma, hue) == pytest.approx((EVEN, CHROMA, 30), abs=1.5, rel=0.02)
    coloured = (picture != GREY).any(2).sum()
    assert coloured == pytest.approx(np.pi * 4**2, rel=0.35)
