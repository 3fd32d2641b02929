"""Writing an atlas: one writer, one transaction per batch, a repeat is a no-op."""

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from micrograph import recipe as recipes
from micrograph.atlas import rows
from micrograph.atlas.dictionaries import check_nodes, read_dictionaries, write_dictionaries
from micrograph.atlas.file import connect, create, fold
from micrograph.atlas.format import explain
from micrograph.atlas.graph import read_graph, write_graph
from micrograph.atlas.lock import WriterLock
from micrograph.atlas.place import WatchedFile
from micrograph.atlas.records import (
    DatasetRecord,
    DictionaryRecord,
    ModelRecord,
    NodeRecord,
    Picture,
    SampleRecord,
    Visualization,
)
from micrograph.errors import BadInput, Unavailable, not_found, short
from micrograph.files import remove_abandoned
from micrograph.subject import place_of

if TYPE_CHECKING:
    import numpy as np

Unit = TypeVar("Unit", bound=int | None)


class AtlasWriter:
    """The one writer of an atlas file. Use `open`, and `close` (or `with`) when done.

    >>> from tempfile import TemporaryDirectory
    >>> from micrograph.atlas import AtlasWriter, ModelRecord, NodeRecord, Visualization
    >>> model = ModelRecord("net", "Net", digest="ab" * 32)
    >>> nodes = [NodeRecord("conv", 0, "conv", 4, (8, 8), 3, 1, -1, "exact", (), ())]
    >>> recipe = {"technique": "mine", "view": "first", "seed": 0}
    >>> with TemporaryDirectory() as folder:
    ...     with AtlasWriter.open(f"{folder}/net.atlas", model, nodes) as writer:
    ...         stored = writer.put([Visualization("conv", 2, recipe, 0.5, None, {"top": [3, 1]})])
    ...         lacking = writer.missing("conv", [None, 1, 2], recipe)
    >>> stored, lacking
    (1, [None, 1])
    """

    def __init__(
        self, path: Path, lock: WriterLock, connection: sqlite3.Connection, file: WatchedFile
    ) -> None:
        self.path = path
        self._lock = lock
        self._connection = connection
        self._file = file
        self._nodes: dict[str, tuple[int, int]] = {}
        self._recipes: dict[tuple[str, str, str, int], int] = {}
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Path | str,
        model: ModelRecord,
        nodes: Sequence[NodeRecord],
        dictionaries: Sequence[DictionaryRecord] = (),
        *,
        makes_way: bool = False,
    ) -> "AtlasWriter":
        """Create the atlas of `model`, or go on with the one that is there.

        The folder is made where there is none. An atlas of an older version is brought up to date
        first; whatever interrupts that leaves the old file whole. What is said of the model and its
        nodes is brought up to date too; nodes that are not given stay. `dictionaries` say which of
        `nodes` are none of the network's own. A writer that `makes_way` waits for others, and
        `is_wanted` says when it is to stop for them.

        Raises Conflict when another process writes it, it was made from other weights or has one of
        the nodes of another dictionary, Unavailable when the folder cannot be written or the disk
        is full, BadInput when the file is no atlas or damaged.
        """
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"cannot make the folder {path.parent} ({error.strerror}); "
                "choose a folder you may write to with --atlas"
            ) from error
        lock = WriterLock(path, makes_way)
        try:
            remove_abandoned(path.parent)
            if not path.exists():
                create(path, model, nodes, dictionaries)
            connection = connect(path, model)
            file = _watched(path, connection)
        except BaseException:
            lock.release()
            raise
        writer = cls(path, lock, connection, file)
        try:
            with writer._transaction():
                writer._update_graph(model, nodes, dictionaries)
        except BaseException:
            writer.close()
            raise
        return writer

    @property
    def is_wanted(self) -> bool:
        """Whether another process waits to write, and this one makes way."""
        return self._lock.is_wanted

    def check_place(self) -> None:
        """Raises Conflict where the file was deleted or replaced since it was opened. From any
        thread."""
        self._file.check_place()

    def __enter__(self) -> "AtlasWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; SQLite's errors come out as MicrographError. Raises Conflict where the
        file is not the one that was opened."""
        connection = self._connection
        self._file.check()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
                self._file.check_place()
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._recipes.clear()
                raise
            finally:
                self._file.note()
        except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
            raise  # a mistake of ours, nothing about the file
        except sqlite3.Error as error:
            self._file.check_place()
            raise explain(error, self.path) from error
        except UnicodeEncodeError as error:
            raise BadInput(
                f"{short(error.object)} cannot be stored in {self.path}: it is no text of Unicode"
            ) from error

    def _update_graph(
        self,
        model: ModelRecord,
        nodes: Sequence[NodeRecord],
        dictionaries: Sequence[DictionaryRecord],
    ) -> None:
        """Bring the graph up to date; visualizations of nodes no longer there stay."""
        connection = self._connection
        old, known = read_graph(connection, self.path)
        there = read_dictionaries(connection, self.path)
        check_nodes(self.path, known, there, nodes, dictionaries)
        # Compared as rows: JSON makes lists of tuples.
        if rows.model_row(old) != rows.model_row(model) or any(
            node.id not in known or rows.node_row(node) != rows.node_row(known[node.id])
            for node in nodes
        ):
            given = {node.id for node in nodes}
            # Those that are not given now (a dictionary's, an older version's) can be found still.
            kept = [node for id, node in known.items() if id not in given]
            write_graph(connection, model, [*nodes, *kept])
        if any(there.get(d.node) != d for d in dictionaries):
            write_dictionaries(connection, dictionaries)
        self._nodes = {
            name: (id, units)
            for id, name, units in connection.execute("SELECT id, name, units FROM node")
        }

    def missing(self, node: str, units: Iterable[Unit], recipe: recipes.Recipe) -> list[Unit]:
        """Those of `units` (None is the node as a whole), in their order, that the atlas does not
        have by `recipe`. Raises NotFound for an unknown node; an alias is none."""
        id, _ = self._node_row(node)
        try:
            there = {
                rows.unit(unit)
                for (unit,) in self._connection.execute(
                    "SELECT unit FROM visualization WHERE node = ? AND subject = '' "
                    "AND recipe = (SELECT id FROM recipe WHERE digest = ?)",
                    (id, bytes.fromhex(recipes.digest(recipe))),
                )
            }
        except sqlite3.Error as error:
            raise explain(error, self.path) from error
        return [unit for unit in units if unit not in there]

    def put(self, visualizations: Iterable[Visualization]) -> int:
        """Store them in one transaction; what is there already stays as it is. Returns how many
        were new.

        A result is there if its subject has one by the same recipe (`recipe.digest`). Raises
        NotFound for an unknown node, BadInput for a unit out of range, a score that is not finite,
        data that is no JSON, an array of a type that atlases do not have, a picture without bytes,
        a recipe without technique, view and seed or stored under another view; Unavailable when the
        disk is full. Nothing is stored then.
        """
        with self._transaction() as connection:
            return sum(self._put_one(connection, v) for v in visualizations)

    def _put_one(self, connection: sqlite3.Connection, v: Visualization) -> bool:
        places = [place_of(p) for p in v.about.places] if v.about else [(v.node, v.unit)]
        for place in places:
            self._check_place(*place)
        if not math.isfinite(v.score):
            raise BadInput(f"the score of {v.subject} is {v.score}; expected a finite number")
        node = self._node_row(v.node)[0] if v.node else None
        unit = rows.unit_column(v.unit)
        subject = "" if v.about is None else str(v.about)
        recipe = self._recipe_id(connection, v)
        if connection.execute(
            "SELECT 1 FROM visualization WHERE node IS ? AND unit = ? AND recipe = ? "
            "AND subject = ?",
            (node, unit, recipe, subject),
        ).fetchone():
            return False
        try:
            data, made_with = rows.dump(v.data), rows.dump(v.made_with)
        except (TypeError, ValueError) as error:
            raise BadInput(f"data of {v.subject} cannot be stored as JSON: {error}") from error
        connection.execute("INSERT OR IGNORE INTO maker (json) VALUES (?)", (made_with,))
        connection.execute(
            "INSERT INTO visualization "
            "(node, unit, recipe, picture, score, data, maker, created, seconds, subject) "
            "VALUES (?, ?, ?, ?, ?, ?, (SELECT id FROM maker WHERE json = ?), ?, ?, ?)",
            (
                node,
                unit,
                recipe,
                v.picture and _picture_id(connection, v.picture),
                float(v.score),
                data,
                made_with,
                rows.to_seconds(v.created),
                float(v.seconds),
                subject,
            ),
        )
        if v.arrays:
            (id,) = connection.execute("SELECT last_insert_rowid()").fetchone()
            _put_arrays(connection, id, v.arrays)
        return True

    def put_samples(self, dataset: DatasetRecord, samples: Iterable[SampleRecord]) -> None:
        """Store a dataset and pictures of it in one transaction, before the results that name them.

        What is there stays, but a picture is added where it was missing. Raises BadInput for a
        number outside the dataset, Unavailable when the disk is full; nothing is stored then.
        """
        with self._transaction() as connection:
            connection.execute(
                f"INSERT OR IGNORE INTO dataset ({', '.join(rows.DATASET_COLUMNS)}) "
                f"VALUES ({', '.join('?' * len(rows.DATASET_COLUMNS))})",
                rows.dataset_row(dataset),
            )
            (id,) = connection.execute(
                "SELECT id FROM dataset WHERE digest = ?", (bytes.fromhex(dataset.digest),)
            ).fetchone()
            for sample in samples:
                if not 0 <= sample.number < dataset.pictures:
                    raise BadInput(
                        f"{dataset.name} has pictures 0-{dataset.pictures - 1}; picture "
                        f"{sample.number} cannot be stored"
                    )
                connection.execute(
                    "INSERT INTO sample (dataset, number, name, class, picture) "
                    "VALUES (?, ?, ?, ?, ?) ON CONFLICT (dataset, number) DO UPDATE "
                    "SET picture = coalesce(picture, excluded.picture)",
                    (
                        id,
                        sample.number,
                        sample.name,
                        sample.cls,
                        sample.picture and _picture_id(connection, sample.picture),
                    ),
                )

    def _check_place(self, node: str, unit: int | None) -> None:
        """Raises NotFound for an unknown node, BadInput for a unit that it does not have."""
        _, units = self._node_row(node)
        if unit is not None and not 0 <= unit < units:
            raise BadInput(f"{node} has units 0-{units - 1}; unit {unit} cannot be stored")

    def _node_row(self, name: str) -> tuple[int, int]:
        """Row id and number of units of a node."""
        if name not in self._nodes:
            raise not_found("node", name, self._nodes, str(self.path))
        return self._nodes[name]

    def _recipe_id(self, connection: sqlite3.Connection, v: Visualization) -> int:
        """Row id of its recipe, stored once."""
        text = recipes.canonical(v.recipe)
        known = (text, v.technique, v.variant, v.seed)
        if known not in self._recipes:
            key = bytes.fromhex(recipes.digest(v.recipe))
            connection.execute(
                "INSERT OR IGNORE INTO recipe (digest, technique, variant, seed, json) "
                "VALUES (?, ?, ?, ?, ?)",
                (key, v.technique, v.variant, v.seed, text),
            )
            id, *stored = connection.execute(
                "SELECT id, technique, variant, seed FROM recipe WHERE digest = ?", (key,)
            ).fetchone()
            if stored != [v.technique, v.variant, v.seed]:
                raise BadInput(
                    f"one recipe cannot be both {stored} and {[v.technique, v.variant, v.seed]}; "
                    "a variant is a name: put what it changes into the recipe"
                )
            self._recipes[known] = id
        return self._recipes[known]

    def close(self) -> None:
        """Fold the log back, so that one plain file remains, and let go of the lock.

        Raises Conflict where the file was deleted or replaced meanwhile.
        """
        if self._closed:
            return
        self._closed, lost = True, True
        try:
            self._file.check()
            lost = False
            fold(self._connection)
        except sqlite3.Error as error:
            self._file.check_place()
            raise explain(error, self.path) from error
        finally:
            self._file.close(self._connection, lost)
            self._lock.release()


def _watched(path: Path, connection: sqlite3.Connection) -> WatchedFile:
    try:
        return WatchedFile(path)
    except BaseException:
        connection.close()
        raise


def _put_arrays(
    connection: sqlite3.Connection, visualization: int, arrays: Mapping[str, "np.ndarray"]
) -> None:
    try:
        values = [(visualization, name, *rows.array_row(a)) for name, a in arrays.items()]
    except ValueError as error:
        raise BadInput(f"arrays cannot be stored: {error}") from error
    connection.executemany(
        "INSERT INTO array (visualization, name, dtype, shape, data, digest) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        values,
    )


def _picture_id(connection: sqlite3.Connection, picture: Picture) -> int:
    """Row id of a picture, stored once."""
    if not picture.data:
        raise BadInput(f"picture {picture.digest} has no bytes; only whole pictures can be stored")
    key = bytes.fromhex(picture.digest)
    row = connection.execute("SELECT id FROM picture WHERE digest = ?", (key,)).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO picture (digest, mime, width, height, color, data) "
            "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            (key, picture.mime, picture.width, picture.height, picture.color, picture.data),
        ).fetchone()
    return int(row[0])
