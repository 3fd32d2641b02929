"""Dictionaries on the command line: attached, shipped, trained, and missed."""

import json
import re

import pytest
import torch
from safetensors.torch import save_file

from micrograph.atlas import Atlas
from micrograph.cli import main


@pytest.fixture
def file(tmp_path):
    rows = torch.randn(6, 152, generator=torch.Generator().manual_seed(0))
    path = tmp_path / "six.safetensors"
    save_file({"encoder": rows, "decoder": rows.clone()}, path, metadata={"activation": "relu"})
    return path


def run(capsys, *words):
    status = main([str(word) for word in words])
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.mark.parametrize(("place", "node"), [("4a", "mixed4a.sae"), ("mixed4a.six", "mixed4a.six")])
def test_latents_are_rendered_and_known(capsys, tmp_path, file, place, node):
    status, out, _ = run(
        capsys,
        "render",
        "toytown",
        "--dictionary",
        f"{place}={file}",
        "-n",
        node,
        "--units",
        "0-1",
        "--steps",
        "1",
        "--atlas",
        tmp_path / "a",
    )
    assert status == 0
    assert out.startswith("2 results")
    atlas = Atlas.open(tmp_path / "a" / "toytown.atlas")
    assert list(atlas.dictionaries) == [node]
    status, out, _ = run(capsys, "info", f"toytown/{node}", "--json", "--atlas", tmp_path / "a")
    facts = json.loads(out)["node_facts"]
    assert (facts["units"], facts["parents"]) == (6, ["mixed4a"])


def test_the_one_that_ships_needs_no_file(capsys, tmp_path):
    status, out, _ = run(
        capsys,
        "render",
        "toytown",
        "-n",
        "4a.sae",
        "--units",
        "3",
        "--steps",
        "1",
        "--atlas",
        tmp_path,
    )
    assert status == 0
    assert out.startswith("1 result")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--dictionary", "4a"], "expected NODE=FILE or NODE.NAME=FILE"),
        (["--dictionary", "4a={file}", "--dictionary", "4a={other}"], "another dictionary"),
        (["--dictionary", "3a={file}"], "mixed3a|80 units|node has 80"),
        (["--dictionary", "4a={file}.not"], "no file"),
        (["--dictionary", "4q={file}"], "unknown node"),
        (["-n", "mixed4a.six"], r"--dictionary mixed4a\.six=FILE"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(capsys, tmp_path, file, given, words):
    rows = torch.ones(3, 152)
    save_file({"directions": rows}, tmp_path / "other.safetensors")
    given = [w.format(file=file, other=tmp_path / "other.safetensors") for w in given]
    status, _, error = run(capsys, "render", "toytown", *given, "--atlas", tmp_path / "a")
    assert status == 2
    assert len(error.strip().splitlines()) == 1
    assert re.search(words, error)
    assert not (tmp_path / "a").exists()


def test_a_dictionary_is_trained_and_used(capsys, tmp_path):
    out = tmp_path / "own.safetensors"
    status, said, _ = run(
        capsys,
        "dictionary",
        "toytown",
        "4c",
        "--dataset",
        "toytown:20",
        "--latents",
        "30",
        "-k",
        "3",
        "--steps",
        "3",
        "--out",
        out,
    )
    assert status == 0
    assert "30 latents over mixed4c" in said
    status, _, _ = run(
        capsys,
        "render",
        "toytown",
        "--dictionary",
        f"4c={out}",
        "-n",
        "4c.sae",
        "--units",
        "0",
        "--steps",
        "1",
        "--atlas",
        tmp_path / "a",
    )
    assert status == 0
