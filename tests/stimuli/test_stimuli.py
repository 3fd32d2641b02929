"""Drawn stimuli against shapes sampled at many points of each pixel, and what families promise."""

from itertools import pairwise

import numpy as np
import pytest

from micrograph.errors import NotFound
from micrograph.stimuli import FAMILIES, Stimuli, blank, family
from micrograph.stimuli.canvas import aperture, fade, line_width
from micrograph.stimuli.stripes import FINE

SIZE = 64
FINELY = 12


def sampled(shape) -> np.ndarray:
    """Mean of `shape(x, y)`, x to the right and y up from the centre, over each pixel's points."""
    fine = (np.arange(SIZE * FINELY) + 0.5) / FINELY - SIZE / 2
    x, y = np.meshgrid(fine, -fine)
    return shape(x, y).reshape(SIZE, FINELY, SIZE, FINELY).mean((1, 3))


def drawn(name: str, *values) -> np.ndarray:
    """A stimulus as a pattern, -1 (black) to 1 (white)."""
    picture = FAMILIES[name].draw(SIZE, *values)
    assert picture.shape == (SIZE, SIZE, 3)
    assert picture.dtype == np.uint8
    return (picture[..., 0].astype(float) - 128) / 127


def angle_between(x, y, degrees: float):
    """Degrees between the direction to (x, y) and `degrees`."""
    return np.abs((np.degrees(np.arctan2(y, x)) - degrees + 180) % 360 - 180)


def assert_same(picture: np.ndarray, shape: np.ndarray) -> None:
    off = np.abs(picture - shape)
    assert off.mean() < 0.01
    assert off.max() < 0.4, "a corner or a thin tip may differ in one pixel"
    assert np.quantile(off, 0.99) < 0.12


@pytest.mark.parametrize("direction", [0, 75, 210])
@pytest.mark.parametrize("radius", [6.0, 16.0])
@pytest.mark.parametrize("figure", ["light inside", "dark inside"])
def test_curved_borders(direction: float, radius: float, figure: str) -> None:
    cx, cy = (-radius * f(np.radians(direction)) for f in (np.cos, np.sin))
    inside = sampled(lambda x, y: np.where(np.hypot(x - cx, y - cy) < radius, 1.0, -1.0))
    sign = 1 if figure == "light inside" else -1
    window = fade(SIZE, 1.2 * radius, 0.3 * radius)
    assert_same(drawn("curve_edges", direction, radius, figure), sign * inside * window)


@pytest.mark.parametrize("direction", [0, 75, 210])
def test_curved_lines(direction: float) -> None:
    radius = 14.0
    cx, cy = (-radius * f(np.radians(direction)) for f in (np.cos, np.sin))
    half = line_width(SIZE) / 2
    line = sampled(lambda x, y: np.abs(np.hypot(x - cx, y - cy) - radius) < half)
    window = fade(SIZE, 1.2 * radius, 0.3 * radius)
    assert_same(drawn("curves", direction, radius, "dark line"), -line * window)


@pytest.mark.parametrize("direction", [0, 22.5, 180, 270])
@pytest.mark.parametrize("opening", [30, 90, 150])
def test_corners_point_where_they_say(direction: float, opening: float) -> None:
    inside = sampled(lambda x, y: angle_between(x, y, direction + 180) < opening / 2)
    pattern = (2 * inside - 1) * aperture(SIZE)
    assert_same(drawn("corners", direction, opening, "light inside"), pattern)
    assert_same(drawn("corners", direction, opening, "dark inside"), -pattern)
    lines = drawn("corners", direction, opening, "light lines")
    y, x = np.mgrid[SIZE / 2 - 0.5 : -SIZE / 2 : -1, -SIZE / 2 + 0.5 : SIZE / 2]
    on = (lines > 0.5) & (np.hypot(x, y) > 8)
    off_arm = np.abs(angle_between(x, y, direction + 180) - opening / 2)
    assert on.any()
    assert (np.hypot(x, y) * np.sin(np.radians(off_arm)))[on].max() < line_width(SIZE)


@pytest.mark.parametrize("direction", [0, 45, 255])
@pytest.mark.parametrize("blur", [0.0, 10.0])
def test_edges_get_lighter_towards_their_direction(direction: float, blur: float) -> None:
    angle = np.radians(direction)

    def ramp(x, y):
        along = x * np.cos(angle) + y * np.sin(angle)
        return np.clip(2 * along / blur, -1, 1) if blur else np.sign(along)

    assert_same(drawn("edges", direction, blur), sampled(ramp) * aperture(SIZE))


@pytest.mark.parametrize(("orientation", "wavelength"), [(0, 8), (90, 5), (30, 6.4)])
def test_gratings_have_the_frequency_they_say(orientation: float, wavelength: float) -> None:
    light, dark = (drawn("gratings", orientation, wavelength, phase) for phase in (0, 180))
    assert np.abs(light + dark).max() < 0.02
    assert light[SIZE // 2, SIZE // 2] > 0.5
    spectrum = np.abs(np.fft.fft2(light, (512, 512)))
    fy, fx = np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(512), indexing="ij")
    k = spectrum.argmax()
    assert np.hypot(fx, fy).flat[k] == pytest.approx(1 / wavelength, rel=0.05)
    normal = np.degrees(np.arctan2(-fy.flat[k], fx.flat[k]))
    assert (normal - 90 - orientation + 4) % 180 < 8


