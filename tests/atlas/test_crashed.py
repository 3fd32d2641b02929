"""What a killed writer leaves: read as it was committed, or refused in a line; never half of it."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from samples import MODEL, NODES, visualization
from unprivileged import as_nobody, in_child

from micrograph.atlas import Atlas, AtlasWriter, Library, compact, copy
from micrograph.cli import main

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

UNITS = range(4)


def killed(folder: Path, work: Callable[[Path], None] = lambda path: None) -> Path:
    """An atlas whose writer was killed after its first batch, and after `work`."""
    path = folder / "tinynet.atlas"
    child = os.fork()
    if child == 0:
        try:
            writer = AtlasWriter.open(path, MODEL, NODES)
            writer.put(visualization("mixed1a", unit) for unit in UNITS)
            work(path)
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    path.with_name("tinynet.atlas.lock").unlink()
    return path


def with_log(folder: Path) -> Path:
    """All of the first batch lies in the log; the index of the log is not there."""
    path = killed(folder)
    path.with_name("tinynet.atlas-shm").unlink()
    assert path.with_name("tinynet.atlas-wal").stat().st_size > 0
    return path


def with_journal(folder: Path) -> Path:
    """All scores are overwritten in the file, by a transaction that never ended."""
    with AtlasWriter.open(folder / "tinynet.atlas", MODEL, NODES) as writer:
        writer.put(visualization("mixed1a", unit) for unit in UNITS)

    def half(path: Path) -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE visualization SET score = score + 1000")
        connection.execute(
            "CREATE TABLE much AS WITH RECURSIVE n (i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
            "SELECT i, randomblob(1000) FROM n"
        )
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            half(folder / "tinynet.atlas")
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert (folder / "tinynet.atlas-journal").stat().st_size > 0
    return folder / "tinynet.atlas"


def scores(path: Path) -> list[float]:
    atlas = Atlas.open(path)
    return [v.score for unit in UNITS for v in atlas.visualizations("mixed1a", unit)]


@pytest.mark.parametrize("crash", [with_log, with_journal])
def test_what_was_committed_is_read_where_it_can_be_put_right(tmp_path: Path, crash) -> None:
    path = crash(tmp_path)
    assert scores(path) == [visualization("mixed1a", unit).score for unit in UNITS]
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        assert writer.put(visualization("mixed1a", unit) for unit in range(6)) == 2
    assert [f.name for f in tmp_path.iterdir()] == ["tinynet.atlas"]


@pytest.mark.parametrize("crash", [with_log, with_journal])
def test_where_it_cannot_every_command_says_so(
    open_folder: Path,
    tmp_path: Path,
    crash,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (open_folder / "crashed").mkdir()
    (open_folder / "new").mkdir()
    (open_folder / "new").chmod(0o777)
    path, new = crash(open_folder / "crashed"), open_folder / "new" / "x.atlas"
    for file in path.parent.iterdir():
        file.chmod(0o444)
    path.parent.chmod(0o555)
    commands = [
        f"atlas info {path}",
        f"atlas verify {path}",
        f"atlas repair {path} -o {new}",
        f"atlas compact {path} -o {new}",
        f"atlas merge {path} {path} -o {new}",
        f"atlas extract {path} -o {new} -n mixed1a",
    ]
    healthy = copied(path, tmp_path)  # also so that all is imported that nobody may not read
    assert main(["atlas", "info", str(healthy)]) == 0
    assert main(["atlas", "verify", str(healthy)]) == 0
    assert main(["atlas", "compact", str(healthy), "-o", str(tmp_path / "y.atlas")]) == 0
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    for command in commands:
        capfd.readouterr()
        assert in_child(as_nobody(lambda c=command: str(main(c.split())))) == "2", command
        (line,) = capfd.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert "left in the middle of a write" in line, command
        assert list(new.parent.iterdir()) == []
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before

    def problems() -> str:
        return " ".join(p.message for p in Library([path.parent]).problems)

    def write() -> str:
        AtlasWriter.open(path, MODEL, NODES).close()
        return "no error"

    assert "left in the middle of a write" in in_child(as_nobody(problems))
    assert in_child(as_nobody(write)).startswith("Unavailable: cannot write in")


def copied(path: Path, folder: Path) -> Path:
    """What the message says: all files of that name, where one may write."""
    for file in path.parent.iterdir():
        shutil.copyfile(file, folder / file.name)
    assert scores(folder / path.name) == [visualization("mixed1a", unit).score for unit in UNITS]
    return folder / path.name


@pytest.mark.parametrize("make", ["writer", "copy", "compact"])
def test_the_log_of_a_deleted_atlas_gets_into_no_other(tmp_path: Path, make: str) -> None:
    """SQLite takes a log for that of whatever file lies beside it."""
    path = killed(tmp_path)
    path.unlink()
    assert path.with_name("tinynet.atlas-wal").stat().st_size > 0
    other = tmp_path / "other.atlas"
    with AtlasWriter.open(other, MODEL, NODES) as writer:
        writer.put([visualization("mixed1a", 9)])
    if make == "writer":
        AtlasWriter.open(path, MODEL, NODES).close()
    elif make == "copy":
        copy([other], path)
    else:
        compact(other, path)
    found = Atlas.open(path)
    there = [unit for unit in range(16) if found.visualizations("mixed1a", unit)]
    assert there == ([] if make == "writer" else [9])
    assert sorted(f.name for f in tmp_path.iterdir()) == ["other.atlas", "tinynet.atlas"]
