"""Plots: values at the right places, words for who cannot see, and whatever numbers come."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup

from micrograph.parts.plots import bars, counts, heatmap, histogram, lines, polar, tuning_plots
from micrograph.parts.plots.svg import TEXT, colour, colours, short
from micrograph.stimuli import FAMILIES

NAN = math.nan


def parse(svg: Markup) -> ElementTree.Element:
    """The plot as XML; every plot is named, described and no wider than a telephone."""
    assert isinstance(svg, Markup)
    drawn = re.sub(r"<(title|desc)>.*?</\1>|aria-label=\"[^\"]*\"", "", svg)
    assert not re.search(r"\b(nan|inf)\b", drawn), "no number without a value"
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert root.find("desc").text
    width, height = float(root.get("width")), float(root.get("height"))
    assert width <= 320
    assert root.get("viewBox") == f"0 0 {width:g} {height:g}"
    return root


def described(svg: Markup) -> str:
    return parse(svg).find("desc").text


def words(svg: Markup) -> list[str]:
    return [node.text for node in parse(svg).iter("text")]


def points(svg: Markup, kind: str = "curve") -> list[list[tuple[float, float]]]:
    """The points of each path of that kind."""
    paths = [p.get("d") for p in parse(svg).iter("path") if p.get("class") == f"plot-{kind}"]
    return [
        [tuple(map(float, pair.split())) for pair in re.findall(r"[ML]([-\d. ]+)", d)]
        for d in paths
    ]


def marks(svg: Markup) -> list[tuple[float, float]]:
    return [(float(c.get("cx")), float(c.get("cy"))) for c in parse(svg).iter("circle")]


def test_polar_puts_each_value_at_its_angle() -> None:
    angles = [0, 45, 90, 180, 270]
    (found,) = points(polar(angles, [4, 2, 3, 1, 0]))
    for (x, y), angle, value in zip(found, angles, [4, 2, 3, 1, 0], strict=True):
        out = value / 4 * 104
        assert x == pytest.approx(140 + out * math.cos(math.radians(angle)), abs=0.06)
        assert y == pytest.approx(140 - out * math.sin(math.radians(angle)), abs=0.06)
    assert marks(polar(angles, [4, 2, 3, 1, 0])) == [(244, 140)]


def test_polar_says_where_it_is_strongest_and_draws_the_baseline() -> None:
    svg = polar([0, 90, 180, 270], [1, 8, 1, 1], 2, title="Curves")
    assert described(svg) == "Strongest at 90°, with 8; plain grey gives 2."
    (circle,) = [p.get("d") for p in parse(svg).iter("path") if p.get("class") == "plot-baseline"]
    assert "a26.0 26.0" in circle, "a quarter of the way out"


def test_an_orientation_is_drawn_on_both_sides() -> None:
    svg = polar([0, 60, 120], [1, 5, 1], period=180)
    (found,) = points(svg)
    assert len(found) == 6
    assert [found[k] for k in (1, 4)] == [pytest.approx(p, abs=0.1) for p in marks(svg)]
    (x0, y0), (x1, y1) = marks(svg)
    assert (x0 + x1, y0 + y1) == pytest.approx((280, 280), abs=0.2)


def test_the_centre_of_polar_is_the_lowest_negative_value() -> None:
    (found,) = points(polar([0, 90, 180, 270], [2, -2, 0, 2]))
    assert found[1] == (140, 140)
    assert found[2] == (140 - 52, 140)


def test_lines_stand_at_their_values() -> None:
    svg = lines(
        [0, 5, 10], {"light": [0, 10, 5], "dark": [1, 2, 4]}, 3, x_title="radius", x_unit="px"
    )
    light, dark = points(svg)[:2]
    assert light == [(40, 164), (174, 12), (308, 88)]
    assert dark[2] == pytest.approx((308, 164 - 0.4 * 152), abs=0.06)
    assert marks(svg) == [(174, 12)]
    best = "radius 5\N{NARROW NO-BREAK SPACE}px, with 10"
    assert described(svg) == f"Strongest for light, {best}; plain grey gives 3."
    assert {"light", "dark", "radius, px"} <= set(words(svg))
    (base,) = points(svg, "baseline")
    assert base[0][1] == pytest.approx(164 - 0.3 * 152, abs=0.06)


def test_lengths_of_many_sizes_stand_in_equal_ratios() -> None:
    (found,) = points(lines([1, 10, 100], {"a": [0, 1, 2]}))
    assert found[1][0] == pytest.approx((found[0][0] + found[2][0]) / 2)


def test_more_lines_than_can_be_told_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="5 lines"):
        lines([0, 1], {str(k): [0, 1] for k in range(5)})


X = {"name": "x", "title": "across", "unit": "px", "values": [1, 2, 4]}
Y = {"name": "y", "title": "down", "unit": "°", "values": [0, 90]}


def cells(svg: Markup) -> dict[tuple[float, float], str]:
    """The colour of the cell with that top left corner."""
    found = {}
    for path in parse(svg).iter("path"):
        if path.get("shape-rendering"):
            for x, y in re.findall(r"M([\d.]+) ([\d.]+)h", path.get("d")):
                found[float(x), float(y)] = path.get("fill")
    return found


def test_heatmap_colours_each_cell_by_its_value() -> None:
    values = [[0, 5, 10], [2.5, NAN, 7.5]]
    svg = heatmap(values, X, Y, baseline=5)
    found = cells(svg)
    rows = sorted({y for _, y in found})
    first, second = ([found[k] for k in sorted(found) if k[1] == y] for y in rows)
    assert first == [colour(0), colour(0.5), colour(1)]
    assert second == [colour(0.25), colour(0.75)], "what is no number stays empty"
    assert described(svg) == "Strongest at across 4 px, down 0°, with 10; plain grey gives 5."
    (frame,) = [r for r in parse(svg).iter("rect") if r.get("class") == "plot-best"]
    largest = max(k for k in found if k[1] == rows[0])
    assert (float(frame.get("x")), float(frame.get("y"))) == largest
    assert {"across, px →", "↓ down, °", "0", "10", "grey"} <= set(words(svg))
    upward = cells(heatmap(values, X, Y, upward=True))
    bottom = max(y for _, y in upward)
    assert [upward[k] for k in sorted(upward) if k[1] == bottom] == first


def test_colours_get_lighter_in_equal_steps() -> None:
    def lightness(text: str) -> float:
        rgb = np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        luminance = linear @ [0.2126, 0.7152, 0.0722]
        return 116 * np.cbrt(luminance) - 16 if luminance > 0.0089 else 903.3 * luminance

    found = np.array([lightness(c) for c in colours()])
    assert len(found) == 32
    assert (np.diff(found) > 0.5 * (found[-1] - found[0]) / 31).all()
    assert found[0] < 15
    assert found[-1] > 88
    assert colour(-3) == colours()[0]
    assert colour(9) == colours()[-1]


def test_histogram_heights_are_logarithms() -> None:
    svg = histogram([1, 10, 0, 1000], -2, 6, [(2, "half"), (99, "outside")], x_title="value")
    (bar_path,) = [p.get("d") for p in parse(svg).iter("path") if p.get("class") == "plot-bars"]
    bars_at = [tuple(map(float, m)) for m in re.findall(r"M([\d.]+) 146V([\d.]+)h", bar_path)]
    assert [x for x, _ in bars_at] == [40, 107, 241], "an empty bin has no bar"
    heights = [146 - y for _, y in bars_at]
    assert heights[1] - heights[0] == pytest.approx((heights[2] - heights[0]) / 3, abs=0.1)
    assert heights[0] > 0, "one observation is seen"
    (mark,) = points(svg, "mark")
    assert mark[0][0] == 40 + 268 / 2
    shown = words(svg)
    assert "half" in shown
    assert "outside" not in shown
    assert "10³" in shown


def test_words_of_marks_are_crossed_by_no_line() -> None:
    """A mark's line begins at its own row: words above it may reach over it, others not."""
    words = [(n, "x" * n) for n in (3, 9, 14)]
    for left in range(45, 300, 5):
        for gap in (3, 15, 40):
            marks = [(float(left + k * gap), word) for k, (_, word) in enumerate(words)]
            placed = counts._flags([m for m in marks if m[0] < 308])
            for x, word, row in placed:
                width = len(word) * TEXT * 0.58 + 4
                start, end = (x - width, x) if counts._leftward(x) else (x, x + width)
                same_side = [m for m in placed if counts._leftward(m[0]) == counts._leftward(x)]
                assert all(
                    other_row > row or other == x
                    for other, _, other_row in same_side
                    if start <= other <= end
                )


