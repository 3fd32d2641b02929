"""Reading one atlas."""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from micrograph.address import find_node
from micrograph.atlas import rows
from micrograph.atlas.format import check, reading
from micrograph.atlas.records import (
    Count,
    Hit,
    ModelRecord,
    NodeRecord,
    Picture,
    Tile,
    Visualization,
)

# The best picture per unit: wide enough first, then the closest to the width that was asked for
# (the largest where none is wide enough), then the lowest seed, then the newest.
_TILES = """
SELECT unit, digest, mime, width, height, color, score, seed FROM (
  SELECT v.unit, lower(hex(p.digest)) AS digest, p.mime, p.width, p.height, p.color, v.score,
    r.seed, row_number() OVER (
      PARTITION BY v.unit
      ORDER BY p.width >= :width DESC, iif(p.width >= :width, p.width, -p.width), r.seed,
        v.created DESC, v.id DESC
    ) AS place
  FROM visualization v JOIN recipe r ON r.id = v.recipe JOIN picture p ON p.id = v.picture
  WHERE v.node = (SELECT id FROM node WHERE name = :node) AND v.unit >= 0
    AND r.technique = :technique AND r.variant = :variant AND (:seed IS NULL OR r.seed = :seed)
) WHERE place = 1 ORDER BY unit
"""

_VISUALIZATIONS = """
SELECT r.technique, r.variant, r.json, r.seed, v.score, lower(hex(p.digest)), p.mime, p.width,
  p.height, p.color, v.data, m.json, v.created, v.seconds
FROM visualization v JOIN recipe r ON r.id = v.recipe JOIN picture p ON p.id = v.picture
  JOIN maker m ON m.id = v.maker
WHERE v.node = (SELECT id FROM node WHERE name = :node) AND v.unit = :unit
  AND (:technique IS NULL OR r.technique = :technique)
ORDER BY r.technique, r.variant, r.seed, p.width DESC, v.created DESC, v.id DESC
"""

_RENDERED = """
SELECT DISTINCT n.name, r.technique, r.variant, v.unit
FROM visualization v JOIN node n ON n.id = v.node JOIN recipe r ON r.id = v.recipe
"""

