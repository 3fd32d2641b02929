"""Writing an atlas: one writer, one transaction per batch, a repeat is a no-op."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from micrograph import recipe as recipes
from micrograph.atlas import rows
from micrograph.atlas.format import APPLICATION_ID, PAGE_SIZE, VERSION, check, explain, schema
from micrograph.atlas.lock import WriterLock
from micrograph.atlas.read import read_graph
from micrograph.atlas.records import ModelRecord, NodeRecord, Picture, Visualization
from micrograph.errors import BadInput, Conflict, Unavailable, not_found

_LOG_PAGES = 128
"""Pages in the write-ahead log before it is folded back: 4 MB."""


class AtlasWriter:
    """The one writer of an atlas file. Use `open`, and `close` (or `with`) when done."""

    def __init__(self, path: Path, lock: WriterLock, connection: sqlite3.Connection) -> None:
        self.path = path
        self._lock = lock
        self._connection = connection
        self._nodes: dict[str, tuple[int, int]] = {}
        self._recipes: dict[str, int] = {}
        self._closed = False

    @classmethod
    def open(
        cls, path: Path | str, model: ModelRecord, nodes: Sequence[NodeRecord]
    ) -> "AtlasWriter":
        """Create the atlas of `model`, or go on with the one that is there.

        Raises Conflict when another process writes it or it was made from other weights,
        Unavailable when the folder cannot be written, BadInput when the file is no atlas.
        """
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"cannot make the folder {path.parent} ({error.strerror}); "
                "choose a folder you may write to with --atlas"
            ) from error
        lock = WriterLock(path)
        try:
            if not path.exists():
                _create(path, model)
            connection = _connect(path)
        except BaseException:
            lock.release()
            raise
        writer = cls(path, lock, connection)
        try:
            with writer._transaction():
                writer._describe(model, nodes)
        except BaseException:
            writer.close()
            raise
        return writer

    def __enter__(self) -> "AtlasWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; SQLite's errors come out as MicrographError."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._recipes.clear()
                raise
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def _describe(self, model: ModelRecord, nodes: Sequence[NodeRecord]) -> None:
        """Bring the graph up to date; visualizations of nodes no longer there stay."""
        connection = self._connection
        old, known = read_graph(connection)
        if (old.id, old.digest) != (model.id, model.digest):
            raise Conflict(
                f"{self.path} is an atlas of {old.id} with weights {old.digest[:12]}, not of "
                f"{model.id} with weights {model.digest[:12]}; choose another folder with --atlas"
            )
        if old != model or any(known.get(node.id) != node for node in nodes):
            _replace(connection, "model", ("id", *rows.MODEL_COLUMNS), (1, *rows.model_row(model)))
            for node in nodes:
                update = ", ".join(f"{c} = excluded.{c}" for c in rows.NODE_COLUMNS[1:])
                connection.execute(
                    f"INSERT INTO node ({', '.join(rows.NODE_COLUMNS)}) "
                    f"VALUES ({', '.join('?' * len(rows.NODE_COLUMNS))}) "
                    f"ON CONFLICT (name) DO UPDATE SET {update}",
                    rows.node_row(node),
                )
            _index(connection)
        self._nodes = {
            name: (id, units)
            for id, name, units in connection.execute("SELECT id, name, units FROM node")
        }

    def missing(
        self, node: str, units: Iterable[int], recipe: recipes.Recipe
    ) -> list[int]:
        """Those of `units`, in their order, that the atlas does not have by `recipe`."""
        id, _ = self._node(node)
        try:
            there = {
                unit
                for (unit,) in self._connection.execute(
                    "SELECT unit FROM visualization WHERE node = ? "
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

        Raises NotFound for an unknown node, BadInput for a unit out of range, a picture without
        bytes or a recipe stored under another name; Unavailable when the disk is full. Nothing is
        stored then.
        """
        with self._transaction() as connection:
            return sum(self._put(connection, v) for v in visualizations)

    def _put(self, connection: sqlite3.Connection, v: Visualization) -> bool:
        node, units = self._node(v.node)
        unit = -1 if v.unit is None else v.unit
        if v.unit is not None and not 0 <= v.unit < units:
            raise BadInput(f"{v.node} has units 0-{units - 1}; unit {v.unit} cannot be stored")
        recipe = self._recipe(connection, v)
        if connection.execute(
            "SELECT 1 FROM visualization WHERE node = ? AND unit = ? AND recipe = ?",
            (node, unit, recipe),
        ).fetchone():
            return False
        try:
            data, made_with = rows.dump(v.data), rows.dump(v.made_with)
        except (TypeError, ValueError) as error:
            raise BadInput(
                f"data of {v.node}/{v.unit} cannot be stored as JSON: {error}"
            ) from error
        connection.execute("INSERT OR IGNORE INTO maker (json) VALUES (?)", (made_with,))
        connection.execute(
            "INSERT INTO visualization "
            "(node, unit, recipe, picture, score, data, maker, created, seconds) "
            "VALUES (?, ?, ?, ?, ?, ?, (SELECT id FROM maker WHERE json = ?), ?, ?)",
            (node, unit, recipe, _picture(connection, v.picture), v.score, data, made_with,
             rows.to_seconds(v.created), v.seconds),
        )
        return True

    def _node(self, name: str) -> tuple[int, int]:
        """Row id and number of units of a node."""
        if name not in self._nodes:
            raise not_found("node", name, self._nodes, str(self.path))
        return self._nodes[name]

    def _recipe(self, connection: sqlite3.Connection, v: Visualization) -> int:
        """Row id of its recipe, stored once."""
        text = recipes.canonical(v.recipe)
        if text not in self._recipes:
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
                    "put technique, variant and seed into the recipe"
                )
            self._recipes[text] = id
        return self._recipes[text]

    def close(self) -> None:
        """Fold the log back: one plain file remains, unless a reader is at it just now."""
        if self._closed:
            return
        self._closed = True
        try:
            deadline = time.monotonic() + 5
            while not _fold(self._connection) and time.monotonic() < deadline:
                time.sleep(0.02)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error
        finally:
            self._connection.close()
            self._lock.release()


