"""`micrograph atlas`: the lines that people read, and the exit status."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import lens_samples
import pytest
from samples import sample_atlas

from micrograph.cli import main


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return sample_atlas(tmp_path)


def test_info(path: Path, capsys) -> None:
    assert main(["atlas", "info", str(path)]) == 0
    told = capsys.readouterr().out
    assert "tinynet" in told
    assert "feature_vis" in told
    assert main(["atlas", "info", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["model"] == "tinynet"
    assert facts["bytes"] == path.stat().st_size
    assert facts["lenses"]["feature_vis"]["nodes"] == facts["nodes"]


def test_verify_and_repair(path: Path, tmp_path: Path, capsys) -> None:
    assert main(["atlas", "verify", str(path)]) == 0
    assert "are whole" in capsys.readouterr().out
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE picture SET data = CAST(data || x'00' AS BLOB) WHERE id = 1")
    assert main(["atlas", "verify", str(path)]) == 1
    told = capsys.readouterr().out
    assert "lost: conv0/0, feature_vis channel: the bytes of its picture changed" in told
    assert "atlas repair" in told
    assert main(["atlas", "verify", str(path), "--json"]) == 1
    (account,) = json.loads(capsys.readouterr().out)
    assert account["lost"][0]["what"] == "conv0/0, feature_vis channel"
    new = tmp_path / "new.atlas"
    assert main(["atlas", "merge", str(path), "-o", str(new)]) == 2
    assert "repair" in capsys.readouterr().err
    assert not new.exists()
    assert main(["atlas", "repair", str(path), "-o", str(new)]) == 0
    assert f"{account['results']} results" in capsys.readouterr().out
    assert main(["atlas", "verify", str(new)]) == 0


def test_extract_merge_and_compact(path: Path, tmp_path: Path, capsys) -> None:
    one, two, whole = (str(tmp_path / f"{n}.atlas") for n in ("one", "two", "whole"))
    assert main(["atlas", "extract", str(path), "-n", "1a", "-o", one]) == 0
    assert main(["atlas", "extract", str(path), "-t", "feature_vis", "-o", two]) == 0
    assert main(["atlas", "merge", one, two, "-o", whole]) == 0
    assert main(["atlas", "compact", whole, "-o", str(tmp_path / "small.atlas")]) == 0
    assert main(["atlas", "verify", one, two, whole]) == 0
    assert capsys.readouterr().err == ""


def test_extract_says_what_is_damaged_and_was_not_asked_for(path: Path, tmp_path, capsys) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE picture SET data = CAST(data || x'00' AS BLOB) WHERE id = 1")
    new = str(tmp_path / "new.atlas")
    assert main(["atlas", "extract", str(path), "-n", "conv0", "-o", new]) == 2
    assert "conv0/0" in capsys.readouterr().err
    assert main(["atlas", "extract", str(path), "-n", "1a", "-o", new]) == 0
    told = capsys.readouterr().out
    assert "1 damaged entry was not asked for, and left out:" in told
    assert "damaged: conv0/0, feature_vis channel: the bytes of its picture changed" in told
    assert main(["atlas", "verify", new]) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["extract", "{path}", "-o", "{new}"], "nothing says what to keep"),
        (["extract", "{path}", "-n", "none", "-o", "{new}"], "none"),
        (["extract", "{path}", "-t", "featurevis", "-o", "{new}"], "it has feature_vis"),
        (["extract", "{path}", "-n", "1a", "-t", "tuning", "-o", "{new}"], "nothing of 'tuning'"),
        (["merge", "{path}", "-o", "{path}"], "there already"),
        (["verify", "{new}"], "no atlas"),
        (["info", "{text}"], "not an atlas"),
    ],
)
def test_refusals_are_one_line(path: Path, tmp_path: Path, capsys, words, says) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("x")
    names = {"path": path, "new": tmp_path / "new.atlas", "text": text}
    assert main(["atlas", *(word.format(**names) for word in words)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
    assert not (tmp_path / "new.atlas").exists()


def test_nothing_that_fits_is_no_atlas(tmp_path: Path, capsys) -> None:
    lens_samples.write(tmp_path)
    (path,) = tmp_path.glob("*.atlas")
    words = ["-n", "conv0", "-t", "maco", "-o", str(tmp_path / "new.atlas")]
    assert main(["atlas", "extract", str(path), *words]) == 2
    assert "has no maco of conv0" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_all_commands_count_alike(tmp_path: Path, capsys) -> None:
    """Results about units, nodes, two units; each once, however often it is given."""
    lens_samples.write(tmp_path)
    (path,) = tmp_path.glob("*.atlas")
    with closing(sqlite3.connect(path)) as connection:
        (results,) = connection.execute("SELECT count(*) FROM visualization").fetchone()
        (pictures,) = connection.execute("SELECT count(*) FROM sample").fetchone()
    assert main(["atlas", "info", str(path), "--json"]) == 0
    lenses = json.loads(capsys.readouterr().out)["lenses"]
    assert sum(one["results"] for one in lenses.values()) == results
    assert lenses["deepdream"]["results"] > 0, "those about nodes"
    counted = f"{results} results and {pictures} sample pictures"
    assert main(["atlas", "verify", str(path)]) == 0
    assert counted in capsys.readouterr().out
    new = str(tmp_path / "new.atlas")
    assert main(["atlas", "merge", str(path), str(path), "-o", new]) == 0
    assert counted.replace(" and", ",") in capsys.readouterr().out