def test_words_of_marks_close_together_stand_in_rows() -> None:
    svg = histogram([5] * 10, 0, 10, [(2.0, "half of all"), (2.1, "nine of ten"), (2.2, "most")])
    rows = {t.text: float(t.get("y")) for t in parse(svg).iter("text")}
    assert len({rows[w] for w in ("half of all", "nine of ten", "most")}) == 3


def test_bars_run_from_zero_and_link() -> None:
    svg = bars([("cat", 4, "/models/a/b/1?x=1&y=2"), ("dog", -2, ""), ("bad", 1, "javascript:x")])
    boxes = [(float(r.get("x")), float(r.get("width"))) for r in parse(svg).iter("rect")]
    zero = boxes[0][0]
    assert boxes[1][0] + boxes[1][1] == pytest.approx(zero, abs=0.11)
    assert boxes[0][1] == pytest.approx(2 * boxes[1][1], abs=0.2)
    assert [a.get("href") for a in parse(svg).iter("a")] == ["/models/a/b/1?x=1&y=2"]
    assert described(svg) == "cat 4; dog −2; bad 1"


EVIL = '</svg><script>alert("1")</script>&'


def test_all_texts_are_escaped() -> None:
    axis = {"name": EVIL, "title": EVIL, "unit": EVIL, "values": [EVIL, EVIL]}
    for svg in (
        polar([0, 90], [1, 2], title=EVIL, unit=EVIL),
        lines([0, 1], {EVIL: [0, 1], EVIL + "2": [1, 1]}, title=EVIL, x_title=EVIL, x_unit=EVIL),
        heatmap([[1, 2], [3, 4]], axis, axis, title=EVIL, unit=EVIL),
        histogram([1], 0, 1, [(0.5, EVIL)], title=EVIL, x_title=EVIL, unit=EVIL),
        bars([(EVIL, 1, "/" + EVIL)], title=EVIL),
    ):
        assert "<script" not in svg
        parse(svg)


