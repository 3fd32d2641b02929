"""Who may write an atlas, and who goes first."""

import os
import threading
import time
from pathlib import Path

import pytest

from micrograph.atlas.lock import WriterLock
from micrograph.errors import Conflict


def in_thread(*given: object) -> tuple[threading.Thread, list[WriterLock]]:
    """A thread that waits for the lock, and the lock once it has it."""
    got: list[WriterLock] = []
    thread = threading.Thread(target=lambda: got.append(WriterLock(*given)))  # type: ignore[arg-type]
    thread.start()
    return thread, got


def until(condition, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    first = WriterLock(tmp_path / "a.atlas")
    with pytest.raises(Conflict, match="being written by another process"):
        WriterLock(tmp_path / "a.atlas")
    assert not first.is_wanted
    first.release()
    WriterLock(tmp_path / "a.atlas").release()
    assert not list(tmp_path.iterdir())


def test_one_that_makes_way_hears_of_another_and_comes_after_it(tmp_path: Path) -> None:
    target = tmp_path / "a.atlas"
    tour = WriterLock(target, makes_way=True)
    assert not tour.is_wanted
    reader, got = in_thread(target)
    until(lambda: tour.is_wanted)
    assert not got
    tour.release()
    again, later = in_thread(target, True)
    reader.join(10)
    assert got and not got[0].is_wanted
    time.sleep(0.3)
    assert not later, "the tour waits while somebody else writes"
    got[0].release()
    again.join(10)
    assert later and not later[0].is_wanted
    later[0].release()
    assert not list(tmp_path.iterdir())


def test_who_died_while_waiting_is_forgotten(tmp_path: Path) -> None:
    target = tmp_path / "a.atlas"
    wanted = tmp_path / "a.atlas.wanted"
    wanted.touch()
    long_ago = time.time() - 60
    os.utime(wanted, (long_ago, long_ago))
    tour = WriterLock(target, makes_way=True)
    assert not tour.is_wanted
    tour.release()


def test_what_a_dead_writer_said_of_itself_does_not_count(tmp_path: Path) -> None:
    target = tmp_path / "a.atlas"
    (tmp_path / "a.atlas.lock").write_bytes(b"makes way\n")
    first = WriterLock(target)
    with pytest.raises(Conflict):
        WriterLock(target)
    first.release()
