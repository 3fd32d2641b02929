"""The model, its nodes and the search table: reading and bringing them up to date."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from micrograph.atlas import rows
from micrograph.atlas.format import damaged
from micrograph.atlas.records import ModelRecord, NodeRecord
from micrograph.errors import BadInput
from micrograph.graph import NodeKind

_MODEL = (
    f"INSERT OR REPLACE INTO model (id, {', '.join(rows.MODEL_COLUMNS)}) "
    f"VALUES (1, {', '.join('?' * len(rows.MODEL_COLUMNS))})"
)
_NODE = (
    f"INSERT INTO node ({', '.join(rows.NODE_COLUMNS)}) "
    f"VALUES ({', '.join('?' * len(rows.NODE_COLUMNS))}) ON CONFLICT (name) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in rows.NODE_COLUMNS[1:])
)


def read_graph(
    connection: sqlite3.Connection, path: Path
) -> tuple[ModelRecord, dict[str, NodeRecord]]:
    """The model and its nodes by id, in graph order. Raises BadInput where they make no sense."""
    row = connection.execute(f"SELECT {', '.join(rows.MODEL_COLUMNS)} FROM model").fetchone()
    nodes = connection.execute(
        f"SELECT {', '.join(rows.NODE_COLUMNS)} FROM node ORDER BY position, id"
    )
    try:
        records = [rows.node_record(node) for node in nodes]
        return rows.model_record(row), {node.id: node for node in records}
    except (TypeError, ValueError, BadInput) as error:
        raise damaged(path, error) from error


def write_graph(
    connection: sqlite3.Connection, model: ModelRecord, nodes: Sequence[NodeRecord]
) -> None:
    """Store the model and its nodes and index them; nodes that are not given stay."""
    connection.execute(_MODEL, rows.model_row(model))
    connection.executemany(_NODE, [rows.node_row(node) for node in nodes])
    connection.execute("DELETE FROM search")
    connection.executemany(
        "INSERT INTO search (text, kind, node, unit) VALUES (?, ?, ?, ?)",
        _search_rows(model, nodes),
    )


def _search_rows(
    model: ModelRecord, nodes: Sequence[NodeRecord]
) -> list[tuple[str, str, str | None, int | None]]:
    """The first line of a text is what a hit shows."""
    outputs = [
        node.id
        for node in nodes
        if node.units == len(model.labels) and not NodeKind.of(node.kind).is_attached
    ]
    output = outputs[-1] if outputs else None
    return [
        (f"{model.title}\n{model.id}", "model", None, None),
        *(("\n".join((node.id, *node.aliases)), "node", node.id, None) for node in nodes),
        *(
            (label, "label", output, None if output is None else unit)
            for unit, label in enumerate(model.labels)
        ),
    ]
