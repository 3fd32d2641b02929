"""Connections that wait for the next page are in nobody's way, and never show what was."""

import sqlite3
from pathlib import Path

import pytest
from samples import MODEL, NODES, visualization

from micrograph.atlas import Atlas, AtlasWriter
from micrograph.atlas import format as atlas_format
from micrograph.atlas.format import one_connection_a_file
from micrograph.atlas.kept_connections import KeptConnections


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> KeptConnections:
    found = KeptConnections(2)
    monkeypatch.setattr(atlas_format, "_KEPT", found)
    return found


def add(path: Path, seed: int) -> None:
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        writer.put([visualization("mixed1a", 3, seed=seed)])


def seeds(atlas: Atlas) -> list[int]:
    """As a page asks for them."""
    with one_connection_a_file():
        return [v.seed for v in atlas.visualizations("mixed1a", 3)]


def waiting(kept: KeptConnections) -> list[Path]:
    return list(kept._idle.values())


def test_the_next_page_finds_it_open(tmp_path: Path, kept: KeptConnections) -> None:
    path = tmp_path / "own.atlas"
    add(path, 0)
    atlas = Atlas.open(path)
    assert seeds(atlas) == [0]
    (first,) = kept._idle
    assert seeds(atlas) == [0]
    assert list(kept._idle) == [first]


def test_a_writer_is_not_kept_waiting(tmp_path: Path, kept: KeptConnections) -> None:
    path = tmp_path / "own.atlas"
    add(path, 0)
    atlas = Atlas.open(path)
    seeds(atlas)
    assert waiting(kept) == [path]
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")  # fails where anybody holds a lock
    other.execute("ROLLBACK")
    other.close()
    add(path, 1)
    assert not path.with_name("own.atlas-wal").exists()  # folded back into one file
    assert seeds(atlas) == [0, 1]


def test_beside_a_log_nothing_waits(tmp_path: Path, kept: KeptConnections) -> None:
    path = tmp_path / "own.atlas"
    add(path, 0)
    atlas = Atlas.open(path)
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        writer.put([visualization("mixed1a", 3, seed=1)])
        assert seeds(atlas) == [0, 1]
        assert waiting(kept) == []


def test_another_file_in_its_place_is_read(tmp_path: Path, kept: KeptConnections) -> None:
    path, other = tmp_path / "own.atlas", tmp_path / "other.atlas"
    add(path, 0)
    add(other, 7)
    atlas = Atlas.open(path)
    assert seeds(atlas) == [0]
    other.replace(path)
    assert seeds(atlas) == [7]
    path.unlink()
    kept.close_outdated()
    assert waiting(kept) == []


def test_so_many_wait_at_most(tmp_path: Path, kept: KeptConnections) -> None:
    paths = [tmp_path / f"{name}.atlas" for name in "abc"]
    for path in paths:
        add(path, 0)
        seeds(Atlas.open(path))
    assert waiting(kept) == paths[1:]


def test_one_that_failed_does_not_wait(tmp_path: Path, kept: KeptConnections) -> None:
    path = tmp_path / "own.atlas"
    add(path, 0)
    wrong = pytest.raises(ValueError, match="mine")
    with one_connection_a_file(), wrong, atlas_format._connection(path, 1.0):
        raise ValueError("mine")
    assert waiting(kept) == []
