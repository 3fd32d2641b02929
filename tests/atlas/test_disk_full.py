"""No room, no permission: one clear line, and what was stored before stays whole."""

import os
import sqlite3
from pathlib import Path

import pytest
from older_atlases import OLDER, rewrite
from samples import MODEL, NODES, recipe, sample_atlas, visualization
from unprivileged import as_nobody, in_child

from micrograph.atlas import Atlas, AtlasWriter, Library, compact
from micrograph.errors import Unavailable

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def integrity(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


def test_a_full_database_keeps_what_it_has(tmp_path: Path) -> None:
    """SQLite's own limit on pages gives the very error of a full disk."""
    path = sample_atlas(tmp_path, [])
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        writer.put(visualization("mixed1a", u) for u in range(4))
        connection = writer._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(Unavailable, match=r"disk is full.*free some space") as told:
            writer.put(visualization("mixed1a", u, size=256) for u in range(4, 16))
        assert "\n" not in str(told.value)
        assert writer.missing("mixed1a", range(4), recipe()) == []
        connection.execute("PRAGMA max_page_count = 1000000")
        assert writer.put(visualization("mixed1a", u, size=256) for u in range(4, 16)) == 12
    assert integrity(path) == "ok"
    assert len(Atlas.open(path).tiles("mixed1a", "feature_vis", "channel")) == 16


@needs_fork
def test_a_quota_on_file_size_while_writing(tmp_path: Path) -> None:
    path = sample_atlas(tmp_path, [visualization("mixed1a", u) for u in range(4)])
    more = [visualization("mixed1a", u, size=256) for u in range(4, 16)]

    def work() -> str:
        import resource

        limit = path.stat().st_size + 100_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with AtlasWriter.open(path, MODEL, NODES) as writer:
            writer.put(more[:1])
            writer.put(more)
        return "no error"

    assert in_child(work).startswith("Unavailable: cannot write"), "one clear line"
    assert len(Atlas.open(path).tiles("mixed1a", "feature_vis", "channel")) in (4, 5)
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        writer.put(more)
    assert integrity(path) == "ok"
    assert len(Atlas.open(path).tiles("mixed1a", "feature_vis", "channel")) == 16
    assert [f.name for f in tmp_path.iterdir()] == ["tinynet.atlas"]


@needs_fork
@pytest.mark.parametrize("limit", [0, 1000, 70_000, 200_000])
def test_no_room_for_a_new_atlas_leaves_nothing(tmp_path: Path, limit: int) -> None:
    def work() -> str:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        AtlasWriter.open(tmp_path / "tinynet.atlas", MODEL, NODES).close()
        return "no error"

    assert in_child(work).startswith("Unavailable: cannot write")
    assert list(tmp_path.iterdir()) == []


@needs_fork
def test_no_room_for_a_compact_copy(tmp_path: Path) -> None:
    path = sample_atlas(tmp_path)

    def work() -> str:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        compact(path, tmp_path / "copy.atlas")
        return "no error"

    answer = in_child(work)
    assert answer.startswith("Unavailable: cannot write")
    assert "copy.atlas" in answer
    assert [f.name for f in tmp_path.iterdir()] == ["tinynet.atlas"]


@needs_fork
def test_a_folder_one_may_not_write_to(open_folder: Path) -> None:
    path = sample_atlas(open_folder)
    path.chmod(0o444)
    open_folder.chmod(0o555)

    def write() -> str:
        AtlasWriter.open(path, MODEL, NODES).close()
        return "no error"

    def read() -> str:
        atlas = Atlas.open(path)
        tiles = atlas.tiles("mixed1a", "feature_vis", "channel")
        picture = atlas.picture(tiles[0].digest)
        return f"{len(tiles)} tiles, {picture is not None and picture.mime}"

    answer = in_child(as_nobody(write))
    assert answer.startswith("Unavailable: cannot write in")
    assert "--atlas" in answer
    assert in_child(as_nobody(read)) == "16 tiles, image/png"


@needs_fork
@pytest.mark.parametrize("format", OLDER)
def test_an_older_version_in_a_folder_one_may_not_write_to(open_folder: Path, format: str) -> None:
    path = rewrite(sample_atlas(open_folder), format)
    path.chmod(0o444)
    open_folder.chmod(0o555)

    def read() -> str:
        atlas = Atlas.open(path)
        tiles = atlas.tiles("mixed1a", "feature_vis", "channel")
        return f"{len(tiles)} tiles, {len(atlas.counts())} counts"

    assert in_child(as_nobody(read)) == "16 tiles, 8 counts"
    assert [f.name for f in open_folder.iterdir()] == ["tinynet.atlas"]


@needs_fork
@pytest.mark.parametrize("format", OLDER)
def test_a_quota_on_file_size_while_bringing_it_up_to_date(tmp_path: Path, format: str) -> None:
    path = rewrite(sample_atlas(tmp_path), format)
    before = Atlas.open(path).counts()

    def work() -> str:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        AtlasWriter.open(path, MODEL, NODES).close()
        return "no error"

    assert in_child(work).startswith("Unavailable: cannot write")
    assert Atlas.open(path).counts() == before
    assert integrity(path) == "ok"
    AtlasWriter.open(path, MODEL, NODES).close()
    assert Atlas.open(path).counts() == before
    assert [f.name for f in tmp_path.iterdir()] == ["tinynet.atlas"]


@needs_fork
def test_a_file_one_may_not_write_or_read(open_folder: Path) -> None:
    path = sample_atlas(open_folder)
    open_folder.chmod(0o777)

    def write() -> str:
        AtlasWriter.open(path, MODEL, NODES).close()
        return "no error"

    def problems() -> str:
        return "; ".join(p.message for p in Library([open_folder]).problems)

    path.chmod(0o444)
    assert in_child(as_nobody(write)).startswith("Unavailable: no access to")
    path.chmod(0o000)
    assert "no access to" in in_child(as_nobody(problems))
    path.chmod(0o644)
    assert in_child(as_nobody(problems)) == ""
    assert [f.name for f in open_folder.iterdir()] == ["tinynet.atlas"]


@needs_fork
def test_a_file_left_in_write_ahead_mode_on_a_read_only_disk(open_folder: Path) -> None:
    """Whole without its log: it is read. With a log that cannot be recovered: it says so."""
    path = sample_atlas(open_folder)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("UPDATE model SET summary = 'new'")
    connection.commit()
    log = path.with_name(path.name + "-wal").read_bytes()
    connection.close()

    def read() -> str:
        return Atlas.open(path).model.id

    open_folder.chmod(0o555)
    assert in_child(as_nobody(read)) == "tinynet"
    open_folder.chmod(0o755)
    path.with_name(path.name + "-wal").write_bytes(log)
    open_folder.chmod(0o555)
    answer = in_child(as_nobody(read))
    assert answer.startswith("Unavailable: ")
    assert "left in the middle of a write" in answer
