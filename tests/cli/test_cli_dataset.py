"""`micrograph dataset`: getting one's own copy of a published set."""

import json
from pathlib import Path

import published_samples as samples
import pytest
from picture_server import serving

from micrograph.cli import main
from micrograph.published import Listing, copy_of


@pytest.fixture
def six(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Listing:
    monkeypatch.setenv("no_proxy", "*")
    return samples.known(monkeypatch, tmp_path / "data")


def test_a_folder_is_taken_and_status_follows(
    six: Listing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dataset", "status", samples.NAME]) == 0
    said = capsys.readouterr().out
    assert "0 of 6 pictures" in said
    assert f"micrograph dataset fetch {samples.NAME}" in said
    folder = samples.fill(tmp_path / "mine")
    (folder / six.pictures[5].name).unlink()
    (folder / "readme.txt").write_text("mine")
    assert main(["dataset", "fetch", samples.NAME, "--from", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "5 pictures taken, 0 were here; 1 other files were left alone" in said
    assert "1 of 6 are missing" in said
    assert main(["dataset", "status", "--json"]) == 0
    facts = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert facts[samples.NAME]["missing"] == 1
    assert facts["imagenet-samples"]["pictures"] == 1000
    assert copy_of(six).missing() == [5]


def test_what_cannot_be_had_is_one_line(
    six: Listing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for args, expected in (
        (["dataset", "fetch", samples.NAME], "cannot reach 127.0.0.1"),
        (["dataset", "fetch", samples.NAME, "--from", str(tmp_path / "no")], "is no folder"),
        (["dataset", "fetch", "imagenet"], "unknown published dataset 'imagenet'"),
    ):
        assert main(args) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert expected in error


def test_a_sweep_of_a_set_that_is_not_here_says_how_to_get_it(
    six: Listing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["render", "toytown", "-t", "dataset_examples", "--dataset", samples.NAME]
    assert main([*words, "--atlas", str(tmp_path / "atlas")]) == 2
    error = capsys.readouterr().err
    assert "6 of the 6 pictures of six-drawings are not here; run `micrograph dataset" in error


def test_pictures_are_fetched_and_said_to_be_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with serving() as server:
        six = samples.known(monkeypatch, tmp_path / "data", server.address)
        assert main(["dataset", "fetch", samples.NAME]) == 0
        assert main(["dataset", "fetch", samples.NAME]) == 0
    said = capsys.readouterr().out
    assert said.count("They are ours.") == 2
    assert "6 pictures fetched, 0 were here" in said
    assert "0 pictures fetched, 6 were here" in said
    assert "missing" not in said
    assert not copy_of(six).missing()
