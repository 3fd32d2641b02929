"""Atlases of older versions: read as they are, brought up to date with nothing lost."""

import hashlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from older_atlases import OLDER, rewrite, tables
from samples import MODEL, NODES, picture, sample_atlas, visualization

from micrograph.atlas import (
    Atlas,
    AtlasWriter,
    DatasetRecord,
    SampleRecord,
    Visualization,
    compact,
)
from micrograph.atlas.versions import VERSION, upgrade
from micrograph.errors import BadInput, Unavailable

CHECK = re.compile(r"CHECK \((?:[^()]|\([^()]*\))*\)")
TOWN = DatasetRecord("town", "cd" * 32, "Town", 10, 32, "CC0", ("car", "bus"))


def full_atlas(folder: Path) -> Path:
    """With pictures alone where version 1 can hold nothing else."""
    return sample_atlas(folder, [visualization("mixed1a", u) for u in range(16)])


@pytest.fixture(params=OLDER)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = full_atlas(tmp_path)
    if request.param != "1":
        with AtlasWriter.open(path, MODEL, NODES) as writer:
            writer.put_samples(TOWN, [SampleRecord(5, "five", 1, picture(5))])
            writer.put([visualization("mixed1b", None)])
    return rewrite(path, request.param)


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def answers(path: Path) -> list[Any]:
    """What an atlas answers to every question."""
    atlas = Atlas.open(path)
    sampled = [atlas.samples(d.digest, range(d.pictures)) for d in atlas.datasets()]
    found: list[Any] = [atlas.model, atlas.nodes, atlas.dictionaries, atlas.counts()]
    found += [atlas.rendered(), atlas.datasets(), sampled, atlas.search("car")]
    for node in atlas.nodes:
        found += [atlas.visualizations(node, unit) for unit in (None, 0, 3)]
    for count in atlas.counts():
        about = (count.technique, count.variant)
        found += [atlas.tiles(count.node, *about), atlas.results(count.node, *about)]
        for unit in (None, 0, 3):
            arrays = atlas.arrays(count.node, unit, *about)
            found.append({name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()})
    return found


def schema(path: Path) -> dict[str, Any]:
    """Every table by name: its columns in order, keys, checks, and what it refers to."""
    with closing(sqlite3.connect(path)) as connection:

        def ask(name: str, about: str) -> list[tuple[Any, ...]]:
            return connection.execute(f"SELECT * FROM pragma_{name}(?)", [about]).fetchall()

        found: dict[str, Any] = {}
        for table in tables(connection):
            indices = ask("index_list", table)
            sql, *kind = connection.execute(
                "SELECT sql, l.type, wr, strict FROM sqlite_schema "
                "JOIN pragma_table_list l USING (name) WHERE name = ?",
                [table],
            ).fetchone()
            found[table] = {
                "kind": kind,
                "columns": ask("table_xinfo", table),
                "refers": ask("foreign_key_list", table),
                "indices": {name: (how, ask("index_xinfo", name)) for _, name, *how in indices},
                "checks": CHECK.findall(sql),
            }
        where = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql > ''"
        return found | dict(connection.execute(where).fetchall())


def test_they_are_read_as_they_are(older: Path) -> None:
    before = older.read_bytes()
    found = answers(older)
    atlas = Atlas.open(older)
    assert len(atlas.tiles("mixed1a", "feature_vis", "channel")) == 16
    assert atlas.nodes["mixed1a"].worth is None
    assert atlas.datasets() == ([TOWN] if before[63] > 1 else [])
    assert older.read_bytes() == before
    assert [f.name for f in older.parent.iterdir()] == [older.name]
    AtlasWriter.open(older, MODEL, NODES).close()
    assert version(older) == VERSION
    assert answers(older) == found


