"""Atlases as large as the format allows, made in a moment: rows are written by SQL."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from samples import MODEL, sample_atlas

PICTURED = "mixed1b"
"""The node that has many units."""


@contextmanager
def _opened(folder: Path, id: str) -> Iterator[sqlite3.Connection]:
    path = sample_atlas(folder, model=replace(MODEL, id=id))
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def many_units(folder: Path, id: str, units: int, pictured: int) -> None:
    """A node of so many units, of which the first `pictured` have a picture."""
    with _opened(folder, id) as connection:
        connection.execute("UPDATE node SET units = ? WHERE name = ?", (units, PICTURED))
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 12 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1) "
            "INSERT INTO visualization (node, unit, recipe, picture, score, data, maker, created, "
            "seconds, subject) SELECT node, i, recipe, picture, i % 97, data, maker, created, "
            "seconds, subject FROM n, visualization WHERE unit = 3 AND node = "
            "(SELECT id FROM node WHERE name = ?)",
            (pictured, PICTURED),
        )


def many_results(folder: Path, id: str, results: int) -> None:
    """Unit 3 of a node with so many results, each of another seed."""
    with _opened(folder, id) as connection:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO recipe (digest, technique, variant, seed, json) SELECT "
            "CAST(printf('%032d', i) AS BLOB), 'feature_vis', 'channel', i, "
            "(SELECT json FROM recipe LIMIT 1) FROM n",
            (results,),
        )
        connection.execute(
            "INSERT INTO visualization (node, unit, recipe, picture, score, data, maker, created, "
            "seconds, subject) SELECT node, unit, r.id, picture, r.seed, data, maker, created, "
            "seconds, subject FROM recipe r, visualization v WHERE r.seed > 1 AND v.unit = 3 AND "
            "v.node = (SELECT id FROM node WHERE name = ?)",
            (PICTURED,),
        )


def many_nodes(folder: Path, id: str, nodes: int, edges: int) -> None:
    """A chain of so many nodes, each with edges to some that come before it."""
    with _opened(folder, id) as connection:
        (kind, shape) = connection.execute("SELECT kind, shape FROM node LIMIT 1").fetchone()
        each = max(1, edges // nodes)
        connection.executemany(
            "INSERT INTO node (name, position, kind, units, shape, field_size, field_stride, "
            "field_start, field_status, parents, aliases, worth) "
            "VALUES (?, ?, ?, 8, ?, 3, 1, 0, 'exact', ?, '[]', 1)",
            (
                (
                    f"n{i}",
                    i + 10,
                    kind,
                    shape,
                    json.dumps([f"n{i - k}" for k in range(1, each + 1) if k <= i]),
                )
                for i in range(nodes)
            ),
        )


def many_labels(folder: Path, id: str, labels: int) -> None:
    """A model with so many classes, each of which a search for "cat" finds."""
    names = [f"cat {n}" for n in range(labels)]
    with _opened(folder, id) as connection:
        connection.execute("UPDATE model SET labels = ?", (json.dumps(names),))
        connection.execute("UPDATE node SET units = ? WHERE name = 'logits'", (labels,))
        connection.executemany(
            "INSERT INTO search (text, kind, node, unit) VALUES (?, 'label', 'logits', ?)",
            ((name, unit) for unit, name in enumerate(names)),
        )
