"""Files that are no atlas, or no longer: one line that says so, whatever is wrong with them."""

import random
import sqlite3
from pathlib import Path

import pytest
from samples import MODEL, NODES, sample_atlas

from micrograph.atlas import Atlas, AtlasWriter
from micrograph.errors import BadInput, MicrographError, NotFound


def open_both(path: Path, error: type[Exception], says: str) -> None:
    """Neither a reader nor a writer takes it, and it stays as it was."""
    before = path.read_bytes()
    for attempt in (lambda: Atlas.open(path), lambda: AtlasWriter.open(path, MODEL, NODES)):
        with pytest.raises(error, match=says) as told:
            attempt()
        assert "\n" not in str(told.value)
        assert str(path) in str(told.value)
    assert path.read_bytes() == before
    assert [f.name for f in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "content", [b"", b"x", b"SQLite format 3\0", b"\x89PNG\r\n" * 500, b"\0" * 5000]
)
def test_files_of_other_kinds(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tinynet.atlas"
    path.write_bytes(content)
    open_both(path, BadInput, "not an atlas")


def test_a_database_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "tinynet.atlas"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE model (id)")
    connection.close()
    open_both(path, BadInput, "not an atlas")


@pytest.mark.parametrize(("version", "remedy"), [(4, "upgrade"), (999, "upgrade"), (0, "render")])
def test_another_version(tmp_path: Path, version: int, remedy: str) -> None:
    path = sample_atlas(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    open_both(path, BadInput, rf"format {version}.*reads format 3.*{remedy}")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.999])
def test_cut_short(tmp_path: Path, share: float) -> None:
    path = sample_atlas(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    open_both(path, BadInput, "cut short")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="micrograph render"):
        Atlas.open(tmp_path / "none.atlas")


def test_a_file_that_goes_away_while_it_is_shown(tmp_path: Path) -> None:
    atlas = Atlas.open(sample_atlas(tmp_path))
    atlas.path.unlink()
    with pytest.raises(MicrographError):
        atlas.counts()
    assert list(tmp_path.iterdir()) == []


def test_an_atlas_without_its_tables(tmp_path: Path) -> None:
    path = sample_atlas(tmp_path)
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE visualization; DELETE FROM model")
    connection.close()
    with pytest.raises(BadInput, match="damaged"):
        Atlas.open(path)


def test_random_damage_never_shows_as_anything_but_a_clear_error(tmp_path: Path) -> None:
    """Bytes changed at random: every answer is an answer or a MicrographError."""
    whole = sample_atlas(tmp_path / "whole")
    data = whole.read_bytes()
    rng = random.Random(1)
    used = [at for at in range(len(data)) if data[at]]
    complaints: list[str] = []
    path = tmp_path / "hurt.atlas"
    for _ in range(150):
        hurt = bytearray(data)
        for _ in range(rng.choice([1, 30, 1000])):
            hurt[rng.choice(used)] = rng.randrange(256)
        path.write_bytes(hurt)
        try:
            atlas = Atlas.open(path)
            atlas.counts()
            atlas.search("conv")
            for node in ("conv0", "mixed1a"):
                for tile in atlas.tiles(node, "feature_vis", "channel"):
                    atlas.picture(tile.digest)
                atlas.visualizations(node, 0)
        except MicrographError as error:
            complaints.append(str(error))
    assert len(complaints) > 20
    assert not any("\n" in complaint for complaint in complaints)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE node SET units = 1000000000",
        "UPDATE node SET units = -1",
        "UPDATE node SET shape = '[\"y\"]'",
        "UPDATE node SET parents = '\"conv0\"'",
        "UPDATE node SET aliases = '[3]'",
        "UPDATE node SET name = '../' || name",
        "UPDATE model SET labels = '{}'",
        "UPDATE model SET preprocessing = '[]'",
        "UPDATE model SET name = 'a/b'",
    ],
)
def test_sound_tables_with_senseless_content(tmp_path: Path, change: str) -> None:
    path = sample_atlas(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()
    open_both(path, BadInput, "is damaged")
