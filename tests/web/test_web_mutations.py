"""The site over atlases that somebody else wrote, with values that ours never has: each page is a
page, or says what is wrong with the file."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from answer_rules import check
from asked import Asked, ask
from mutated_atlases import SEARCHED, TABLES, VALUES, loosened, rich_atlas
from web_client import Client

from micrograph.atlas import Library
from micrograph.web import create_app

PAGES = (
    "/models.json",
    "/models/tinynet",
    "/models/tinynet.json?lens=units",
    "/models/tinynet/mixed1a",
    "/models/tinynet/mixed1a?sort=colour",
    "/models/tinynet/mixed1a/1",
    "/models/tinynet/mixed1a/0.json",
    "/models/tinynet/conv0.sae/0",
    "/compare?here=tinynet&there=tinynet",
    "/search?q=conv",
)


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, list[str]]]:
    path = rich_atlas(tmp_path_factory.mktemp("loose"))
    columns = loosened(path)
    return path.read_bytes(), {**columns, "search": [*SEARCHED]}


@pytest.mark.parametrize("table", [*TABLES, "search"])
def test_some_values_in_some_columns(tmp_path: Path, table: str, loose) -> None:
    values = [*VALUES]
    for k, column in enumerate(loose[1][table][1:3]):
        value = values[(k + len(table)) % len(values)]
        hurt(tmp_path / "hurt.atlas", loose[0], table, column, value, PAGES[::3])


@pytest.mark.nightly
@pytest.mark.parametrize("table", [*TABLES, "search"])
def test_any_value_in_each_column(tmp_path: Path, table: str, loose) -> None:
    for column in loose[1][table]:
        for value in VALUES:
            hurt(tmp_path / "hurt.atlas", loose[0], table, column, value, PAGES)


def test_what_made_a_result_may_be_other_values_than_texts(tmp_path: Path, loose) -> None:
    said = {"torch": "2.13.0", "threads": 4, "devices": ["cpu", None], "of": {"é": 0.5}}
    (tmp_path / "other.atlas").write_bytes(loose[0])
    with closing(sqlite3.connect(tmp_path / "other.atlas")) as connection, connection:
        connection.execute("UPDATE maker SET json = ?", (json.dumps(said),))
    client = Client(create_app(Library([tmp_path])))
    (told, *_) = client.get("/models/tinynet/mixed1a/0.json").json()["visualizations"]
    shown = {"torch": "2.13.0", "threads": "4", "devices": '["cpu", null]', "of": '{"é": 0.5}'}
    assert told["made_with"] == shown
    assert "&#34;cpu&#34;, null" in client.get("/models/tinynet/mixed1a/0").text


def hurt(
    path: Path, data: bytes, table: str, column: str, value: str, pages: tuple[str, ...]
) -> None:
    """`pages` over an atlas with that value in a whole column."""
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {table} SET {column} = ?", (VALUES[value],))
    app = create_app(Library([path]))

    async def run() -> None:
        for page in pages:
            asked = Asked("GET", page, (("host", "localhost"),))
            answered = await ask(app, asked)
            where = f"{table}.{column} = {value}: {page}"
            assert answered.error is None, f"{where} raised {answered.error!r}"
            if answered.status == 500:
                said: Any = answered.body.decode()
                if page.partition("?")[0].endswith(".json"):
                    said = json.loads(said)["message"]
                assert "is damaged" in said, where
                answered.status = 404  # else as every error
            elif answered.status == 200:
                assert "its code failed" not in answered.body.decode(), where
            if answered.status == 200 or "json" not in page:
                check(asked, answered)

    asyncio.run(run())
