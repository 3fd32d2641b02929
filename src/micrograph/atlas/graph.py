"""The model, its nodes and the search table: reading and bringing them up to date."""

import sqlite3
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from pathlib import Path

from micrograph.atlas import rows
from micrograph.atlas.format import damaged
from micrograph.atlas.records import ModelRecord, NodeRecord
from micrograph.errors import BadInput, short
from micrograph.graph import NodeKind

MOST_NODES = 20_000
MOST_EDGES = 100_000
MOST_UNITS_TOGETHER = 20_000_000
"""A page of a model draws its graph and counts its units: a file that claims more than any network
has is damaged or means harm."""

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
        records = [rows.node_record(node) for node in islice(nodes, MOST_NODES + 1)]
        _check_size(records)
        return rows.model_record(row), {node.id: node for node in records}
    except (TypeError, ValueError, RecursionError, BadInput) as error:
        raise damaged(path, error) from error


def _check_size(nodes: Sequence[NodeRecord]) -> None:
    """Raises ValueError for a graph that no page could show, or that has a cycle."""
    if len(nodes) > MOST_NODES:
        raise ValueError(f"it has more than {MOST_NODES} nodes")
    if sum(len(node.parents) for node in nodes) > MOST_EDGES:
        raise ValueError(f"its nodes have more than {MOST_EDGES} edges")
    if sum(node.units for node in nodes) > MOST_UNITS_TOGETHER:
        raise ValueError(f"its nodes have more than {MOST_UNITS_TOGETHER} units")
    try:
        TopologicalSorter({node.id: node.parents for node in nodes}).prepare()
    except CycleError as error:
        raise ValueError(f"its graph has a cycle through {short(error.args[1][0])}") from error


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
