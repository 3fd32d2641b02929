"""Reading one atlas."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from micrograph.address import find_node
from micrograph.atlas import queries, rows
from micrograph.atlas.format import check, damaged, reading
from micrograph.atlas.graph import read_graph
from micrograph.atlas.records import (
    Count,
    Hit,
    ModelRecord,
    NodeRecord,
    Picture,
    Tile,
    Visualization,
)

_WIDEST = 1 << 31
"""Wider than any picture."""

_DIGEST = re.compile(r"[0-9a-f]{32}\Z")


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
        check(path)
        with reading(path) as connection:
            model, nodes = read_graph(connection, path)
        return cls(path, model, nodes)

    def __enter__(self) -> "Atlas":
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing to close: connections live as long as one question."""

    def __repr__(self) -> str:
        return f"Atlas({str(self.path)!r}, model={self.model.id!r})"

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
            "width": _WIDEST if min_width is None else min(min_width, _WIDEST),
        }
        with reading(self.path) as connection:
            return [Tile(*row) for row in connection.execute(queries.TILES, given)]

    def visualizations(
        self, node: str, unit: int | None, technique: str | None = None
    ) -> list[Visualization]:
        """All there is of a unit (or, with None, of the node as a whole), without image bytes.

        Ordered by technique, variant, seed, then the largest and newest first.
        """
        node = find_node(node, self.aliases, self.model.id)
        given = {"node": node, "unit": -1 if unit is None else unit, "technique": technique}
        with reading(self.path) as connection:
            found = connection.execute(queries.VISUALIZATIONS, given).fetchall()
        try:
            return [_visualization(node, unit, row) for row in found]
        except (TypeError, ValueError) as error:
            raise damaged(self.path, error) from error

    def picture(self, digest: str) -> Picture | None:
        """The picture of that digest (32 lower-case hex digits) with its bytes, or None."""
        if not _DIGEST.match(digest):
            return None
        with reading(self.path) as connection:
            row = connection.execute(
                "SELECT mime, width, height, color, data FROM picture WHERE digest = ?",
                (bytes.fromhex(digest),),
            ).fetchone()
        return None if row is None else Picture(digest, *row)

    def counts(self) -> list[Count]:
        """How many units each node has of each technique and variant; only what is not zero.

        What a technique made of the node as a whole counts as one.
        """
        with reading(self.path) as connection:
            return [Count(*row) for row in connection.execute(queries.COUNTS)]

    def rendered(self) -> set[tuple[str, str, str, int]]:
        """Every (node, technique, variant, unit) there is; unit -1 stands for the node itself."""
        with reading(self.path) as connection:
            return set(connection.execute(queries.RENDERED))

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """What has every word of `text`, or a word that begins with it: model, nodes, labels."""
        words = re.findall(r"[^\W_]+", text)[:8]
        if not words:
            return []
        query = " ".join(f'"{word}"*' for word in words)
        with reading(self.path) as connection:
            found = connection.execute(
                "SELECT kind, node, unit, text FROM search WHERE search MATCH ? "
                "ORDER BY instr('model node label', kind), rank, rowid LIMIT ?",
                (query, limit),
            ).fetchall()
        return [
            Hit(kind, self.model.id, node, unit, shown.partition("\n")[0])
            for kind, node, unit, shown in found
        ]


def aliases_of(nodes: Mapping[str, NodeRecord]) -> dict[str, str]:
    """Every accepted spelling, node ids included, to the node id; ids win over aliases."""
    spelled = {alias: node.id for node in nodes.values() for alias in node.aliases}
    return spelled | {name: name for name in nodes}


def _visualization(node: str, unit: int | None, row: tuple[Any, ...]) -> Visualization:
    """From the columns of queries.VISUALIZATIONS."""
    technique, variant, recipe, seed, score, *picture, data, maker, created, seconds = row
    return Visualization(
        node=node, unit=unit, technique=technique, variant=variant, recipe=json.loads(recipe),
        seed=seed, score=score, picture=Picture(*picture), data=json.loads(data),
        made_with=json.loads(maker), created=rows.to_iso(created), seconds=seconds,
    )
