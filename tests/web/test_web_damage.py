"""One bad atlas beside a good one: everything else is shown, and its own pages say what is wrong,
with a status of the server's."""

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from web_samples import MODEL, NODES, picture, visualization

from micrograph.atlas import AtlasWriter
from micrograph.parts.commands import Commands


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.atlas"
    with AtlasWriter.open(path, replace(MODEL, id="badnet"), NODES) as writer:
        writer.put([visualization("mixed1a", unit, shared=picture(unit)) for unit in range(4)])
    return path


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE picture",
        "CREATE VIEW v AS SELECT 1",
        "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = 'x' WHERE name = 'node'",
        "UPDATE model SET labels = replace(hex(zeroblob(60000)), '00', '[')",
        "UPDATE node SET parents = '[\"logits\"]' WHERE name = 'conv0'",
    ],
)
def test_a_file_that_cannot_be_opened_is_one_line(client_of, folder, bad, sql) -> None:
    with closing(sqlite3.connect(bad)) as connection:
        connection.executescript(sql)
    client = client_of(folder, bad.parent)
    for path in ("/", "/models", "/search?q=car", "/models/tinynet", "/models/tinynet/mixed1a/3"):
        assert client.get(path).status_code == 200, path
    (problem,) = client.get("/models.json").json()["problems"]
    assert "bad.atlas" in problem
    assert client.get("/models/badnet").status_code == 404


def test_a_file_that_breaks_while_it_is_shown(client_of, folder, bad) -> None:
    client = client_of(folder, bad.parent)
    shown = client.get("/models/badnet/mixed1a/3.json").json()["visualizations"][0]["image"]
    assert client.get(shown).status_code == 200
    before = bad.stat()
    data = bytearray(bad.read_bytes())
    for at in range(len(data) // 4, len(data), 7):
        data[at] ^= 0x55
    bad.write_bytes(data)
    os.utime(bad, ns=(before.st_atime_ns, before.st_mtime_ns))
    for path in ("/", "/models", "/search?q=car", "/models/tinynet/mixed1a/3"):
        assert client.get(path).status_code == 200, path
    for path in ("/models/badnet", "/models/badnet/mixed1a/3", shown):
        assert client.get(path).status_code >= 404, path


def test_flipped_bytes_of_a_picture_are_never_served(client_of, folder, bad) -> None:
    client = client_of(folder, bad.parent)
    url = client.get("/models/badnet/mixed1a/3.json").json()["visualizations"][0]["image"]
    with closing(sqlite3.connect(bad)) as connection, connection:
        connection.execute("UPDATE picture SET data = CAST(data || x'00' AS BLOB)")
    answer = client.get(url)
    assert answer.status_code == 500
    assert "immutable" not in answer.headers.get("cache-control", "")
    assert "changed since" in answer.text


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE search_content",
        "DELETE FROM search_data",
        "DELETE FROM search_data WHERE id = 10",
        "UPDATE search_data SET block = zeroblob(length(block))",
        "UPDATE search_data SET block = x'00' WHERE id = 10",
        "UPDATE search_data SET block = substr(block, 1, length(block) / 2) WHERE id > 10",
        "UPDATE search_config SET v = 99",
        "DROP TABLE search_idx",
        "DROP TABLE search_docsize",
    ],
)
def test_a_file_that_cannot_be_searched_is_one_line_and_is_shown(
    client_of, folder, bad, sql
) -> None:
    with closing(sqlite3.connect(bad)) as connection, connection:
        connection.execute(sql)
    client = client_of(folder, bad.parent)
    for path in ("/", "/models/badnet", "/models/badnet/mixed1a/3", "/models/tinynet"):
        assert client.get(path).status_code == 200, path
    hits = client.get("/search.json?q=car").json()["hits"]
    assert "/models/tinynet/logits/0" in [hit["url"] for hit in hits]
    (problem,) = client.get("/models.json").json()["problems"]
    assert problem.startswith(f"{bad} is shown, but not searched: its index is damaged (")
    assert "not searched" in client.get("/").text


def test_what_cannot_be_searched_leaves_the_other_files_of_its_model(
    client_of, folder, tmp_path
) -> None:
    shutil.copy(folder / "tinynet.atlas", tmp_path / "more.atlas")
    with closing(sqlite3.connect(tmp_path / "more.atlas")) as connection, connection:
        connection.execute("DELETE FROM search_data")
    client = client_of(folder, tmp_path)
    hits = client.get("/search.json?q=wild").json()["hits"]
    assert "wild cat" in [hit["text"] for hit in hits]
    assert len(client.get("/models.json").json()["problems"]) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are Unicode")
def test_names_that_are_no_unicode_cost_nothing(client_of, tmp_path: Path, folder: Path) -> None:
    """Of a damaged file, of a sound one, and of the folder, which pages tell readers to type."""
    odd = tmp_path / "\udcfe"
    shutil.copytree(folder, odd)
    (odd / "\udcff.atlas").write_bytes(b"x")
    (odd / "tinynet.atlas").rename(odd / "\udcfd.atlas")
    site = client_of(odd, commands=Commands(str(odd)))
    assert "\\udcff.atlas" in str(site.get("/models.json").json()["problems"])
    for page in ("/", "/models", "/search?q=car", "/models/tinynet", "/models/tinynet/conv0/1"):
        assert site.get(page).status_code == 200, page
    assert site.get("/models/tinynet/conv0/1.json").json()["address"] == "tinynet/conv0/1"
