"""Everything that an atlas holds, row by row, with its bytes; what cannot be read, by name."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from micrograph import recipe as recipes
from micrograph.atlas import columns, queries, rows
from micrograph.atlas.read import Atlas
from micrograph.atlas.records import DatasetRecord, Picture, SampleRecord, Visualization
from micrograph.errors import BadInput
from micrograph.subject import Subject

if TYPE_CHECKING:
    import numpy as np

_NONSENSE = (TypeError, ValueError, RecursionError, BadInput, sqlite3.Error)
"""What a row may come to that was damaged, or that somebody else wrote."""


@dataclass(frozen=True)
class LostRow:
    """Something that cannot be read, or is not what was written. `what` names it in words.

    Of a result, `node` ("" for one that has none) and `technique` are told as far as they can be
    read; of a sample, the digest of its `dataset`.
    """

    what: str
    why: str
    node: str | None = None
    technique: str | None = None
    dataset: str | None = None

    def __str__(self) -> str:
        return f"{self.what}: {' '.join(self.why.split())}"


def results(
    connection: sqlite3.Connection, atlas: Atlas, on_step: Callable[[int, int], None]
) -> Iterator[Visualization | LostRow]:
    """Every result with picture and arrays, in the order in which they were stored; a `LostRow` for
    each that cannot be read. `on_step` is told how many of how many were looked at."""
    ids = _ids(connection)
    for done, id in enumerate(ids, 1):
        try:
            found = _result(connection, atlas, id)
        except _NONSENSE as error:
            node, technique = _place_of(connection, id)
            why = str(error) or type(error).__name__
            yield LostRow(_name_of(connection, id), why, node, technique)
        else:
            if found is not None:
                yield found
        on_step(done, len(ids))


def _ids(connection: sqlite3.Connection) -> list[int]:
    try:
        return [id for (id,) in connection.execute("SELECT id FROM visualization ORDER BY id")]
    except sqlite3.Error:
        # A page in the middle is lost: try every number up to the largest that can be found.
        ids = [0]
        for way in ("SELECT max(id) FROM visualization", "SELECT max(visualization) FROM array"):
            try:
                ids.append(connection.execute(way).fetchone()[0] or 0)
            except sqlite3.Error:
                continue
        return list(range(1, max(ids) + 1))


def _result(connection: sqlite3.Connection, atlas: Atlas, id: int) -> Visualization | None:
    row = connection.execute(queries.WHOLE_RESULT, (id,)).fetchone()
    if row is None:
        return None
    node, unit, subject, key, picture_id, *listed, data = row
    about = Subject.parse(subject) if columns.text(subject) else None
    place = "" if node is None else columns.text(node)
    if place not in atlas.nodes and about is None:
        raise ValueError("its node is not in the graph")
    v = rows.visualization_record(place, rows.unit(unit), listed, about)
    if recipes.digest(v.recipe) != key.hex():
        raise ValueError("its recipe changed since it was written")
    if v.picture is not None:
        v = replace(v, picture=_with_data(v.picture, data))
    elif picture_id is not None:
        raise ValueError("its picture is gone")
    return replace(v, arrays=_arrays(connection, id))


def _with_data(picture: Picture, data: Any) -> Picture:
    if hashlib.sha256(columns.data(data)).hexdigest()[:32] != picture.digest:
        raise ValueError("the bytes of its picture changed since it was written")
    return replace(picture, data=data)


def _arrays(connection: sqlite3.Connection, id: int) -> "dict[str, np.ndarray]":
    found = connection.execute(
        "SELECT name, dtype, shape, data, digest FROM array WHERE visualization = ?", (id,)
    )
    return {columns.text(name): rows.array(*array) for name, *array in found}


def _name_of(connection: sqlite3.Connection, id: int) -> str:
    """What a result is of, as far as it can be read."""
    try:
        node, unit, technique, variant, subject = connection.execute(
            "SELECT n.name, v.unit, r.technique, r.variant, v.subject FROM visualization v "
            "LEFT JOIN node n ON n.id = v.node LEFT JOIN recipe r ON r.id = v.recipe "
            "WHERE v.id = ?",
            (id,),
        ).fetchone()
        where = subject or (node if unit == -1 else f"{node}/{unit}")
        return f"{where}, {technique} {variant}"[:200]
    except (sqlite3.Error, TypeError):
        return f"result {id}"


_PLACES = (
    # Where the row itself is lost, its entry in the index of the table may be whole.
    "visualization v WHERE v.id = ?",
    "visualization v INDEXED BY sqlite_autoindex_visualization_1 WHERE v.id = ?",
)


def _place_of(connection: sqlite3.Connection, id: int) -> tuple[str | None, str | None]:
    """Node and technique of a result; None for what cannot be read."""
    for place in _PLACES:
        try:
            found = connection.execute(f"SELECT v.node, v.recipe FROM {place}", (id,)).fetchone()
        except sqlite3.Error:
            continue
        if found is not None:
            node, recipe = found
            return (
                "" if node is None else _text_at(connection, "name FROM node", node),
                _text_at(connection, "technique FROM recipe", recipe),
            )
    return None, None


def _text_at(connection: sqlite3.Connection, column: str, id: object) -> str | None:
    with suppress(*_NONSENSE):
        row = connection.execute(f"SELECT {column} WHERE id = ?", (id,)).fetchone()
        return None if row is None else columns.text(row[0])
    return None


def samples(
    connection: sqlite3.Connection,
) -> Iterator[tuple[DatasetRecord, SampleRecord | None] | LostRow]:
    """Every dataset (with None), then each of its samples with its picture."""
    try:
        datasets = connection.execute(
            queries.DATASETS.replace("SELECT", "SELECT id,", 1)
        ).fetchall()
    except sqlite3.Error as error:
        yield LostRow("the datasets", str(error))
        return
    for id, *row in datasets:
        try:
            dataset = rows.dataset_record(tuple(row))
        except _NONSENSE as error:
            yield LostRow(f"dataset {id}", str(error))
            continue
        yield dataset, None
        yield from _samples_of(connection, id, dataset)


def _samples_of(
    connection: sqlite3.Connection, id: int, dataset: DatasetRecord
) -> Iterator[tuple[DatasetRecord, SampleRecord | None] | LostRow]:
    try:
        for *listed, picture_id, data in connection.execute(queries.WHOLE_SAMPLES, (id,)):
            try:
                found = rows.sample_record(listed)
                if found.picture is not None:
                    found = replace(found, picture=_with_data(found.picture, data))
                elif picture_id is not None:
                    raise ValueError("its picture is gone")
                yield dataset, found
            except _NONSENSE as error:
                what = f"picture {listed[0]} of {dataset.name}"
                yield LostRow(what, str(error), dataset=dataset.digest)
    except sqlite3.Error as error:
        what = f"further pictures of {dataset.name}"
        yield LostRow(what, str(error), dataset=dataset.digest)


def page_problems(connection: sqlite3.Connection) -> list[LostRow]:
    """What SQLite itself finds wrong with the file, and with the index that the search reads, which
    a copy makes anew."""
    try:
        found = [text for (text,) in connection.execute("PRAGMA quick_check(20)")]
    except sqlite3.Error as error:
        found = [str(error)]
    problems = [LostRow("the file", str(text)) for text in found if text != "ok"]
    try:
        connection.execute(queries.SEARCH, ("a", 1)).fetchall()
        connection.execute("SELECT kind, node, unit, text FROM search").fetchall()
    except sqlite3.Error as error:
        problems.append(LostRow("the search", str(error)))
    return problems


def datasets_of(v: Visualization) -> set[str]:
    """Digests (64 hex digits) that a result names anywhere: of datasets, among others."""
    text = json.dumps([v.recipe, v.data], default=str)
    return {word for word in text.replace('"', " ").split() if len(word) == 64}
