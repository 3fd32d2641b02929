"""The file of an index: opened, checked, made anew, asked and written to."""

import json
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from micrograph.atlas.keeping import Row, States
from micrograph.atlas.read import match_query
from micrograph.atlas.rows import KINDS
from micrograph.atlas.scan import State

APPLICATION_ID = 0x4D475249
"""The letters MGRI, at byte 68 of the file."""
VERSION = 1
_PATIENCE = 0.1
"""Seconds to wait for another process; then the atlases are read."""
_CACHE_KIB = 256
"""Pages of the file that are held in memory."""
_ROWS = 24
_FILES = 24
"""Bits for the number of a row in its file, and of a file. Together with the kind they make the id
of a row in the full-text index, so that one walk along it can go from file to file."""
_MOST = 5000
"""Rows that one search looks at. Where there are more, the first files have more than enough."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (
  id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS kept (
  file INTEGER NOT NULL REFERENCES file, name TEXT NOT NULL, checksum INTEGER NOT NULL,
  value BLOB NOT NULL, UNIQUE (file, name)
);
CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5 (
  text, node UNINDEXED, unit UNINDEXED, tokenize = "unicode61 remove_diacritics 2"
);
"""


class Foreign(Exception):
    """The file is a database of another program: it is left alone."""


class Store:
    """One connection to the file. Raises sqlite3.Error, or OSError, for whatever goes wrong."""

    def __init__(self, path: Path) -> None:
        """Opens the file; one of another version, or damaged, is deleted and made anew."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        try:
            self._connection = _open(path)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
            self._connection = _open(path)
        self._inode = os.stat(path).st_ino
        self._last: tuple[States, tuple[int, int], list[tuple[Path, int]]] | None = None

    @property
    def is_there(self) -> bool:
        """Whether the file that was opened still lies in its place."""
        try:
            return os.stat(self.path).st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        self._connection.close()

    def states(self, names: Collection[str]) -> dict[str, State | None]:
        """Every file that is known, in which state; None where a value of these names is lacking:
        another version of this program read it."""
        rows = self._connection.execute(
            "SELECT path, state, (SELECT count(*) FROM kept WHERE file = file.id "
            "AND name IN (SELECT value FROM json_each(?))) FROM file",
            (json.dumps(list(names)),),
        )
        return {
            path: tuple(json.loads(state)) if there == len(names) else None
            for path, state, there in rows
        }

    def value(self, path: Path, state: State, name: str) -> bytes | None:
        """What is kept of a file in a state; None if nothing is, or what is was altered."""
        row = self._connection.execute(
            "SELECT checksum, value FROM kept WHERE name = ? "
            "AND file = (SELECT id FROM file WHERE path = ? AND state = ?)",
            (name, path_key(path), json.dumps(state)),
        ).fetchone()
        return row[1] if row and zlib.crc32(row[1]) == row[0] else None

    def hits(self, files: States, text: str, kind: str) -> dict[Path, tuple[Row, ...]]:
        """As `Index.hits`."""
        connection = self._connection
        connection.execute("BEGIN")  # one moment for both questions
        try:
            ids = self._known(files)
            found, end = self._found(match_query(text), KINDS.index(kind))
        finally:
            connection.execute("ROLLBACK")
        rows = ((path, found.get(id, ())) for path, id in ids if id < end)
        return {path: there for path, there in rows if there is not None}

    def _known(self, files: States) -> list[tuple[Path, int]]:
        """Those of `files` that are known as they are, with their ids."""
        (foreign,) = self._connection.execute("PRAGMA data_version").fetchone()
        now = (foreign, self._connection.total_changes)
        if self._last is None or self._last[0] is not files or self._last[1] != now:
            there = {
                (path, state): id
                for id, path, state in self._connection.execute("SELECT id, path, state FROM file")
            }
            keys = ((path, (path_key(path), json.dumps(state))) for path, state in files.items())
            self._last = (files, now, [(path, there[key]) for path, key in keys if key in there])
        return self._last[2]

    def _found(self, query: str, kind: int) -> tuple[dict[int, tuple[Row, ...] | None], int]:
        """The files that have rows of the kind, by id: the row, or None for several; and the id
        from which on it was not looked."""
        if not query:
            return {}, 1 << _FILES
        rows = self._connection.execute(
            "SELECT rowid FROM search WHERE search MATCH ? AND rowid >= ? AND rowid < ? "
            "ORDER BY rowid LIMIT ?",
            (query, _row(kind, 0, 0), _row(kind + 1, 0, 0), _MOST),
        ).fetchall()
        files: dict[int, list[int]] = {}
        for (row,) in rows:
            files.setdefault((row >> _ROWS) & ((1 << _FILES) - 1), []).append(row)
        end = max(files) if len(rows) == _MOST else 1 << _FILES
        return {
            file: (self._at(there[0]),) if len(there) == 1 else None
            for file, there in files.items()
        }, end

    def _at(self, row: int) -> Row:
        found: Row = self._connection.execute(
            "SELECT node, unit, text FROM search WHERE rowid = ?", (row,)
        ).fetchone()
        return found

    def put(
        self,
        path: Path,
        state: State,
        rows: Sequence[tuple[str, Row]],
        values: Mapping[str, bytes],
    ) -> bool:
        """Store a file's rows for searches, each with its kind, and its values. Returns True."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._forget(path)
            (id,) = connection.execute(
                "INSERT INTO file (path, state) VALUES (?, ?) RETURNING id",
                (path_key(path), json.dumps(state)),
            ).fetchone()
            connection.executemany(
                "INSERT INTO search (rowid, node, unit, text) VALUES (?, ?, ?, ?)",
                ((_row(KINDS.index(kind), id, n), *row) for n, (kind, row) in enumerate(rows)),
            )
            connection.executemany(
                "INSERT INTO kept (file, name, checksum, value) VALUES (?, ?, ?, ?)",
                ((id, name, zlib.crc32(value), value) for name, value in values.items()),
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return True

    def forget(self, paths: Iterable[Path]) -> None:
        """Files that are no longer there."""
        for path in paths:
            self._forget(path)

    def _forget(self, path: Path) -> None:
        connection = self._connection
        row = connection.execute("SELECT id FROM file WHERE path = ?", (path_key(path),)).fetchone()
        if row is None:
            return
        for kind in range(len(KINDS)):
            connection.execute(
                "DELETE FROM search WHERE rowid >= ? AND rowid < ?",
                (_row(kind, row[0], 0), _row(kind, row[0] + 1, 0)),
            )
        connection.execute("DELETE FROM kept WHERE file = ?", row)
        connection.execute("DELETE FROM file WHERE id = ?", row)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is of no use; not, if it only cannot be had now."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def is_busy(error: Exception) -> bool:
    """Whether another process holds the file."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=_PATIENCE, check_same_thread=False
    )
    try:
        # What a crash of the machine may leave is found out and made anew.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        (id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and id != APPLICATION_ID:
            raise Foreign(f"{path} is a database of something else")
        if tables and version != VERSION:
            connection.close()
            path.unlink()
            return _open(path)
        if not tables:
            connection.executescript(
                f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; "
                f"PRAGMA user_version = {VERSION}; {_SCHEMA} COMMIT;"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _row(kind: int, file: int, number: int) -> int:
    return (kind << (_FILES + _ROWS)) + (file << _ROWS) + number


def path_key(path: Path) -> str:
    """How a file is called in the index."""
    return str(path) if path.is_absolute() else os.path.abspath(path)