def test_brought_up_to_date_they_are_what_a_fresh_file_is(older: Path, tmp_path: Path) -> None:
    AtlasWriter.open(older, MODEL, NODES).close()
    fresh = sample_atlas(tmp_path / "fresh", [])
    assert schema(older) == schema(fresh)
    with closing(sqlite3.connect(older)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert sorted(f.name for f in tmp_path.iterdir()) == ["fresh", older.name]


def test_a_writer_goes_on_in_them(older: Path) -> None:
    array = np.arange(3, dtype=np.int16)
    recipe = {"technique": "tuning", "view": "hue", "seed": 0}
    with AtlasWriter.open(older, MODEL, NODES) as writer:
        more = Visualization("mixed1a", 3, recipe, 1.0, None, arrays={"profile": array})
        assert writer.put([visualization("mixed1a", 3), more]) == 1
    found = Atlas.open(older).arrays("mixed1a", 3, "tuning", "hue")
    np.testing.assert_array_equal(found["profile"], array)


def test_digests_of_arrays_come_with_the_writer_that_knows_them(older: Path) -> None:
    arrays = {"low": np.arange(3, dtype=">f4"), "high": np.ones((2, 2), np.uint8)}
    recipe = {"technique": "tuning", "view": "hue", "seed": 0}
    with AtlasWriter.open(older, MODEL, NODES) as writer:
        writer.put([Visualization("mixed1a", 3, recipe, 1.0, None, arrays=arrays)])
    with closing(sqlite3.connect(older)) as connection:
        found = connection.execute("SELECT name, data, digest FROM array ORDER BY name").fetchall()
    assert [name for name, *_ in found] == ["high", "low"]
    for _, data, digest in found:
        assert digest == hashlib.sha256(data).digest()


def test_a_compact_copy_keeps_the_version(older: Path) -> None:
    target = older.with_name("copy")
    compact(older, target)
    assert version(target) == version(older)
    assert answers(target) == answers(older)


def test_a_version_that_never_was_is_a_clear_error_also_of_an_open_file(older: Path) -> None:
    atlas = Atlas.open(older)
    with closing(sqlite3.connect(older)) as connection:
        connection.execute("PRAGMA user_version = 0")
    with pytest.raises(BadInput, match="damaged"):
        atlas.counts()


def test_a_variant_without_a_name_is_read(older: Path) -> None:
    """Nothing kept writers from storing one."""
    with closing(sqlite3.connect(older)) as connection, connection:
        connection.execute("UPDATE recipe SET variant = ''")
    assert [v.variant for v in Atlas.open(older).visualizations("mixed1a", 3)] == [""]


def test_every_version_that_was_can_be_read() -> None:
    """The steps are numbered without a gap, a migration and an overlay each."""
    from micrograph.atlas import versions

    assert (*range(1, VERSION + 1),) == versions.READABLE
    for folder in ("migrations", "overlays"):
        files = sorted(f.name for f in (Path(versions.__file__).parent / folder).iterdir())
        assert files == [f"{n:04}.sql" for n in range(2, VERSION + 1)]


WRITTEN_THEN = sorted((Path(__file__).parents[1] / "twins" / "atlases").glob("*.atlas"))


@pytest.mark.parametrize("file", WRITTEN_THEN, ids=lambda path: path.stem)
def test_what_older_code_wrote_answers_as_before(file: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(file, tmp_path))
    found = answers(path)
    assert Atlas.open(path).counts()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        upgrade(connection)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert version(path) == VERSION
    assert answers(path) == found


def test_no_room_for_bringing_it_up_to_date_leaves_it_as_it_was(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own limit on pages gives the very error of a full disk."""
    found, before = answers(older), older.read_bytes()
    real = sqlite3.connect

    def cramped(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = real(*args, **options)
        if "isolation_level" in options:  # the writer's
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", cramped)
        with pytest.raises(Unavailable, match="disk is full"):
            AtlasWriter.open(older, MODEL, NODES)
    assert version(older) == before[63]
    assert answers(older) == found
    assert [f.name for f in older.parent.iterdir()] == [older.name]
    AtlasWriter.open(older, MODEL, NODES).close()
    assert version(older) == VERSION


KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from samples import MODEL, NODES
from micrograph.atlas import AtlasWriter
path, limit = Path(sys.argv[1]), int(sys.argv[2])
real = sqlite3.connect

def connect(*args, **options):
    connection = real(*args, **options)
    if "isolation_level" in options:
        steps = 0
        def die():
            nonlocal steps
            steps += 1
            if steps == limit:
                os.kill(os.getpid(), signal.SIGKILL)
        connection.execute("PRAGMA cache_size = 1")  # written out as early as can be
        connection.set_progress_handler(die, 20)
    return connection

sqlite3.connect = connect
AtlasWriter.open(path, MODEL, NODES)
print("not killed")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_in_the_middle_it_is_what_it_was(tmp_path: Path) -> None:
    """Killed at many places: always a whole file of the old version or of the new one."""
    whole = rewrite(full_atlas(tmp_path), "1")
    found = answers(whole)
    helpers = Path(__file__).parents[1] / "helpers"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(helpers)])}
    seen: list[int] = []
    for limit in (1, 20, 60, 100, 140, 180, 220):
        folder = tmp_path / str(limit)
        folder.mkdir()
        path = Path(shutil.copy(whole, folder))
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(path), str(limit)], env=env, capture_output=True
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        assert answers(path) == found
        seen.append(version(path))
        AtlasWriter.open(path, MODEL, NODES).close()
        assert version(path) == VERSION
        assert answers(path) == found
        assert [f.name for f in folder.iterdir()] == [path.name]
    assert seen[0] == 1
    assert seen.count(1) > 2
