"""Atlases that somebody else wrote, with values that ours never has: in every column of every
table, a view or trigger in a table's place, questions without an end. Each answer is an answer or
one clear line, within a moment."""

import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from mutated_atlases import SEARCHED, TABLES, VALUES, loosened, rich_atlas

from micrograph.atlas import Atlas, Library
from micrograph.atlas import format as atlas_format
from micrograph.errors import DamagedAtlas, MicrographError, Unavailable


def ask_everything(path: Path) -> None:
    atlas = Atlas.open(path)
    atlas.counts()
    atlas.rendered()
    atlas.search("conv")
    atlas.searchable()
    atlas.subjects()
    atlas.first_pictures("feature_vis", "channel")
    for dataset in atlas.datasets():
        atlas.samples(dataset.digest, range(4))
    for node in atlas.nodes:
        for unit in (None, 0, 1):
            for v in atlas.visualizations(node, unit):
                atlas.arrays(node, unit, v.technique, v.variant)
        atlas.results(node, "feature_vis", "channel")
        for tile in atlas.tiles(node, "feature_vis", "channel"):
            atlas.picture(tile.digest)


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, list[str]]]:
    path = rich_atlas(tmp_path_factory.mktemp("loose"))
    columns = loosened(path)
    ask_everything(path)
    return path.read_bytes(), columns


@pytest.mark.parametrize("table", [*TABLES, "search"])
def test_some_values_in_any_column(tmp_path: Path, table: str, loose) -> None:
    """Two for each column, others for each; all of them at night."""
    columns = loose[1].get(table, SEARCHED)
    some = list(VALUES.values())
    values = {column: some[k % 5 :: 5] for k, column in enumerate(columns)}
    hurt(tmp_path / "hurt.atlas", loose[0], table, values)


@pytest.mark.nightly
@pytest.mark.parametrize("table", [*TABLES, "search"])
def test_any_value_in_any_column(tmp_path: Path, table: str, loose) -> None:
    values = {column: [*VALUES.values()] for column in loose[1].get(table, SEARCHED)}
    hurt(tmp_path / "hurt.atlas", loose[0], table, values)


def test_every_table_is_tried(tmp_path: Path) -> None:
    with closing(sqlite3.connect(rich_atlas(tmp_path))) as connection:
        made = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    own = {name for (name,) in made if not name.startswith(("sqlite_", "search"))}
    assert own == {*TABLES}
    with closing(sqlite3.connect(tmp_path / "tinynet.atlas")) as connection:
        empty = [t for t in TABLES if not connection.execute(f"SELECT 1 FROM {t}").fetchone()]
    assert not empty


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE node SET units = 1000001", "whole number from 0 to 1000000"),
        ("UPDATE node SET units = -1", "whole number from 0 to 1000000"),
        (
            (
                "WITH RECURSIVE n(i) AS (SELECT 9 UNION ALL SELECT i + 1 FROM n WHERE i < 20010) "
                "INSERT INTO node SELECT i, 'n' || i, i, kind, 1, shape, field_size, field_stride, "
                "field_start, field_status, '[]', '[]', 1 FROM n, node WHERE node.name = 'conv0'"
            ),
            "more than 20000 nodes",
        ),
        (
            (
                "UPDATE node SET parents = (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + "
                "1 FROM n WHERE i < 10001) SELECT json_group_array('x') FROM n) "
                "WHERE name = 'logits'"
            ),
            "more than 10000 parents",
        ),
        (
            (
                "WITH RECURSIVE n(i) AS (SELECT 9 UNION ALL SELECT i + 1 FROM n WHERE i < 40) "
                "INSERT INTO node SELECT i, 'n' || i, i, kind, 1000000, shape, field_size, "
                "field_stride, field_start, field_status, '[]', '[]', 1 FROM n, node "
                "WHERE node.name = 'conv0'"
            ),
            "more than 20000000 units",
        ),
        ("UPDATE model SET labels = '[\"' || hex(zeroblob(9000000)) || '\"]'", "no JSON"),
    ],
)
def test_sizes_that_no_network_has(tmp_path: Path, sql: str, says: str) -> None:
    path = rich_atlas(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)
    with pytest.raises(DamagedAtlas, match=says):
        Atlas.open(path)


