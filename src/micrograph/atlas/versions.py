"""The versions of the format: a writer brings an older file up to date, a reader takes it as it is.

Version N is made of version N - 1 by `migrations/N.sql`; `schema.sql` makes what all of them
together give. A reader changes nothing in an older file: it lays `overlays/N.sql` over it,
temporary views and empty tables that are gone with its connection, so that today's questions have
an answer.
"""

import sqlite3
from functools import cache
from pathlib import Path

VERSION = 3
READABLE = (1, 2, 3)
"""What each brought is said in its migration."""

_HERE = Path(__file__).parent


def schema() -> str:
    """The SQL that makes an empty atlas."""
    return (_HERE / "schema.sql").read_text(encoding="utf-8")


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring an atlas up to date, in one transaction; one that is stays untouched.

    `connection` is in autocommit mode. Whatever goes wrong (no room, a kill) leaves the file in the
    version that it had.
    """
    version = version_of(connection)
    if version >= VERSION:
        return
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE; {_steps('migrations', version)} PRAGMA user_version = {VERSION};"
        )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def view_as_newest(connection: sqlite3.Connection) -> None:
    """Make an older atlas read like one of today, for this connection alone."""
    version = version_of(connection)
    if version < VERSION:
        connection.executescript(f"PRAGMA temp_store = MEMORY; {_steps('overlays', version)}")


def version_of(connection: sqlite3.Connection) -> int:
    """The version of an open atlas. Raises sqlite3.DatabaseError for one that never was; newer ones
    are refused before a file is opened (`format.check`)."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < min(READABLE):
        raise sqlite3.DatabaseError(f"there is no atlas format {version}")
    return int(version)


@cache
def _steps(folder: str, version: int) -> str:
    """The SQL of every step that follows `version`."""
    files = (_HERE / folder / f"{n:04}.sql" for n in range(version + 1, VERSION + 1))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
