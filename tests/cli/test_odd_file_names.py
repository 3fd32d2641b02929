"""Files and folders whose names are bytes of no encoding, as other systems leave them on a disk."""

import json
import os
from pathlib import Path

import pytest
from samples import picture, sample_atlas

from micrograph.atlas import Atlas

NAME = os.fsdecode(b"caf\xe9")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / NAME
    try:
        made.mkdir()
    except OSError:
        pytest.skip("file names are text here")
    return made


def test_atlases(run, folder: Path) -> None:
    path = sample_atlas(folder)
    for words in (
        ("verify", path),
        ("info", path),
        ("compact", path, "-o", folder / "small.atlas"),
        ("merge", path, "-o", folder / f"{NAME}.atlas"),
    ):
        status, out, error = run("atlas", *words)
        assert (status, error) == (0, ""), words
        assert out
    assert run("atlas", "verify", folder / f"{NAME}.atlas", folder / "small.atlas").status == 0


def test_a_picture_of_that_name(run, folder: Path) -> None:
    file = folder / f"{NAME}.webp"
    file.write_bytes(picture(3, 64).data)
    words = ("-n", "conv0", "-t", "caricature", "--image", file, "--preset", "draft")
    status, _, error = run("render", "toytown", *words, "--steps", 1, "--atlas", folder)
    assert (status, "error" in error) == (0, False)
    with Atlas.open(folder / "toytown.atlas") as atlas:
        (found,) = atlas.datasets()
        assert atlas.samples(found.digest, [0])[0].name == "caf\ufffd"


@pytest.mark.parametrize("encoding", ["ascii", "utf-8:strict"])
def test_output_that_lacks_signs(start, folder: Path, monkeypatch, encoding: str) -> None:
    """A locale of ASCII alone, and one that takes no bytes but its own."""
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    path = sample_atlas(folder)
    for words in (("atlas", "info", path, "--json"), ("atlas", "verify", path)):
        process = start(*words)
        out, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (0, "")
        assert "caf\\udce9" in out
        if "--json" in words:
            assert json.loads(out)["file"] == str(path)