def test_more_results_than_a_page_reads(tmp_path: Path) -> None:
    path = rich_atlas(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 "
            "FROM n WHERE i < 10200) SELECT i FROM n;"
            "INSERT INTO recipe SELECT i, CAST(i AS BLOB), 'x', 'y', i, '{}' FROM n;"
            "INSERT INTO visualization (node, unit, recipe, score, data, maker, created, seconds, "
            "subject) SELECT 1, 2, i, 0, '{}', 1, 0, 0, '' FROM n"
        )
    with pytest.raises(DamagedAtlas, match="more than 10000 results of one place"):
        Atlas.open(path).visualizations("conv0", 2)
    assert Atlas.open(path).visualizations("conv0", 1)


def hurt(path: Path, data: bytes, table: str, values: dict[str, list[Any]]) -> None:
    for column, each in values.items():
        for value in each:
            path.write_bytes(data)
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
            with suppress(MicrographError):
                ask_everything(path)


def test_one_bad_row_costs_that_row(tmp_path: Path, loose) -> None:
    path = tmp_path / "hurt.atlas"
    path.write_bytes(loose[0])
    before = Atlas.open(path).tiles("mixed1a", "feature_vis", "channel")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE visualization SET score = 'x' WHERE unit = 1 AND node = "
            "(SELECT id FROM node WHERE name = 'mixed1a')"
        )
    after = Atlas.open(path).tiles("mixed1a", "feature_vis", "channel")
    assert [t for t in before if t.unit != 1] == after
    assert len(before) == len(after) + 1


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE picture",
        "DROP TABLE search",
        "ALTER TABLE picture RENAME TO p; CREATE VIEW picture AS SELECT * FROM p",
        "CREATE TRIGGER t AFTER INSERT ON node BEGIN SELECT 1; END",
        "CREATE VIEW other AS SELECT 1",
        "DROP TABLE maker; CREATE VIRTUAL TABLE maker USING fts5 (id, json)",
        "DROP TABLE maker; CREATE TABLE maker (id, json AS (id + 1))",
    ],
)
def test_other_things_in_place_of_tables(tmp_path: Path, sql: str) -> None:
    path = rich_atlas(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)
    with pytest.raises(DamagedAtlas, match="damaged"):
        Atlas.open(path)
    assert [str(p.path) for p in Library([tmp_path]).snapshot().problems] == [str(path)]


def test_a_graph_with_a_cycle(tmp_path: Path) -> None:
    path = rich_atlas(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE node SET parents = '[\"mixed1a\"]' WHERE name = 'conv0'")
    with pytest.raises(DamagedAtlas, match="cycle through"):
        Atlas.open(path)


def test_changed_bytes_of_a_picture_are_not_given_out(tmp_path: Path) -> None:
    path = rich_atlas(tmp_path)
    atlas = Atlas.open(path)
    tile = atlas.tiles("mixed1a", "feature_vis", "channel")[0]
    whole = atlas.picture(tile.digest)
    assert whole is not None
    data = bytearray(whole.data)
    data[len(data) // 2] ^= 1
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE picture SET data = ? WHERE digest = ?",
            (bytes(data), bytes.fromhex(tile.digest)),
        )
    with pytest.raises(DamagedAtlas, match="changed since"):
        atlas.picture(tile.digest)


def test_changed_bytes_of_an_array_are_not_given_out(tmp_path: Path, caplog) -> None:
    path = rich_atlas(tmp_path)
    atlas = Atlas.open(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        found = connection.execute(
            "SELECT n.name, v.unit, r.technique, r.variant, a.data, a.rowid FROM array a "
            "JOIN visualization v ON v.id = a.visualization JOIN recipe r ON r.id = v.recipe "
            "JOIN node n ON n.id = v.node"
        ).fetchone()
        node, unit, technique, variant, data, rowid = found
        place = (node, None if unit < 0 else unit, technique, variant)
        there = len(atlas.arrays(*place))
        connection.execute(
            "UPDATE array SET data = ? WHERE rowid = ?", (bytes([data[0] ^ 1]) + data[1:], rowid)
        )
    assert len(atlas.arrays(*place)) == there - 1
    assert "changed since" in caplog.text


def test_a_question_without_an_end_is_given_up(tmp_path: Path, monkeypatch) -> None:
    path = rich_atlas(tmp_path)
    monkeypatch.setattr(atlas_format, "_STEPS", 1000)
    started = time.monotonic()
    with (
        pytest.raises(Unavailable, match="took longer"),
        atlas_format.reading(path, seconds=0.2) as connection,
    ):
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        ).fetchone()
    assert time.monotonic() - started < 60
