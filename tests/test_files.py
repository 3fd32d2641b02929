"""Files that are whole under their name: what killed writers leave, and writers side by side."""

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from micrograph import files
from micrograph.errors import Conflict, Unavailable
from micrograph.files import fresh_file, locked, write_atomically

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(autouse=True)
def as_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_cleaned", set())
    monkeypatch.setattr(files, "PATIENCE", 0.2)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


class Child:
    """A process that stops within a `fresh_file` of `target`, half of it written."""

    def __init__(self, target: Path) -> None:
        ready, said = os.pipe()
        go, self._go = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                with fresh_file(target) as fresh:
                    fresh.write_bytes(b"half")
                    os.write(said, b".")
                    os.read(go, 1)
                    fresh.write_bytes(b"of the child")
            finally:
                os._exit(0)
        os.read(ready, 1)
        for handle in (ready, said, go):
            os.close(handle)

    def finish(self) -> None:
        os.write(self._go, b".")
        os.waitpid(self.pid, 0)
        os.close(self._go)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._go)


def test_a_killed_writer_leaves_one_hidden_thing_that_the_next_removes(tmp_path: Path) -> None:
    for _ in range(3):
        Child(tmp_path / "x").kill()
    assert names(tmp_path) == [f".x{files.UNFINISHED}"]
    write_atomically(tmp_path / "x", [b"whole"])
    assert names(tmp_path) == ["x"]
    assert (tmp_path / "x").read_bytes() == b"whole"


def test_so_does_who_writes_another_file_there(tmp_path: Path) -> None:
    Child(tmp_path / "x").kill()
    (tmp_path / f".y{files.UNFINISHED}").mkdir()  # killed at the very beginning
    (tmp_path / ".z.new").mkdir()  # of somebody else
    write_atomically(tmp_path / "other", [b"whole"])
    assert names(tmp_path) == [".z.new", "other"]


def test_what_another_process_writes_is_left_alone(tmp_path: Path) -> None:
    child = Child(tmp_path / "x")
    write_atomically(tmp_path / "other", [b"whole"])
    with pytest.raises(Conflict, match="being written by another process"):
        write_atomically(tmp_path / "x", [b"ours"])
    child.finish()
    assert names(tmp_path) == ["other", "x"]
    assert (tmp_path / "x").read_bytes() == b"of the child"
    write_atomically(tmp_path / "x", [b"ours"])
    assert (tmp_path / "x").read_bytes() == b"ours"


def test_many_at_once_end_with_one_of_them_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE", 60)
    children = []
    for number in range(6):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for _ in range(10):
                    write_atomically(tmp_path / "x", [bytes([number]) * 50_000] * 2)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    assert names(tmp_path) == ["x"]
    found = (tmp_path / "x").read_bytes()
    assert found in {bytes([number]) * 100_000 for number in range(6)}


@pytest.mark.parametrize("early", [True, False])
def test_a_file_that_is_there_is_kept_where_it_is_to_be_new(tmp_path: Path, early: bool) -> None:
    target = tmp_path / "x"
    if early:
        target.write_bytes(b"before")

    def write() -> None:
        with fresh_file(target, replaces=False) as fresh:
            fresh.write_bytes(b"new")
            target.write_bytes(b"before")

    with pytest.raises(Conflict, match="is there already"):
        write()
    assert target.read_bytes() == b"before"
    assert names(tmp_path) == ["x"]


def fail(fresh: Path) -> None:
    raise OSError(28, "No space left on device")


def write_nothing(fresh: Path) -> None:
    assert not fresh.exists()


@pytest.mark.parametrize("work", [fail, write_nothing])
def test_what_fails_changes_nothing(tmp_path: Path, work: Callable[[Path], None]) -> None:
    (tmp_path / "x").write_bytes(b"before")
    with pytest.raises(Unavailable, match="cannot write"), fresh_file(tmp_path / "x") as fresh:
        work(fresh)
    assert names(tmp_path) == ["x"]
    assert (tmp_path / "x").read_bytes() == b"before"


def test_a_lock_is_of_the_file_that_lies_there(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(FileNotFoundError):
        locked(path, make=False)
    first = locked(path)
    assert first is not None
    assert locked(path) is None
    path.unlink()
    second = locked(path)
    assert second is not None, "the first holds a file that is no more"
    os.close(first)
    assert locked(path) is None
    os.close(second)
