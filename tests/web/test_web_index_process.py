"""Large atlases are read for the index by a process of its own."""

import shutil
import time
from pathlib import Path

import pytest

from micrograph.atlas import Library
from micrograph.index import Index
from micrograph.index import index as following
from micrograph.web import indexing
from micrograph.web.index_process import read_elsewhere


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "atlases"))


def kept(index: Index, library: Library) -> dict[tuple[str, str], bytes | None]:
    states = library.snapshot().files.items()
    return {
        (path.name, name): index.stored_value(path, state, name)
        for path, state in states
        for name in indexing.MAKERS
    }


def test_it_keeps_what_this_process_would_keep(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_SMALL", -1)
    asked: list[list[str]] = []

    def elsewhere(places, paths, wanted) -> bool:
        asked.append(sorted(path.name for path in paths))
        return read_elsewhere(places, paths, wanted)

    found = []
    for number, way in enumerate((elsewhere, None)):
        place, library = tmp_path / f"index-{number}.sqlite", Library([copied])
        index = Index([place], indexing.MAKERS, way)
        index.follow(library.snapshot())
        assert index.wait_until_current(60)
        found.append(
            (
                kept(index, library),
                library.snapshot().search("cat"),
                index.hits(library.snapshot().files, "conv0", "node"),
            )
        )
        index.close()
    assert found[0] == found[1]
    assert any(found[0][0].values())
    assert asked == [sorted(path.name for path in copied.glob("*.atlas"))]


def test_where_there_is_no_such_process_files_are_read_here(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_SMALL", -1)
    monkeypatch.setattr("micrograph.web.index_process.COMMAND", (str(tmp_path / "nowhere"),))
    library = Library([copied])
    index = Index([tmp_path / "index.sqlite"], indexing.MAKERS, read_elsewhere)
    index.follow(library.snapshot())
    assert index.wait_until_current(60)
    assert any(kept(index, library).values())
    index.close()


def test_it_ends_when_nobody_wants_it_any_more(copied: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    paths = [*copied.glob("*.atlas")] * 200
    assert not read_elsewhere([tmp_path / "index.sqlite"], paths, lambda: False)
    assert time.monotonic() - begun < 10
