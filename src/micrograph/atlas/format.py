"""The format of an atlas file, and the checks before anything is read from it."""

import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from pathlib import Path

from micrograph.atlas.kept_connections import (
    AtlasConnection,
    KeptConnections,
    connect_for_reading,
    plain_state,
)
from micrograph.atlas.versions import READABLE, VERSION, view_as_newest
from micrograph.errors import BadInput, DamagedAtlas, MicrographError, NotFound, Unavailable

APPLICATION_ID = 0x4D475241
"""The letters MGRA, at byte 68 of the file."""
PAGE_SIZE = 32768
"""Large pages: a row with a 3 kB picture would leave a quarter of a 4 kB page empty."""
SUFFIX = ".atlas"
SECONDS = 20.0
"""How long one question may take. Pages need milliseconds; a file can make a question of ours one
without an end, by views over itself, say."""
_STEPS = 50_000
"""Steps of SQLite's between two looks at the clock."""
_LONGEST_REASON = 300
_MOST_OPEN = 32
"""Files that one page holds open; a process may open about a thousand."""
_HEADER = 100
"""Bytes of SQLite's header, see https://www.sqlite.org/fileformat.html, section 1.3."""

_NO_ACCESS = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}


_CUT_SHORT = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}


def explain(error: sqlite3.Error, path: Path) -> MicrographError:
    """SQLite's error about `path` as one a user can act on."""
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR) and extended not in _CUT_SHORT:
        return Unavailable(
            f"cannot write {path} ({error}): the disk is full or over its quota; "
            "what was saved before is intact; free some space and run the same command again"
        )
    if code in _NO_ACCESS:
        return Unavailable(
            f"no access to {path} ({error}); check the permissions of the file and its folder"
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Unavailable(f"{path} is busy ({error}); try again in a moment")
    if code == sqlite3.SQLITE_INTERRUPT:
        return Unavailable(
            f"a question to {path} took longer than {SECONDS:.0f} seconds and was given up; "
            "render the model into a new atlas, if it always does"
        )
    if code == sqlite3.SQLITE_NOTADB:
        return not_an_atlas(path)
    return damaged(path, error)


def not_an_atlas(path: Path) -> BadInput:
    """The error for a file of another kind."""
    return BadInput(f"{path} is not an atlas; atlases are made by `micrograph render`")


def damaged(path: Path, why: object) -> DamagedAtlas:
    """The error for an atlas whose content makes no sense."""
    reason = " ".join(str(why).split())[:_LONGEST_REASON] or type(why).__name__
    return DamagedAtlas(
        f"{path} is damaged ({reason}); delete it or restore a copy, and render it again"
    )


@contextmanager
def reading(path: Path, seconds: float = SECONDS) -> Iterator[sqlite3.Connection]:
    """A short-lived read-only connection; whatever goes wrong with it comes out as MicrographError.

    Whatever: anybody may have written the file, so any exception on the way from its rows to
    records is the file's fault (JSON nested without end, numbers where texts belong), but for what
    the machine refuses. Nothing is answered after `seconds`.

    Connections are not kept but for pages (`one_connection_a_file`).
    """
    try:
        with _connection(path, seconds) as connection:
            yield connection
    except sqlite3.Error as error:
        raise explain(error, path) from error
    except MicrographError:
        raise
    except MemoryError as error:  # SQLite's word for it, too
        raise Unavailable(f"no memory is left to read {path}; the file is as it was") from error
    except OSError as error:
        place = error.filename or path
        raise Unavailable(f"cannot use {place}: {error.strerror or error}") from error
    except Exception as error:
        raise damaged(path, error) from error


_OPEN: ContextVar[dict[Path, AtlasConnection] | None] = ContextVar("open_atlases", default=None)

_KEPT = KeptConnections(8)


@contextmanager
def one_connection_a_file() -> Iterator[None]:
    """A context in which each file is opened once for all questions, until its end: a page asks a
    dozen. What it opened is kept for the next page, as long as the file stays as it is. For one
    thread."""
    opened: dict[Path, AtlasConnection] = {}
    token = _OPEN.set(opened)
    try:
        yield
    finally:
        _OPEN.reset(token)
        for path, connection in opened.items():
            _KEPT.give_back(path, connection)


@contextmanager
def _connection(path: Path, seconds: float) -> Iterator[sqlite3.Connection]:
    """One that is closed after this question, or kept for the next one of the same page."""
    opened = _OPEN.get()
    if opened is None:
        with closing(_connect(path, seconds)) as connection:
            yield connection
        return
    connection = opened.pop(path) if path in opened else _kept_or_opened(path, seconds)
    _limit(connection, seconds)
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
    # A question within a question has a connection of its own, of which one is kept.
    if len(opened) >= _MOST_OPEN or opened.setdefault(path, connection) is not connection:
        connection.close()


def _kept_or_opened(path: Path, seconds: float) -> AtlasConnection:
    kept = _KEPT.take(path)
    if kept is not None:
        return kept
    _KEPT.close_outdated()
    return _connect(path, seconds)


def _limit(connection: sqlite3.Connection, seconds: float) -> None:
    """No answer after so many seconds from now."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)


def _connect(path: Path, seconds: float) -> AtlasConnection:
    """Open for reading: beside a writer where there is one, else also on a read-only disk."""
    state = plain_state(path)
    uri = path.absolute().as_uri()
    try:
        return _connection_that_reads(f"{uri}?mode=ro", seconds, state)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _NO_ACCESS:
            raise
    if log_bytes(path):
        raise _left_half_written(path)
    if _bytes_beside(path, "-journal"):
        _undo_half_write(path, uri)
        return _connection_that_reads(f"{uri}?mode=ro", seconds)
    # A file that was not closed asks for a log beside it. Where none can be made (a read-only disk)
    # and none is there, the file itself is all there is, and whole.
    return _connection_that_reads(f"{uri}?mode=ro&immutable=1", seconds)


def _undo_half_write(path: Path, uri: str) -> None:
    """Let SQLite put back what a program that was killed had begun to overwrite: until then the
    file holds half of the old and half of the new. Raises Unavailable where it may not."""
    try:
        with closing(sqlite3.connect(f"{uri}?mode=rw", uri=True, timeout=10)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        raise _left_half_written(path) from None


def _left_half_written(path: Path) -> MicrographError:
    """The error for an atlas that has to be put right before it can be read, and cannot be."""
    return Unavailable(
        f"{path} was left in the middle of a write by a program that was killed, and to put that "
        f"right needs leave to write in {path.parent}; copy all files there whose names begin with "
        f"{path.name} into a folder that you may write to, and read it there"
    )


def _connection_that_reads(
    uri: str, seconds: float, state: tuple[int, ...] | None = None
) -> AtlasConnection:
    """A connection that has read something: SQLite opens files only then. Older versions read like
    today's. `state` is that of the file, where the connection may be kept."""
    connection = connect_for_reading(uri, state)
    _limit(connection, seconds)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        view_as_newest(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def log_bytes(path: Path) -> int:
    """Size of the write-ahead log beside `path`: what a writer has not folded back yet."""
    return _bytes_beside(path, "-wal")


def _bytes_beside(path: Path, ending: str) -> int:
    try:
        return path.with_name(path.name + ending).stat().st_size
    except OSError:
        return 0


def check(path: Path) -> None:
    """Look at the header, before SQLite does.

    Raises NotFound where there is no file, Unavailable without access, and BadInput unless it is
    an atlas of the version that this code reads, all there.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise not_an_atlas(path)  # to open a pipe would wait for ever
        with path.open("rb") as file:
            header = file.read(_HEADER)
            size = file.seek(0, 2)
    except FileNotFoundError as error:
        raise NotFound(f"there is no atlas at {path}; `micrograph render` makes one") from error
    except OSError as error:
        raise Unavailable(
            f"no access to {path} ({error.strerror}); check the permissions of the file and its "
            "folder"
        ) from error
    if not header.startswith(b"SQLite format 3\0") or _number(header, 68) != APPLICATION_ID:
        raise not_an_atlas(path)
    version = _number(header, 60)
    if version not in READABLE:
        remedy = "upgrade micrograph" if version > VERSION else "render it again"
        raise BadInput(
            f"{path} has atlas format {version}, this micrograph reads format {VERSION}; {remedy}"
        )
    whole = _number(header, 28) * _number(header, 16, 2)
    if size < whole and not log_bytes(path) and not _bytes_beside(path, "-journal"):
        raise BadInput(
            f"{path} is cut short: {size} of {whole} bytes are there; "
            "copy or download it again, or delete it and render it again"
        )


def _number(header: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(header[at : at + size], "big")
