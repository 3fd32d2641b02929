"""Bringing an atlas of an older version up to date, in one transaction."""

import re
import sqlite3

from micrograph.atlas.format import VERSION, schema

_NEW_IN_2 = ("array", "dataset", "sample")


def upgrade(connection: sqlite3.Connection) -> None:
    """Version 1 to 2: new tables, and visualizations without a picture become possible.

    Does nothing to an atlas that is up to date. `connection` is in autocommit mode.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version >= VERSION:
        return
    tables = {
        match[1]: match[0] for match in re.finditer(r"CREATE TABLE (\w+) .*?;\n", schema(), re.S)
    }
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("ALTER TABLE visualization RENAME TO visualization_1")
        connection.execute(tables["visualization"])
        connection.execute("INSERT INTO visualization SELECT * FROM visualization_1")
        connection.execute("DROP TABLE visualization_1")
        for name in _NEW_IN_2:
            connection.execute(tables[name])
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
