"""The file of a writer: made, opened, and folded back into one plain file."""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from micrograph.atlas.dictionaries import write_dictionaries
from micrograph.atlas.format import (
    APPLICATION_ID,
    PAGE_SIZE,
    check,
    explain,
    reading,
)
from micrograph.atlas.graph import read_graph, write_graph
from micrograph.atlas.place import fresh_atlas
from micrograph.atlas.records import DictionaryRecord, ModelRecord, NodeRecord
from micrograph.atlas.versions import VERSION, schema, upgrade
from micrograph.errors import Conflict

_LOG_PAGES = 128
"""Pages in the write-ahead log before it is folded back: 4 MB."""
_PATIENCE = 5.0
"""Seconds to wait for readers when folding back for good."""


def create(
    path: Path,
    model: ModelRecord,
    nodes: Sequence[NodeRecord],
    dictionaries: Sequence[DictionaryRecord],
) -> None:
    """Make an atlas without pictures under another name and move it: no reader ever finds half a
    file, and after an error there is none."""
    try:
        with (
            fresh_atlas(path) as fresh,
            closing(sqlite3.connect(fresh, isolation_level=None)) as connection,
        ):
            connection.execute("PRAGMA journal_mode = OFF")  # nothing to go back to
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.executescript(f"BEGIN; {schema()}")
            write_graph(connection, model, nodes)
            if dictionaries:
                write_dictionaries(connection, dictionaries)
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise explain(error, path) from error


def connect(path: Path, model: ModelRecord) -> sqlite3.Connection:
    """Open for writing, in write-ahead mode, so that readers are not kept waiting.

    Raises Conflict, with the file untouched, when it was made from other weights than `model`'s.
    """
    check(path)
    with reading(path) as reader:
        there, _ = read_graph(reader, path)
    if (there.id, there.digest) != (model.id, model.digest):
        raise Conflict(
            f"{path} is an atlas of {there.id} with weights {there.digest[:12]}, not of {model.id} "
            f"with weights {model.digest[:12]}; choose another folder with --atlas"
        )
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=10, check_same_thread=False
        )
        try:
            # First, so that a killed upgrade leaves a log, in which a reader ignores what was not
            # committed; a rollback journal would have to be played back, which it may not do.
            connection.execute("PRAGMA journal_mode = WAL")
            _upgrade(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise explain(error, path) from error
    return connection


def _upgrade(connection: sqlite3.Connection) -> None:
    """Bring it up to date, or leave one plain file as it was."""
    try:
        upgrade(connection)
    except BaseException:
        with suppress(sqlite3.Error):
            fold(connection)
        raise


def fold(connection: sqlite3.Connection) -> None:
    """Leave write-ahead mode, so that one plain file remains; give up quietly where readers hold
    the file all the time: it is whole all the same, and the next writer folds it."""
    deadline = time.monotonic() + _PATIENCE
    connection.execute("PRAGMA busy_timeout = 100")
    while not _fold_once(connection) and time.monotonic() < deadline:
        time.sleep(0.005)


def _fold_once(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        return False
    return str(mode) == "delete"
