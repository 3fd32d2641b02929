"""`micrograph inputs`."""

import json
from pathlib import Path

import pytest

import micrograph
from micrograph.cli import main


def test_it_lists_what_a_unit_is_built_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inputs", "toytown/mixed4b/7", "-n", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "toytown/mixed4b/7 from mixed4a, kernels 5 x 5"
    found = micrograph.weights(micrograph.load("toytown"), "mixed4a", "mixed4b", units=7)
    strongest = found.strongest(7, 3)
    for line, one in zip(lines[2:5], strongest.inputs, strict=True):
        share, percent, unit, total, *kernel = line.split()
        assert (float(share), percent, unit) == (
            round(100 * one.share, 1),
            "%",
            f"mixed4a/{one.unit}",
        )
        assert float(total) == pytest.approx(one.strength, rel=1e-3)
        assert [len(row) for row in kernel] == [5] * 5
    assert lines[5] == strongest.rest_in_words()
    assert lines[5].startswith("other 149 inputs: ")
    assert any(line.startswith("approximation: relu in mixed4b_") for line in lines)


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inputs", "toytown/mixed4b/7", "--from", "mixed3b", "-n", "2", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["source"], facts["unit"], len(facts["inputs"])) == ("mixed3b", 7, 2)
    assert len(facts["inputs"][0]["kernel"]) == len(facts["inputs"][0]["kernel"][0]) == 19
    assert facts["stride"] == [2, 2]
    assert facts["exact"] is False
    assert facts["rest"]["count"] == 110


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["toytown/mixed4b"], "names no unit; expected MODEL/NODE/UNIT"),
        (["toytown/mixed4b/3", "--groups", "2"], "names a unit; --groups are of a node"),
        (
            ["toytown/mixed4b", "--groups", "2", "--by", "activation"],
            "--by activation was given with --groups",
        ),
        (["toytown/mixed4b/999"], "unit 999 is out of range: toytown/mixed4b has units 0-179"),
        (["toytown/conv0/1"], "no node lies before conv0"),
        (["toytown/mixed4b/1", "--from", "logits"], "logits lies behind mixed4b"),
        (["toytown/mixed4b/1", "--position", "7"], "--position '7' given; expected Y,X"),
        (["toytown/mixed4b/1", "--reference", "none.jpg"], "none.jpg"),
        (["toytown/mixed4b/1", "--by", "activation"], "-t dataset_examples --node mixed4a"),
        (
            ["toytown/mixed4b/1", "--by", "activation", "--dataset", "toytown"],
            "-t dataset_examples --node mixed4a --dataset toytown`",
        ),
        (["toytown_vit/blocks.1/1"], "an attention pattern needs a reference picture"),
        (["toytown_vit/blocks.1/1"], "name one with --reference"),
    ],
)
def test_bad_input_is_one_line(
    given: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inputs", *given, "--atlas", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_reference_may_be_a_picture_that_ships(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inputs", "toytown_vit/blocks.1/3", "--reference", "car", "-n", "1"]) == 0
    assert "its pattern is that on the reference" in capsys.readouterr().out


def test_groups_of_a_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inputs", "toytown/mixed4b", "--groups", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    own = micrograph.weights(micrograph.load("toytown"), "mixed4a", "mixed4b").groups(2)
    assert found == json.loads(json.dumps(own.to_json()))
    assert main(["inputs", "toytown/mixed4b", "--groups", "2"]) == 0
    told = capsys.readouterr().out
    assert f"the groups are {100 * own.explained:.0f} % of the square" in told
    assert f"units of mixed4b: {own.groups[0].targets[0][0]} (" in told