@pytest.mark.parametrize("orientation", [0, 15, 60])
def test_checkerboards(orientation: float) -> None:
    angle, side = np.radians(orientation), 7.0

    def board(x, y):
        along, left = (x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle))
        even = (np.floor(along / side + 0.5) + np.floor(left / side + 0.5)) % 2 == 0
        return np.where(even, 1.0, -1.0)

    picture = drawn("checkerboard", side, orientation, "light square")
    off = np.abs(picture - sampled(board) * aperture(SIZE))
    assert off.mean() < 0.025
    assert np.abs(picture + drawn("checkerboard", side, orientation, "dark square")).max() < 0.02


def test_squares_meet_in_the_centre() -> None:
    board = drawn("checkerboard", 8.0, 0, "where four meet")
    near = board[SIZE // 2 - 3 : SIZE // 2 + 3, SIZE // 2 - 3 : SIZE // 2 + 3]
    assert (np.sign(near[:3, 3:]) == 1).all()
    assert (np.sign(near[:3, :3]) == -1).all()
    assert (np.sign(near[3:, 3:]) == -1).all()


def test_the_finer_side_is_where_it_should_be() -> None:
    picture = drawn("high_low", 0, 3.0)
    middle = slice(SIZE // 2 - 16, SIZE // 2 + 16)
    changes = np.abs(np.diff(picture[middle], axis=0)).mean(0)
    fine, coarse = changes[SIZE // 2 + 2 : SIZE // 2 + 15], changes[SIZE // 2 - 15 : SIZE // 2 - 2]
    assert fine.mean() > 1.8 * coarse.mean()
    column = picture[middle, SIZE // 2 + 8] - picture[middle, SIZE // 2 + 8].mean()
    assert np.argmax(np.abs(np.fft.rfft(column, 320))) == pytest.approx(320 / FINE, abs=4)
    turned = drawn("high_low", 90, 3.0)
    assert np.abs(np.rot90(picture) - turned).max() < 0.02


@pytest.mark.parametrize("radius", [3.0, 9.0])
def test_round_figures(radius: float) -> None:
    def within(reach):
        return sampled(lambda x, y: np.hypot(x, y) < reach)

    assert_same(drawn("rings", radius, "light disc"), within(radius))
    assert_same(drawn("rings", radius, "dark ring"), within(0.75 * radius) - within(1.25 * radius))
    assert_same(
        drawn("rings", radius, "light in dark ring"), 2 * within(radius) - within(2 * radius)
    )


def test_dots_lie_where_they_say() -> None:
    dot = drawn("size_position", 9.0, -13.0, "large light")
    y, x = np.mgrid[SIZE / 2 - 0.5 : -SIZE / 2 : -1, -SIZE / 2 + 0.5 : SIZE / 2]
    assert (dot * x).sum() / dot.sum() == pytest.approx(-13, abs=0.05)
    assert (dot * y).sum() / dot.sum() == pytest.approx(9, abs=0.05)
    assert dot.sum() == pytest.approx(np.pi * (SIZE / 12) ** 2, rel=0.02)


@pytest.fixture(params=FAMILIES.values(), ids=FAMILIES)
def stimuli(request: pytest.FixtureRequest) -> Stimuli:
    return request.param.at(96)


def test_every_family_is_of_a_size_to_sweep_and_all_its_pictures_differ(stimuli: Stimuli) -> None:
    assert 90 <= len(stimuli) <= 300
    pictures = {stimuli.picture(n).tobytes() for n in range(len(stimuli))}
    assert len(pictures) == len(stimuli)
    assert len({stimuli.label(n) for n in range(len(stimuli))}) == len(stimuli)


def test_numbers_run_over_the_last_axis_first(stimuli: Stimuli) -> None:
    first, second = stimuli.values(0), stimuli.values(1)
    assert first[:-1] == second[:-1]
    assert stimuli.values(len(stimuli) - 1) == tuple(axis.values[-1] for axis in stimuli.axes)
    for axis in stimuli.axes:
        numbers = [v for v in axis.values if not isinstance(v, str)]
        assert all(a < b for a, b in pairwise(numbers)), "in order"
        if axis.circular:
            assert axis.period == numbers[-1] + numbers[1], "equal steps all the way round"


def test_patterns_fade_to_grey_before_the_frame(stimuli: Stimuli) -> None:
    if stimuli.family.name in ("hue", "colour_contrast", "size_position"):
        return
    grey = blank(96)[0, 0]
    for number in range(0, len(stimuli), 7):
        picture = stimuli.picture(number)
        for rim in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
            assert (rim == grey).all()


def test_a_digest_stands_for_family_and_size(stimuli: Stimuli) -> None:
    again = family(stimuli.family.name).at(96)
    assert again.digest == stimuli.digest
    others = {f.at(96).digest for f in FAMILIES.values()} | {stimuli.family.at(97).digest}
    assert len(others) == len(FAMILIES) + 1


def test_every_shipped_family_is_found_by_its_name() -> None:
    assert all(family(name).name == name for name in FAMILIES)
    with pytest.raises(NotFound, match="did you mean 'gratings'"):
        family("grating")
