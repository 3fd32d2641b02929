"""Reading one atlas."""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograph.address import find_node
from micrograph.atlas import queries, rows
from micrograph.atlas.dictionaries import read_dictionaries
from micrograph.atlas.format import check, damaged, reading
from micrograph.atlas.graph import read_graph
from micrograph.atlas.keeping import Row
from micrograph.atlas.records import (
    Count,
    DatasetRecord,
    DictionaryRecord,
    Hit,
    ModelRecord,
    NodeRecord,
    Picture,
    SampleRecord,
    Tile,
    Visualization,
)

if TYPE_CHECKING:
    import numpy as np

_WIDEST = 1 << 31
"""Wider than any picture."""

_DIGEST = re.compile(r"[0-9a-f]{32}\Z")


class Atlas:
    """One atlas file, for reading, from any thread, also while a writer fills it.

    `model`, `nodes` (by id, in graph order), `aliases` (every accepted spelling to node id) and
    `dictionaries` (by the node they made) are read once; everything else is read from the file when
    asked for.
    """

    def __init__(
        self,
        path: Path,
        model: ModelRecord,
        nodes: Mapping[str, NodeRecord],
        dictionaries: Mapping[str, DictionaryRecord],
    ) -> None:
        self.path = path
        self.model = model
        self.nodes = nodes
        self.dictionaries = dictionaries
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
            dictionaries = read_dictionaries(connection, path)
        return cls(path, model, nodes, dictionaries)

    def __enter__(self) -> "Atlas":
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing to close: connections live as long as one question."""

    def __repr__(self) -> str:
        return f"Atlas({str(self.path)!r}, model={self.model.id!r})"

    def tiles(
        self,
        node: str,
        technique: str,
        variant: str,
        seed: int | None = None,
        min_width: int | None = None,
    ) -> list[Tile]:
        """The best picture of each unit of `node`, in order of units; units without are left out.

        With `min_width` (pixels) the smallest picture at least that wide, or else the largest;
        without, the largest. Among equals the lowest seed, then the newest.
        """
        given = {
            "node": find_node(node, self.aliases, self.model.id),
            "technique": technique,
            "variant": variant,
            "seed": seed,
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

    def results(self, node: str, technique: str, variant: str) -> dict[int, Visualization]:
        """What a technique gave for every unit of `node`, by unit; -1 is the node as a whole.

        Of several seeds the lowest, of several recipes the newest.
        """
        node = find_node(node, self.aliases, self.model.id)
        given = {"node": node, "technique": technique, "variant": variant}
        with reading(self.path) as connection:
            found = connection.execute(queries.RESULTS, given).fetchall()
        try:
            return {
                unit: _visualization(node, None if unit < 0 else unit, row) for unit, *row in found
            }
        except (TypeError, ValueError) as error:
            raise damaged(self.path, error) from error

    def arrays(
        self, node: str, unit: int | None, technique: str, variant: str
    ) -> dict[str, "np.ndarray"]:
        """The arrays that a technique left at an address, by name; empty if there are none."""
        given = {
            "node": find_node(node, self.aliases, self.model.id),
            "unit": -1 if unit is None else unit,
            "technique": technique,
            "variant": variant,
        }
        with reading(self.path) as connection:
            if not _has_table(connection, "array"):
                return {}
            found = connection.execute(queries.ARRAYS, given).fetchall()
        try:
            return {name: rows.array(*array) for name, *array in found}
        except (TypeError, ValueError) as error:
            raise damaged(self.path, error) from error

    def datasets(self) -> list[DatasetRecord]:
        """The datasets that lenses looked at, in the order in which they came."""
        with reading(self.path) as connection:
            if not _has_table(connection, "dataset"):
                return []
            found = connection.execute(queries.DATASETS).fetchall()
        try:
            return [rows.dataset_record(row) for row in found]
        except (TypeError, ValueError) as error:
            raise damaged(self.path, error) from error

    def samples(self, dataset: str, numbers: Iterable[int]) -> dict[int, SampleRecord]:
        """Pictures of a dataset (by its digest), without image bytes, by number; unknown numbers
        are left out."""
        given = {"dataset": bytes.fromhex(dataset), "numbers": json.dumps(sorted(set(numbers)))}
        with reading(self.path) as connection:
            if not _has_table(connection, "sample"):
                return {}
            found = connection.execute(queries.SAMPLES, given).fetchall()
        return {
            number: SampleRecord(number, name, cls, _picture(picture))
            for number, name, cls, *picture in found
        }

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
        query = match_query(text)
        if not query:
            return []
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

    def searchable(self) -> list[tuple[str, Row]]:
        """Everything that `search` looks through, each with its kind."""
        with reading(self.path) as connection:
            found = connection.execute("SELECT kind, node, unit, text FROM search ORDER BY rowid")
            return [(kind, (node, unit, text)) for kind, node, unit, text in found]


def match_query(text: str) -> str:
    """What finds rows with every word of `text` in a full-text index; "" where there is none."""
    return " ".join(f'"{word}"*' for word in re.findall(r"[^\W_]+", text)[:8])


def aliases_of(nodes: Mapping[str, NodeRecord]) -> dict[str, str]:
    """Every accepted spelling, node ids included, to the node id; ids win over aliases."""
    spelled = {alias: node.id for node in nodes.values() for alias in node.aliases}
    return spelled | {name: name for name in nodes}


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    """False for some tables in an atlas of version 1."""
    return (
        connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
        is not None
    )


def _picture(columns: Iterable[Any]) -> Picture | None:
    """From digest, mime, width, height and colour; None where there is no picture."""
    digest, *rest = columns
    return Picture(digest, *rest) if digest else None  # hex(NULL) is an empty text


def _visualization(node: str, unit: int | None, row: Iterable[Any]) -> Visualization:
    """From the columns of queries.VISUALIZATIONS."""
    technique, variant, recipe, seed, score, *picture, data, maker, created, seconds = row
    return Visualization(
        node=node,
        unit=unit,
        technique=technique,
        variant=variant,
        recipe=json.loads(recipe),
        seed=seed,
        score=score,
        picture=_picture(picture),
        data=json.loads(data),
        made_with=json.loads(maker),
        created=rows.to_iso(created),
        seconds=seconds,
    )