@pytest.mark.parametrize(
    "values",
    [
        [3.0, 3.0, 3.0],
        [0.0, 0.0, 0.0],
        [-1.0, -5.0, -2.0],
        [NAN, NAN, NAN],
        [1.0, NAN, 2.0],
        [math.inf, 1.0, -math.inf],
        [1e30, 0.0, -1e30],
        [1e-12, 2e-12, 0.0],
    ],
)
@pytest.mark.parametrize("baseline", [None, 0.0, -7.0, NAN, math.inf])
def test_whatever_numbers_come_there_is_a_plot(values: list[float], baseline: float | None) -> None:
    axis = {"name": "a", "title": "a", "unit": "", "values": [1, 2, 3]}
    one = {**axis, "values": ["only"]}
    for svg in (
        polar([0, 120, 240], values, baseline),
        lines([1, 2, 3], {"a": values}, baseline),
        heatmap([values], axis, one, baseline=baseline),
        histogram(values, -1, 1),
        bars([("a", v, "") for v in values]),
    ):
        parse(svg)


def test_a_point_or_nothing_at_all() -> None:
    axis = {"name": "a", "title": "a", "unit": "", "values": []}
    for svg in (
        polar([30], [2]),
        polar([], []),
        lines([4], {"a": [2]}),
        lines([], {}),
        heatmap([], axis, axis),
        histogram([], 0, 0),
        histogram([4], 2, 2),
        bars([]),
    ):
        parse(svg)


