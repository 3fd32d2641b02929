"""`circuit` and `steer`: what a unit is made of on one picture, and what changing it does."""

import json

import pytest

from micrograph.circuits.graph import AttributionGraph
from micrograph.circuits.steered import Steered


def test_circuit_tells_inputs_and_the_rest(run):
    status, out, err = run("circuit", "toytown/mixed4a/3", "-p", "car", "-n", "mixed3b")
    assert status == 0, err
    assert out.startswith("toytown/mixed4a/3 on car: ")
    assert "mixed3b/" in out
    assert "other " in out
    assert "constant" in out


@pytest.mark.parametrize(("form", "key"), [("--json", "stages"), ("--graph-json", "qParams")])
def test_circuit_writes_files_for_machines(run, tmp_path, form, key):
    file = tmp_path / "graph.json"
    asked = ("circuit", "toytown/mixed3a/3", "-p", "car", "--follow", 4, form)
    assert run(*asked, "-o", file).status == 0
    written = json.loads(file.read_text())
    assert key in written
    assert json.loads(run(*asked).out) == written
    if form == "--json":
        assert AttributionGraph.from_json(written).target == "mixed3a/3"


def test_circuit_draws_a_file_that_stands_alone(run, tmp_path):
    from xml.etree import ElementTree

    file = tmp_path / "graph.svg"
    asked = ("circuit", "toytown/mixed3a/3", "-p", "car", "--follow", 4, "--svg", "-o", file)
    assert run(*asked).status == 0
    drawing = ElementTree.parse(file).getroot()
    images = drawing.findall(".//{http://www.w3.org/2000/svg}image")
    assert [image.get("href")[:22] for image in images] == ["data:image/jpeg;base64"]


def test_steer_tells_changes_and_controls(run):
    status, out, err = run("steer", "toytown/mixed5a/3,7", "-p", "car", "--double", "-n", "logits")
    assert status == 0, err
    assert out.startswith("toytown/mixed5a/3,7 on car: double; ")
    assert "of 21" in out
    found = run("steer", "toytown/mixed5a/3", "-p", "car", "--add", 2, "-n", "logits", "--json")
    assert Steered.from_json(json.loads(found.out)).amount == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("circuit", "toytown/mixed4a", "-p", "car"), "is no unit; expected MODEL/NODE/UNIT"),
        (("circuit", "toytown/mixed4a/999", "-p", "car"), "units 0-151"),
        (("circuit", "toytown/mixed4a/3,4", "-p", "car"), "2 units given; expected one"),
        (("circuit", "toytown/mixed4a/3", "-p", "no.png"), "cannot read the picture"),
        (("circuit", "toytown/mixed4a/3", "-p", "car", "-o", "x"), "add --json, --svg"),
        (("circuit", "toytown/mixed4a/3", "-p", "car", "-n", "mixed4b"), "is not before mixed4a"),
        (("steer", "toytown/logits/3", "-p", "car"), "nothing worth seeing is behind logits"),
        (("steer", "toytown/mixed4a/3", "-p", "car", "--factor", 1), "other than 1"),
        (("steer", "toytown/mixed4a/3", "-p", "car", "--factor", 2, "--add", 1), "one of them"),
        (("steer", "toytown/mixed4a/3", "-p", "car", "--halve", "--double"), "one of them"),
        (("steer", "toytown/mixed4a/3", "-p", "car", "--silence", "--add", 1), "one of them"),
        (("circuit", "toytown/mixed4a/3", "-p", "car", "--svg", "--json"), "one of them"),
    ],
)
def test_bad_words_are_one_line(run, words, message):
    status, out, err = run(*words)
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
