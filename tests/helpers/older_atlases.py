"""Atlases as older versions wrote them, by the schemas of old in tests/atlas/formats."""

import sqlite3
from contextlib import closing
from pathlib import Path

from micrograph.atlas.format import APPLICATION_ID, PAGE_SIZE

FORMATS = Path(__file__).parents[1] / "atlas" / "formats"
OLDER = ("1", "2", "2-dictionary")
"""The schemas there were; version 2 gained its table of dictionaries later."""


def rewrite(path: Path, format: str) -> Path:
    """Write the atlas at `path` anew in an older format, with all that this format can hold."""
    older = path.with_name("older")
    with closing(sqlite3.connect(older, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {format[0]}")
        connection.executescript((FORMATS / f"{format}.sql").read_text("utf-8"))
        connection.execute("ATTACH ? AS new", (str(path),))
        for table in tables(connection):
            columns = ", ".join(
                name
                for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", [table])
            )
            connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")
    older.rename(path)
    return path


def tables(connection: sqlite3.Connection) -> list[str]:
    """The tables of the file but FTS5's own."""
    found = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') "
        "AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    return [name for (name,) in found]