def test_what_is_all_alike_has_no_best() -> None:
    assert described(polar([0, 90], [4, 4])) == "The same all round: 4."
    assert described(heatmap([[4, 4, 4], [4, 4, 4]], X, Y)) == "The same everywhere: 4."
    assert marks(polar([0, 90], [4, 4])) == marks(lines([0, 1], {"a": [4, 4]})) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.25, "0.25"),
        (-3.14159, "−3.14"),
        (12345, "12\N{NARROW NO-BREAK SPACE}345"),
        (2.5e7, "2.5e7"),
        (1e-5, "1.0e−5"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_plots_that_name_its_best_stimulus(name: str) -> None:
    stimuli = FAMILIES[name].at(96)
    data = {
        "family": name,
        "title": stimuli.family.title,
        "axes": [axis.as_dict() for axis in stimuli.axes],
    }
    responses = np.random.default_rng(0).random(stimuli.shape).astype(np.float16)
    best = tuple(int(k) - 1 for k in stimuli.shape)
    responses[best] = 5
    found = tuning_plots(data, responses, 0.5)
    assert found
    for plot in found:
        said = described(plot.svg)
        assert "with 5" in said
        assert "grey gives 0.5" in said
        assert plot.caption.startswith("By ")
    alike = tuning_plots(data, np.zeros(stimuli.shape), 0.0)
    assert [p.caption for p in alike] == ["The same response to all of them."]
    assert tuning_plots(data, np.full(stimuli.shape, NAN), 0.0) == []
    assert tuning_plots(data, responses[0], 0.0) == [], "arrays of another form"


def test_other_axes_are_at_their_best() -> None:
    stimuli = FAMILIES["gratings"].at(96)
    data = {"family": "gratings", "title": "Gratings", "axes": [a.as_dict() for a in stimuli.axes]}
    responses = np.zeros(stimuli.shape)
    responses[3, 2, 1], responses[3, 2, 0], responses[9, 4, 3] = 8, 1, 4
    by_orientation, both = tuning_plots(data, responses, 0)
    (found,) = points(by_orientation.svg)
    out = [math.hypot(x - 140, y - 140) for x, y in found[:12]]
    assert out[3] == pytest.approx(104, abs=0.1)
    assert out[9] == pytest.approx(52, abs=0.1)
    assert by_orientation.caption == "By orientation, at the best wavelength and phase."
    assert both.caption == "By orientation and wavelength, at the best phase."
    shown = list(cells(both.svg).values())
    assert [shown.count(colour(share)) for share in (0, 0.5, 1)] == [70, 1, 1]


@pytest.mark.parametrize(
    "axes",
    [
        [["a", "b", "c"]],
        [[3, 1, 2]],
        [[1, -5, 100]],
        [[2, 2, 2]],
        [["a", 1, "b"], [1, 2]],
        [["a", "b"], ["c"], [1, 2]],
        [[1, 2], [3, 4], [5, 6], ["x"]],
    ],
)
@pytest.mark.parametrize("circular", [True, False])
def test_families_of_others_have_other_axes(axes: list[list], circular: bool) -> None:
    data = {
        "title": "Theirs",
        "axes": [
            {"name": f"a{k}", "title": "axis", "unit": "", "values": v, "circular": circular}
            for k, v in enumerate(axes)
        ],
    }
    shape = [len(v) for v in axes]
    for plot in tuning_plots(data, np.random.default_rng(0).normal(size=shape), -1.0):
        assert described(plot.svg).startswith("Strongest")
