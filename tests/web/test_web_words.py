"""How pages write numbers, names and recipes, and how they choose pictures."""

import json
import shlex

import pytest
from markupsafe import escape

from micrograph.atlas import ModelRecord, Tile
from micrograph.cli.render import command as click_command
from micrograph.lenses.pages.listing import all_words
from micrograph.parts.commands import Commands
from micrograph.parts.parts import safe_color, spread
from micrograph.recipe import indented as pretty
from micrograph.web.html import breakable, millions, number, score, ticked


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (6998552, "6\u202f998\u202f552"),
    ],
)
def test_thousands_are_apart(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (421.26, "421"),
        (42.126, "42.1"),
        (4.2126, "4.21"),
        (-123.4, "\u2212123"),
        (0.0, "0.00"),
    ],
)
def test_scores_have_three_figures(value, text):
    assert score(value) == text


def test_parameters_in_words():
    assert millions(6998552) == "7.0 million"
    assert millions(1234) == "1\u202f234"


def test_a_recipe_stays_the_same_data():
    recipe = {"b": [1, 2.5, -3e-4], "a": {"c": "x [1,\n 2]", "d": []}, "words": ["x", "y"]}
    assert json.loads(pretty(recipe)) == recipe
    assert "[ 1, 2.5, -0.0003 ]" in pretty(recipe)


def test_names_break_behind_separators_only():
    assert str(breakable("inception_4c_3x3")) == "inception_<wbr>4c_<wbr>3x3"
    assert breakable("a.b-c").replace("<wbr>", "") == "a.b-c"
    assert "<b>" not in str(escape(breakable("<b>_x")))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("run `a <b>` & wait", "run <code>a &lt;b&gt;</code> &amp; wait"),
        ("an odd ` mark <b>", "an odd ` mark &lt;b&gt;"),
        ("", ""),
    ],
)
def test_words_between_backticks_are_code(text, html):
    assert str(ticked(text)) == html


@pytest.mark.parametrize("color", ["red", "#12345", "#12345g", "#123456;}", "", "url(x)", "#"])
def test_only_colours_reach_a_style(color):
    assert safe_color(color) == "#808080"


def test_a_colour_stays():
    assert safe_color("#a0B1c2") == "#a0B1c2"


def tile(unit: int, score: float) -> Tile:
    return Tile(unit, "0" * 32, "image/png", 8, 8, "#808080", score)


def test_a_portrait_leaves_weak_units_out():
    tiles = [tile(u, 100 if u % 2 else 0.1) for u in range(40)]
    chosen = spread(tiles, 5)
    assert len(chosen) == 5
    assert all(t.score == 100 for t in chosen)
    units = [t.unit for t in chosen]
    assert units == sorted(units)
    assert max(units) - min(units) > 20


@pytest.mark.parametrize("count", [0, 1, 3, 8])
def test_a_portrait_of_few(count):
    tiles = [tile(u, float(u)) for u in range(count)]
    assert [t.unit for t in spread(tiles, 8)] == list(range(count))


def test_commands():
    model = ModelRecord("m", "M", "")
    plain = Commands().render
    assert plain(model, "n") == "micrograph render m --node n"
    assert plain(model, "n", 0, ["neuron"]) == (
        "micrograph render m --node n --units 0 --variant neuron"
    )


def test_commands_name_the_folder_that_the_site_shows():
    model = ModelRecord("m", "M", "")
    here = Commands("/home/me/my atlases")
    assert shlex.split(here.render(model, "n", 3)) == (
        [
            "micrograph",
            "render",
            "m",
            "--node",
            "n",
            "--units",
            "3",
            "--atlas",
            "/home/me/my atlases",
        ]
    )
    assert here.render_all("m") == "micrograph render m --atlas '/home/me/my atlases'"
    assert here.here("micrograph weights fetch m") == "micrograph weights fetch m"


@pytest.mark.parametrize("lens", all_words(), ids=lambda one: one.technique)
def test_commands_are_safe_to_paste(lens):
    """A shell hands them on word by word, and each option is one that the lens understands."""
    command = Commands().render(
        ModelRecord("toytown", "", ""), "conv0", 3, technique=lens.technique, options=lens.options
    )
    assert not set(command) & set("<>|&;$*?`\\{}")
    words = shlex.split(command)
    read = click_command.make_context("render", words[2:]).params
    assert list(read["techniques"]) == [lens.technique]
    if lens.technique == "joint":
        assert read["more"] == {"partner": "conv0:2"}
