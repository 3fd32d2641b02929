"""An atlas with something in every table, and values that ours never has."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from samples import MODEL, NODES, picture, sample_atlas

from micrograph.atlas import (
    AtlasWriter,
    DatasetRecord,
    DictionaryRecord,
    SampleRecord,
    Visualization,
)

VALUES = {
    "null": None,
    "text": "x",
    "empty": "",
    "number": 7,
    "negative": -5,
    "huge": 1 << 62,
    "infinite": float("inf"),
    "blob": b"\xff\xfe\x00",
    "deep JSON": "[" * 100_000,
    "other JSON": '{"a": [null]}',
    "markup": "<x>\0\n",
}
TABLES = (
    "model",
    "node",
    "recipe",
    "maker",
    "picture",
    "visualization",
    "array",
    "dataset",
    "sample",
    "dictionary",
)


SEARCHED = ("kind", "node", "unit", "text")
TOWN = DatasetRecord("town", "cd" * 32, "Town", 10, 32, "CC0", ("car", "bus"))


def rich_atlas(folder: Path) -> Path:
    """Pictures, arrays, a dataset with a sample, a dictionary."""
    path = sample_atlas(folder)
    recipe = {"technique": "dataset_examples", "view": "town", "seed": 0}
    made = replace(NODES[-1], id="conv0.sae", index=len(NODES), kind="dictionary")
    about = DictionaryRecord(made.id, "ab" * 32, {"title": "made"})
    with AtlasWriter.open(path, MODEL, [*NODES, made], dictionaries=[about]) as writer:
        writer.put(
            [
                Visualization(
                    "mixed1a",
                    None,
                    recipe,
                    0.0,
                    None,
                    {"dataset": TOWN.digest},
                    arrays={"profile": np.ones((16, 10), np.uint8), "low": np.ones(16, np.int32)},
                )
            ]
        )
        writer.put_samples(TOWN, [SampleRecord(n, f"{n}.png", 0, picture(n)) for n in range(3)])
    return path


def loosened(path: Path) -> dict[str, list[str]]:
    """Rewrite the tables without STRICT, NOT NULL and CHECK, so that they take any value; gives the
    columns of each table."""
    found = {}
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in TABLES:
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            found[table] = [name for name in names if name != "id"]
            connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
            connection.execute(f"CREATE TABLE {table} ({', '.join(names)})")
            connection.execute(f"INSERT INTO {table} SELECT * FROM old_{table}")
            connection.execute(f"DROP TABLE old_{table}")
    return found
