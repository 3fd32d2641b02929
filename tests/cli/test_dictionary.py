"""Dictionaries on the command line: attached, shipped, trained, checked, and missed."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import micrograph
from micrograph import load
from micrograph.atlas import Atlas
from micrograph.cli import main
from micrograph.datasets import batches, open_dataset


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


SHIPPED = Path(micrograph.__file__).parent / "organisms" / "toytown" / "mixed4a.sae.safetensors"


def test_a_dictionary_is_checked_beside_what_its_file_states(capsys):
    words = ("dictionary", "check", SHIPPED, "--model", "toytown", "--dataset", "toytown:4")
    status, out, error = run(capsys, *words, "--json")
    assert (status, "warning" in error) == (0, False)
    found = json.loads(out)
    assert (found["node"], found["latents"], found["positions"]) == ("mixed4a", 760, 4 * 144)
    model = load("toytown")
    (batch,) = batches(open_dataset("toytown:4"), model.preprocessing, 4, range(1))
    images = batch.images(model.device)
    values = model.run(images, ["mixed4a", "mixed4a.sae"])
    latents = values["mixed4a.sae"].movedim(1, -1).flatten(0, 2)
    x = values["mixed4a"].movedim(1, -1).flatten(0, 2)
    dictionary = model.attached("mixed4a.sae").dictionary
    left = (x - dictionary.decode(latents)).square().sum()
    explained = float(1 - left / (x - x.mean(0)).square().sum())
    measured = found["measured"]
    assert measured["explained"] == pytest.approx(explained, abs=1e-3)
    assert measured["l0"] == pytest.approx(float((latents != 0).sum(1).float().mean()), abs=1e-2)
    assert measured["dead"] == pytest.approx(int((latents == 0).all(0).sum()), abs=3)
    assert float(found["stated"]["explained"]) == pytest.approx(0.838, abs=0.01)
    status, out, _ = run(capsys, *words, "--node", "4a")
    assert status == 0
    assert re.search(r"variance explained +\d+\.\d% +83\.\d%", out)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ((), "architecture=AutoEncoderTopK"),
        (("architecture=BatchTopK",), "class 'BatchTopK'"),
        (("k",), "KEY=VALUE"),
        (("kk=3",), "option 'kk' is unknown"),
        (("4a.other:architecture=AutoEncoderTopK",), "architecture=AutoEncoderTopK"),
    ],
)
def test_what_a_file_does_not_say_is_set_or_asked_for(capsys, tmp_path, settings, words):
    rows = torch.randn(6, 152, generator=torch.Generator().manual_seed(0))
    tensors = {"encoder.weight": rows, "encoder.bias": torch.zeros(6), "decoder.weight": rows.T}
    tensors |= {"b_dec": torch.zeros(152), "k": torch.tensor(2), "threshold": torch.tensor(0.5)}
    torch.save(tensors, tmp_path / "ae.pt")
    given = ["render", "toytown", "--dictionary", f"4a={tmp_path / 'ae.pt'}", "-n", "4a.sae"]
    given += ["--units", "0", "--steps", "1", "--atlas", tmp_path / "a"]
    chosen = [word for setting in settings for word in ("--dictionary-set", setting)]
    status, _, error = run(capsys, *given, *chosen)
    assert status == 2
    assert words in error
    assert len(error.strip().splitlines()) == 1
    if not settings:
        good = ("--dictionary-set", "4a.sae:architecture=AutoEncoderTopK")
        assert run(capsys, *given, *good)[0] == 0


def test_a_file_in_a_place_that_it_does_not_name_is_said_before_anything(capsys, tmp_path):
    rows = torch.randn(6, 152, generator=torch.Generator().manual_seed(0))
    texts = {"activation": "relu", "node": "mixed4a", "model": "googlenet"}
    save_file(
        {"encoder": rows, "decoder": rows.clone()}, tmp_path / "d.safetensors", metadata=texts
    )
    words = ("dictionary", "check", tmp_path / "d.safetensors", "--model", "toytown")
    status, out, error = run(capsys, *words, "--dataset", "toytown:2")
    assert (status, "over mixed4a" in out) == (0, True)
    assert "warning: mixed4a.check: made for the model googlenet, attached to toytown" in error
