"""The file of an index: deleted, damaged, held by others, out of date; a page never notices."""

import dataclasses
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from profile_samples import NUMBERS, floats, quantized, row, write
from samples import MODEL, NODES, sample_atlas, visualization
from web_client import Client

from micrograph.atlas import AtlasWriter, Library, Snapshot, bundled_gallery
from micrograph.index import Index, index, places_for
from micrograph.lenses.similar import profiles
from micrograph.lenses.similar.neighbours import by_profile
from micrograph.parts.urls import Urls
from micrograph.web import create_app
from micrograph.web.indexing import index_of
from micrograph.web.known import Known
from micrograph.web.pages.other import search_page
from micrograph.web.pages.start import start_page

PAGES = ("/", "/models", "/search?q=car", "/models/tinynet", "/models/tinynet/conv0/1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two atlases; `second` has profiles."""
    folder = tmp_path / "atlases"
    sample_atlas(folder)
    write(folder, "second", [row("second", "conv0", quantized(floats(8, 1), NUMBERS))])
    return folder


OPEN: list[Index] = []
"""Closed after each test."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(index, "_PAUSE", 0.01)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield
    while OPEN:
        OPEN.pop().close()


def indexed(folder: Path) -> tuple[Index, Library]:
    """A library with its index, which is up to date."""
    made = index_of([folder])
    OPEN.append(made)
    library = Library([folder], index=made)
    library.snapshot()
    assert made.wait_until_current(60)
    return made, library


def known(made: Index, snapshot: Snapshot, text: str = "car") -> dict[str, int]:
    """The files of which the index knows what labels a search finds, and how many those are."""
    return {path.stem: len(h) for path, h in made.hits(snapshot.files, text, "label").items()}


def check_answers(library: Library, folder: Path) -> None:
    """Searches, the list of models and similar units are what they are without an index."""
    with_index, without = library.snapshot(), Library([folder]).snapshot()
    for there in (with_index, without):
        assert search_page(there, "bus", Urls()).hits
    for text in ("car", "conv0", "zebra"):
        assert search_page(with_index, text, Urls()) == search_page(without, text, Urls())
    lists = [start_page(s, Urls(), "models", lambda id: Known()) for s in (with_index, without)]
    assert asdict(lists[0]) == asdict(lists[1])
    near = []
    for there in (with_index, without):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(profiles, "_CACHE", profiles._Cache())
            near.append([by_profile(r, "conv0", 1, there.atlases()) for r in there.atlases()])
    assert near[0] == near[1]


def test_it_lies_beside_the_atlases_and_answers(folder: Path) -> None:
    made, library = indexed(folder)
    assert made.path == folder / "index.sqlite"
    assert known(made, library.snapshot()) == {"tinynet": 1, "second": 0}
    check_answers(library, folder)
    with_index, without = (Client(create_app(lib)) for lib in (library, Library([folder])))
    for page in PAGES:
        assert with_index.get(page).status_code == 200
        assert with_index.get(page).text == without.get(page).text


def test_an_index_of_before_is_used_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = indexed(folder)
    made.close()
    monkeypatch.setattr(Index, "_read", None)  # nothing has to be read
    again, library = indexed(folder)
    assert known(again, library.snapshot()) == {"tinynet": 1, "second": 0}


def test_an_index_that_lacks_a_value_is_filled_up(folder: Path) -> None:
    """As another version of the program left it, which kept less or in another form."""
    made, library = indexed(folder)
    place = made.path
    made.close()
    assert place is not None
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("DELETE FROM kept WHERE name = ?", (profiles.KEPT_AS,))
    again, library = indexed(folder)
    for path, state in library.snapshot().files.items():
        assert again.stored_value(path, state, profiles.KEPT_AS) is not None
    check_answers(library, folder)


def test_changed_and_removed_atlases(folder: Path) -> None:
    made, library = indexed(folder)
    renamed = dataclasses.replace(MODEL, labels=("lorry", "bus", "wild cat"))
    AtlasWriter.open(folder / "tinynet.atlas", renamed, NODES).close()
    assert library.search("car") == []
    assert [hit.text for hit in library.search("lorry")] == ["lorry"]
    assert made.wait_until_current(60)
    assert known(made, library.snapshot(), "lorry") == {"tinynet": 1, "second": 0}
    assert [hit.text for hit in library.search("lorry")] == ["lorry"]
    (folder / "tinynet.atlas").unlink()
    assert library.search("lorry") == []
    assert made.wait_until_current(60)
    with closing(sqlite3.connect(folder / "index.sqlite")) as file:
        assert file.execute("SELECT path FROM file").fetchall() == [(str(folder / "second.atlas"),)]
        (rows,) = file.execute("SELECT count(*) FROM search WHERE search MATCH 'lorry'").fetchone()
    assert rows == 0


def test_a_file_that_is_being_written_is_read_itself(folder: Path) -> None:
    made, library = indexed(folder)
    with AtlasWriter.open(folder / "tinynet.atlas", MODEL, NODES) as writer:
        writer.put([visualization("conv0", 1, seed=7)])
        assert made.wait_until_current(60)
        assert "tinynet" not in known(made, library.snapshot())
        assert [hit.text for hit in library.search("car")] == ["car"]
        check_answers(library, folder)
    library.snapshot()
    assert made.wait_until_current(60)
    assert known(made, library.snapshot())["tinynet"] == 1


def test_a_bad_atlas_stays_one_problem(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "broken.atlas").write_bytes(b"not a database" * 99)
    made, library = indexed(folder)
    assert [p.path.name for p in library.problems] == ["broken.atlas"]
    assert set(known(made, library.snapshot())) == {"tinynet", "second"}
    assert not caplog.records
    check_answers(library, folder)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 9999)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def _other_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 999")
        file.execute("DROP TABLE file")


SPOILED = (_cut, _garbage, _empty, _pages, _other_version, Path.unlink)


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_spoiled_index_is_made_anew(
    spoil, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    indexed(folder)[0].close()
    spoil(folder / "index.sqlite")
    caplog.set_level(logging.INFO)
    made, library = indexed(folder)
    check_answers(library, folder)
    assert made.wait_until_current(60)
    assert known(made, library.snapshot()) == {"tinynet": 1, "second": 0}
    assert len([r for r in caplog.records if r.name.startswith("micrograph")]) <= 1


@pytest.mark.parametrize("spoil", SPOILED)
def test_an_index_spoiled_while_it_is_open(
    spoil, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made, library = indexed(folder)
    spoil(folder / "index.sqlite")
    check_answers(library, folder)
    sample_atlas(folder, model=dataclasses.replace(MODEL, id="third"))
    check_answers(library, folder)
    assert made.wait_until_current(60)
    assert [hit.model for hit in library.search("car")] == ["third", "tinynet"]
    assert known(made, library.snapshot()) == {"tinynet": 1, "second": 0, "third": 1}
    lines = [r.getMessage() for r in caplog.records if r.name.startswith("micrograph")]
    assert len(lines) <= 1
    assert all("\n" not in line for line in lines)


def test_values_that_were_altered_are_not_used(folder: Path) -> None:
    made, _ = indexed(folder)
    made.close()
    with closing(sqlite3.connect(folder / "index.sqlite")) as file:
        file.execute("UPDATE kept SET value = zeroblob(length(value))")
        file.commit()
    _, library = indexed(folder)
    check_answers(library, folder)


def test_an_index_that_another_process_holds_is_done_without(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    indexed(folder)[0].close()
    with closing(sqlite3.connect(folder / "index.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        made, library = indexed(folder)
        check_answers(library, folder)
        assert known(made, library.snapshot()) == {}
        assert len(caplog.records) == 1
        assert (folder / "index.sqlite").exists()
        other.execute("ROLLBACK")
    sample_atlas(folder, model=dataclasses.replace(MODEL, id="third"))
    library.snapshot()
    made.wait_until_current(60)
    assert set(known(made, library.snapshot())) == {"tinynet", "second", "third"}


def test_a_database_of_somebody_else_stays(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "index.sqlite")) as file:
        file.execute("CREATE TABLE mine (x)")
    before = (folder / "index.sqlite").read_bytes()
    made, library = indexed(folder)
    assert made.path != folder / "index.sqlite"
    assert known(made, library.snapshot()) == {"tinynet": 1, "second": 0}
    assert (folder / "index.sqlite").read_bytes() == before


def test_where_no_folder_can_be_written_it_lies_in_the_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert places_for([bundled_gallery()])[0].is_relative_to(tmp_path / "cache")
    monkeypatch.setattr("micrograph.index.places.os.access", lambda *_: False)
    made, library = indexed(folder)
    assert made.path is not None
    assert made.path.parent == tmp_path / "cache" / "micrograph"
    assert known(made, library.snapshot()) == {"tinynet": 1, "second": 0}


def test_where_nothing_can_be_written_it_is_done_without(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    made = Index([tmp_path / "file" / "index.sqlite"])
    library = Library([folder], index=made)
    check_answers(library, folder)
    assert made.wait_until_current(60)
    assert made.path is None
    assert len(caplog.records) == 1


def test_many_threads_ask_while_it_is_made(folder: Path) -> None:
    expected = Library([folder]).search("car")
    made = index_of([folder])
    OPEN.append(made)
    library = Library([folder], index=made)
    wrong: list[object] = []

    def ask() -> None:
        for _ in range(30):
            found = library.search("car")
            if found != expected:
                wrong.append(found)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert made.wait_until_current(60)


_OTHER = """
import sys
from pathlib import Path
from micrograph.atlas import Library
from micrograph.web.indexing import index_of
folder = Path(sys.argv[1])
index = index_of([folder])
library = Library([folder], index=index)
for _ in range(40):
    assert [h.model for h in library.search("car")] == sys.argv[2].split(","), library.search("car")
assert index.wait_until_current(60)
print(len(index.hits(library.snapshot().files, "car", "label")))
"""


def test_two_processes_make_one_index(folder: Path) -> None:
    names = [f"net{k}" for k in range(6)]
    for name in names:
        sample_atlas(folder, model=dataclasses.replace(MODEL, id=name))
    command = [sys.executable, "-c", _OTHER, str(folder), ",".join([*names, "tinynet"])]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], told
    assert [out.strip() for out, _ in told] == ["8", "8"]


def test_a_copied_folder_has_an_index_of_its_own(folder: Path, tmp_path: Path) -> None:
    indexed(folder)[0].close()
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "second.atlas").unlink()
    made, library = indexed(tmp_path / "copy")
    assert known(made, library.snapshot()) == {"tinynet": 1}
    check_answers(library, tmp_path / "copy")
