"""The dictionaries that make nodes beside those of the network."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from micrograph.atlas import columns, rows
from micrograph.atlas.format import damaged
from micrograph.atlas.records import DictionaryRecord, NodeRecord
from micrograph.errors import Conflict

_THERE = "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'dictionary'"
"""Before version 3 an atlas had the table from the first dictionary on."""


def read_dictionaries(connection: sqlite3.Connection, path: Path) -> dict[str, DictionaryRecord]:
    """By the id of the node. Raises BadInput where they make no sense."""
    if connection.execute(_THERE).fetchone() is None:
        return {}
    found = connection.execute(
        "SELECT node.name, dictionary.digest, json FROM dictionary "
        "JOIN node ON node.id = dictionary.node ORDER BY node.position, node.id"
    )
    try:
        records = [
            DictionaryRecord(columns.text(name), columns.data(d).hex(), columns.mapping(about))
            for name, d, about in found
        ]
    except (TypeError, ValueError, RecursionError) as error:
        raise damaged(path, error) from error
    return {record.node: record for record in records}


def check_nodes(
    path: Path,
    nodes: Mapping[str, NodeRecord],
    there: Mapping[str, DictionaryRecord],
    given: Sequence[NodeRecord],
    dictionaries: Sequence[DictionaryRecord],
) -> None:
    """Raises Conflict where a node given has an id that `path` has of something else."""
    made = {record.node: record.digest for record in dictionaries}
    for node in given:
        if node.id not in nodes:
            continue
        known = there[node.id].digest if node.id in there else ""
        if (new := made.get(node.id, "")) != known:
            raise Conflict(
                f"{path} has {node.id} of {_name_of(known)}, not of {_name_of(new)}; attach it "
                "under another name (NODE.NAME=FILE), or choose another folder with --atlas"
            )


def write_dictionaries(
    connection: sqlite3.Connection, dictionaries: Sequence[DictionaryRecord]
) -> None:
    """Store them; their nodes are there."""
    connection.executemany(
        "INSERT OR REPLACE INTO dictionary (node, digest, json) "
        "VALUES ((SELECT id FROM node WHERE name = ?), ?, ?)",
        [(d.node, bytes.fromhex(d.digest), rows.dump(d.about)) for d in dictionaries],
    )


def _name_of(digest: str) -> str:
    return f"the dictionary {digest[:12]}" if digest else "the network itself"
