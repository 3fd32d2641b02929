"""Whether a file has the tables of an atlas, and nothing that acts when it is read."""

import sqlite3

_TABLES = {
    1: ("model", "node", "recipe", "maker", "picture", "visualization"),
    2: ("array", "dataset", "sample"),
    3: ("dictionary",),
}
"""What each version of the format brought."""


def check_tables(connection: sqlite3.Connection, version: int) -> None:
    """Raises ValueError where a table is missing, or is something else of that name: a view or a
    computed column can make a question of ours one without an end."""
    found = connection.execute(
        "SELECT name, type, upper(ltrim(sql)) FROM main.sqlite_schema WHERE type <> 'index'"
    ).fetchall()
    for name, kind, _ in found:
        if kind != "table":
            raise ValueError(f"it has a {kind} {str(name)[:40]!r}, which no atlas has")
    made = {name: str(sql) for name, _, sql in found}
    for since, names in _TABLES.items():
        for name in names if since <= version else ():
            if not made.get(name, "").startswith("CREATE TABLE"):
                raise ValueError(f"it has no table {name!r}")
            _check_columns(connection, name)
    search = made.get("search", "")
    if not search.startswith("CREATE VIRTUAL TABLE") or "FTS5" not in search:
        raise ValueError("it has no table for searches")


def _check_columns(connection: sqlite3.Connection, table: str) -> None:
    """Raises ValueError for a computed column."""
    for column in connection.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (table,)):
        if column[1]:
            raise ValueError(f"its {table}.{str(column[0])[:40]} is computed")
