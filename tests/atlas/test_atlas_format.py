"""The file format: what the page in docs says, and what the schema makes, are the same."""

import re
import sqlite3
from pathlib import Path

import pytest
from samples import sample_atlas

from micrograph.atlas import Atlas, compact
from micrograph.atlas.format import APPLICATION_ID, PAGE_SIZE
from micrograph.atlas.versions import VERSION
from micrograph.errors import Conflict, NotFound

PAGE = Path(__file__).parents[2] / "docs" / "atlas-format.md"


@pytest.fixture
def connection(tmp_path: Path):
    connection = sqlite3.connect(sample_atlas(tmp_path))
    yield connection
    connection.close()


def tables(connection: sqlite3.Connection) -> dict[str, dict[str, str]]:
    """Column types by table and column; FTS5's own shadow tables left out."""
    names = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' "
        "AND name NOT LIKE 'sqlite_%'"
    )
    return {
        name: dict(connection.execute("SELECT name, type FROM pragma_table_info(?)", (name,)))
        for (name,) in names.fetchall()
    }


def documented() -> dict[str, dict[str, str]]:
    """Column types by table and column, as the page has them."""
    found: dict[str, dict[str, str]] = {}
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        name = section.split(":")[0].strip()
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if line.startswith("| ") and cells[0] != "column":
                type = cells[1] if re.fullmatch("[A-Z]+", cells[1]) else ""
                found.setdefault(name, {}).update(dict.fromkeys(cells[0].split(", "), type))
    return found


def test_the_page_names_every_table_and_column_with_its_type(
    connection: sqlite3.Connection,
) -> None:
    assert documented() == tables(connection)


def test_the_page_fits_one_page_and_its_query_runs(connection: sqlite3.Connection) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(text) < 8500
    (query,) = re.findall(r"```sql\n(.*?)```", text, re.S)
    assert len(connection.execute(query.replace("mixed4a", "mixed1a")).fetchall()) == 1


def test_marks_and_one_plain_file(connection: sqlite3.Connection) -> None:
    def pragma(name: str) -> object:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("application_id") == APPLICATION_ID == int.from_bytes(b"MGRA", "big")
    assert pragma("user_version") == VERSION == 3
    assert pragma("page_size") == PAGE_SIZE
    assert pragma("journal_mode") == "delete"
    assert pragma("integrity_check") == "ok"
    assert "application_id` (byte 68) MUST be 0x4D475241" in PAGE.read_text(encoding="utf-8")


def test_every_table_is_strict(connection: sqlite3.Connection) -> None:
    loose = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
        "AND NOT strict AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    assert loose == []


def test_rows_are_small(tmp_path: Path) -> None:
    """Beside the picture's own bytes a visualization takes little, however long its recipe."""
    from samples import NODES, visualization

    long = {"note": "x" * 5000}
    put = [
        visualization(n.id, u, seed=s, **long)
        for n in NODES[:3]
        for u in range(n.units)
        for s in range(8)
    ]
    path = sample_atlas(tmp_path, put)
    bytes_of_pictures = sum(len(v.picture.data) for v in put)
    connection = sqlite3.connect(path)
    free = sum(
        PAGE_SIZE * pages
        for (pages,) in connection.execute("SELECT count(*) FROM sqlite_schema WHERE rootpage > 0")
    )
    connection.close()
    overhead = (path.stat().st_size - bytes_of_pictures - free) / len(put)
    assert overhead < 600


def test_compacting_keeps_everything_and_drops_the_slack(tmp_path: Path) -> None:
    path = sample_atlas(tmp_path)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE ballast (x BLOB)")
        connection.execute("INSERT INTO ballast VALUES (zeroblob(1000000))")
    with connection:
        connection.execute("DROP TABLE ballast")
    connection.close()
    target = tmp_path / "small.atlas"
    assert compact(path, target) == target.stat().st_size < path.stat().st_size - 900_000
    before, after = Atlas.open(path), Atlas.open(target)
    assert after.model == before.model
    assert after.counts() == before.counts()
    for node in before.nodes:
        tiles = before.tiles(node, "feature_vis", "channel")
        assert after.tiles(node, "feature_vis", "channel") == tiles
        assert [after.picture(t.digest) for t in tiles] == [before.picture(t.digest) for t in tiles]
    with pytest.raises(Conflict):
        compact(path, target)
    with pytest.raises(NotFound):
        compact(tmp_path / "none.atlas", tmp_path / "x.atlas")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["small.atlas", "tinynet.atlas"]