def _fold(connection: sqlite3.Connection) -> bool:
    """Try to leave write-ahead mode; False while a reader holds the file."""
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        return False
    return str(mode) == "delete"


def _create(path: Path, model: ModelRecord) -> None:
    """Make an empty atlas under another name and move it: no reader ever meets half a file."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        connection = sqlite3.connect(fresh, isolation_level=None)
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.executescript(f"BEGIN; {schema()} COMMIT;")
            _replace(connection, "model", ("id", *rows.MODEL_COLUMNS), (1, *rows.model_row(model)))
        finally:
            connection.close()
        fresh.rename(path)
    except sqlite3.Error as error:
        fresh.unlink(missing_ok=True)
        raise explain(error, path) from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
    try:
        check(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error as error:
        connection.close()
        raise explain(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _picture(connection: sqlite3.Connection, picture: Picture) -> int:
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


def _replace(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], values: Sequence[object]
) -> None:
    connection.execute(
        f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) "
        f"VALUES ({', '.join('?' * len(columns))})",
        tuple(values),
    )


def _index(connection: sqlite3.Connection) -> None:
    """Fill the search table from the graph. The first line of a text is what a hit shows."""
    model, nodes = read_graph(connection)
    found: list[tuple[str, str, str | None, int | None]] = [
        (f"{model.title}\n{model.id}", "model", None, None)
    ]
    found += [
        ("\n".join((node.id, *node.aliases)), "node", node.id, None) for node in nodes.values()
    ]
    outputs = [node.id for node in nodes.values() if node.units == len(model.labels)]
    output = outputs[-1] if outputs else None
    found += [
        (label, "label", output, None if output is None else unit)
        for unit, label in enumerate(model.labels)
    ]
    connection.execute("DELETE FROM search")
    connection.executemany("INSERT INTO search (text, kind, node, unit) VALUES (?, ?, ?, ?)", found)