_COUNTS = f"""
SELECT name, technique, variant, count(*) FROM ({_RENDERED}) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

_DIGEST = re.compile(r"[0-9a-f]{32}\Z")


class Reading(Protocol):
    """What pages read from: one atlas, or several of one model merged (`Merged`)."""

    @property
    def model(self) -> ModelRecord: ...
    @property
    def nodes(self) -> Mapping[str, NodeRecord]: ...
    @property
    def aliases(self) -> Mapping[str, str]: ...
    def tiles(
        self, node: str, technique: str, variant: str, seed: int | None = None,
        min_width: int | None = None,
    ) -> list[Tile]: ...
    def visualizations(
        self, node: str, unit: int | None, technique: str | None = None
    ) -> list[Visualization]: ...
    def picture(self, digest: str) -> Picture | None: ...
    def counts(self) -> list[Count]: ...
    def search(self, text: str, limit: int = 20) -> list[Hit]: ...


class Atlas:
    """One atlas file, for reading, from any thread, also while a writer fills it.

    `model`, `nodes` (by id, in graph order) and `aliases` (every accepted spelling to node id) are
    read once; everything else is read from the file when asked for.
    """

    def __init__(self, path: Path, model: ModelRecord, nodes: Mapping[str, NodeRecord]) -> None:
        self.path = path
        self.model = model
        self.nodes = nodes
        self.aliases = aliases_of(nodes)

    @classmethod
    def open(cls, path: Path | str) -> "Atlas":
        """Open and check a file.

        Raises NotFound where there is none, Unavailable without access, and BadInput for a file
        that is no atlas, of another version, or cut short.
        """
        path = Path(path)
        with reading(path) as connection:
            check(connection, path)
            model, nodes = read_graph(connection)
        return cls(path, model, nodes)

    def __enter__(self) -> "Atlas":
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing to close: connections live as long as one question."""

    def __repr__(self) -> str:
        return f"Atlas({str(self.path)!r}, model={self.model.id!r})"

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with reading(self.path) as connection:
            yield connection

    def tiles(
        self, node: str, technique: str, variant: str, seed: int | None = None,
        min_width: int | None = None,
    ) -> list[Tile]:
        """The best picture of each unit of `node`, in order of units; units without are left out.

        With `min_width` (pixels) the smallest picture at least that wide, or else the largest;
        without, the largest. Among equals the lowest seed, then the newest.
        """
        given = {
            "node": find_node(node, self.aliases, self.model.id),
            "technique": technique, "variant": variant, "seed": seed,
            "width": 1 << 31 if min_width is None else min_width,
        }
        with self._reading() as connection:
            return [Tile(*row) for row in connection.execute(_TILES, given)]

    def visualizations(
        self, node: str, unit: int | None, technique: str | None = None
    ) -> list[Visualization]:
        """All there is of a unit (or, with None, of the node as a whole), without image bytes.

        Ordered by technique, variant, seed, then the largest and newest first.
        """
        node = find_node(node, self.aliases, self.model.id)
        given = {"node": node, "unit": -1 if unit is None else unit, "technique": technique}
        with self._reading() as connection:
            found = connection.execute(_VISUALIZATIONS, given).fetchall()
        return [
            Visualization(
                node=node, unit=unit, technique=row[0], variant=row[1], recipe=json.loads(row[2]),
                seed=row[3], score=row[4], picture=Picture(*row[5:10]),
                data=json.loads(row[10]), made_with=json.loads(row[11]),
                created=rows.to_iso(row[12]), seconds=row[13],
            )
            for row in found
        ]

    def picture(self, digest: str) -> Picture | None:
        """The picture of that digest (32 lower-case hex digits) with its bytes, or None."""
        if not _DIGEST.match(digest):
            return None
        with self._reading() as connection:
            row = connection.execute(
                "SELECT mime, width, height, color, data FROM picture WHERE digest = ?",
                (bytes.fromhex(digest),),
            ).fetchone()
        return None if row is None else Picture(digest, *row)

    def counts(self) -> list[Count]:
        """How many units each node has of each technique and variant; only what is not zero."""
        with self._reading() as connection:
            return [Count(*row) for row in connection.execute(_COUNTS)]

    def rendered(self) -> set[tuple[str, str, str, int]]:
        """Every (node, technique, variant, unit) there is; unit -1 stands for the node itself."""
        with self._reading() as connection:
            return set(connection.execute(_RENDERED))

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """What has every word of `text`, or a word that begins with it: model, nodes, labels."""
        words = re.findall(r"[^\W_]+", text)
        if not words:
            return []
        query = " ".join(f'"{word}"*' for word in words)
        with self._reading() as connection:
            found = connection.execute(
                "SELECT kind, node, unit, text FROM search WHERE search MATCH ? "
                "ORDER BY kind = 'label', rank, rowid LIMIT ?",
                (query, limit),
            ).fetchall()
        return [
            Hit(kind, self.model.id, node, unit, shown.partition("\n")[0])
            for kind, node, unit, shown in found
        ]


def read_graph(connection: sqlite3.Connection) -> tuple[ModelRecord, dict[str, NodeRecord]]:
    """The model and its nodes by id, in graph order."""
    row = connection.execute(f"SELECT {', '.join(rows.MODEL_COLUMNS)} FROM model").fetchone()
    nodes = connection.execute(
        f"SELECT {', '.join(rows.NODE_COLUMNS)} FROM node ORDER BY position, id"
    )
    records = (rows.node_record(node) for node in nodes)
    return rows.model_record(row), {node.id: node for node in records}


def aliases_of(nodes: Mapping[str, NodeRecord]) -> dict[str, str]:
    """Every accepted spelling, node ids included, to the node id; ids win over aliases."""
    spelled = {alias: node.id for node in nodes.values() for alias in node.aliases}
    return spelled | {name: name for name in nodes}
