"""kill -9 at any moment of whatever writes, the same command again: nothing lost, nothing twice,
nothing half that can be taken for the whole. The full hundred kills of each are nightly."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from micrograph.atlas import Atlas, verify
from micrograph.sweep import part

SCRIPT = Path(__file__).with_name("kill_rounds.py")
HELPERS = Path(__file__).parents[1] / "helpers"
OTHERS = ("sweep", "parts", "import", "export", "fetch", "take", "write")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def killed(folder: Path, kills: int, seed: int, *works: str) -> dict[str, dict[str, list[str]]]:
    """What kill_rounds.py tells of each work."""
    paths = os.pathsep.join([str(HELPERS), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), str(kills), str(seed), *works],
        capture_output=True,
        text=True,
        timeout=280 if kills < 50 else 3000,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert all(len(one["states"]) == kills for one in told.values())
    return told


def pictures(folder: Path) -> list[tuple[object, ...]]:
    """Every address with its recipe, score and picture, straight from the tables."""
    assert [f.name for f in folder.iterdir()] == ["small.atlas"]
    return atlas_content(folder / "small.atlas")


def atlas_content(path: Path) -> list[tuple[object, ...]]:
    """As `pictures`, of one file."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        (orphans,) = connection.execute(
            "SELECT count(*) FROM picture WHERE id NOT IN (SELECT picture FROM visualization "
            "WHERE picture IS NOT NULL UNION SELECT picture FROM sample WHERE picture IS NOT NULL)"
        ).fetchone()
        assert orphans == 0
        return connection.execute(
            "SELECT n.name, v.unit, r.digest, v.score, v.data, p.digest, "
            "(SELECT group_concat(name || hex(data)) FROM array WHERE visualization = v.id) "
            "FROM visualization v JOIN node n ON n.id = v.node JOIN recipe r ON r.id = v.recipe "
            "LEFT JOIN picture p ON p.id = v.picture ORDER BY 1, 2, 3"
        ).fetchall()
    finally:
        connection.close()


def samples(path: Path) -> list[tuple[object, ...]]:
    """The pictures of datasets in an atlas."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(
            "SELECT d.digest, s.number, s.name, s.class, p.data FROM sample s "
            "JOIN dataset d ON d.id = s.dataset LEFT JOIN picture p ON p.id = s.picture "
            "ORDER BY 1, 2"
        ).fetchall()
    finally:
        connection.close()


def swept(folder: Path) -> object:
    return pictures(folder), samples(folder / "small.atlas")


def in_parts(folder: Path) -> object:
    assert sorted(f.name for f in folder.iterdir()) == ["atlas", "part1", "part2", "part3"]
    # Beside the arrays are texts, which safetensors puts into another order at every write.
    read = [part.read(folder / f"part{n}")[0] for n in (1, 2, 3)]
    arrays = [{name: a.tobytes() for name, a in one.arrays.items()} for one in read]
    return arrays, [(one.spec, one.skipped) for one in read], swept(folder / "atlas")


def files(folder: Path) -> object:
    """All files by their names and bytes; there is nothing else, hidden or not."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if not path.is_dir() or not any(path.iterdir())
    }


def exported(folder: Path) -> object:
    names = sorted(path.name for path in folder.iterdir())
    assert [verify(folder / name).losses for name in names] == [[]] * 4
    return {name: atlas_content(folder / name) for name in names}


CONTENT: dict[str, Callable[[Path], object]] = {
    "render": pictures,
    "sweep": swept,
    "parts": in_parts,
    "import": files,
    "export": exported,
    "fetch": files,
    "take": files,
    "write": files,
}


def check_rounds(folder: Path, work: str, told: dict[str, list[str]]) -> None:
    """Every round came to what an unbroken run makes."""
    content = CONTENT[work]
    whole = content(folder / "whole")
    assert whole
    for name in told["rounds"]:
        assert content(folder / name) == whole, f"{work}, {name}"


def test_a_render_killed_ten_times_gives_what_an_unbroken_one_gives(tmp_path: Path) -> None:
    told = killed(tmp_path, 10, 5, "render")["render"]
    assert len(set(told["states"])) > 3, f"kills should hit early and late: {told['states']}"
    folder = tmp_path / "render"
    whole = pictures(folder / "whole")
    assert len(whole) == len({row[:3] for row in whole}) == (10 + 14) * 2
    assert len({picture for *_, picture, _ in whole}) > 40, "the pictures should differ"
    check_rounds(folder, "render", told)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, list[str]]]]:
    """A few kills of each."""
    folder = tmp_path_factory.mktemp("kills")
    return folder, killed(folder, 2, 7, *OTHERS)


@pytest.mark.parametrize("work", OTHERS)
def test_so_does_whatever_else_writes(work: str, short) -> None:
    folder, told = short
    check_rounds(folder / work, work, told[work])


def test_the_merged_parts_are_the_sweep(short) -> None:
    folder, _ = short
    apart = folder / "parts" / "whole" / "atlas"
    assert content_but_for_pictures(apart) == content_but_for_pictures(folder / "sweep" / "whole")
    assert len(samples(apart / "small.atlas")) > 20


def content_but_for_pictures(folder: Path) -> object:
    """The two may keep the pictures of samples in formats of their own."""
    with Atlas.open(folder / "small.atlas") as atlas:
        assert len(atlas.datasets()) == 1
    return pictures(folder)


@pytest.mark.nightly
@pytest.mark.parametrize("work", CONTENT)
def test_a_hundred_times(tmp_path: Path, work: str) -> None:
    told = killed(tmp_path, 100, 11, work)[work]
    if work != "import":  # there is nothing between nothing and the whole
        assert len(set(told["states"])) > 1, f"kills should hit early and late: {told['states']}"
    check_rounds(tmp_path / work, work, told)
