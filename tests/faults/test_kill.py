"""kill -9 at any moment of a render, the same command again: nothing lost, nothing twice."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kill_rounds.py")


def pictures(folder: Path) -> list[tuple[object, ...]]:
    """Every address with its recipe, score and picture, straight from the tables."""
    assert [f.name for f in folder.iterdir()] == ["small.atlas"]
    connection = sqlite3.connect(folder / "small.atlas")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        (orphans,) = connection.execute(
            "SELECT count(*) FROM picture WHERE id NOT IN (SELECT picture FROM visualization)"
        ).fetchone()
        assert orphans == 0
        return connection.execute(
            "SELECT n.name, v.unit, r.digest, v.score, p.digest FROM visualization v "
            "JOIN node n ON n.id = v.node JOIN recipe r ON r.id = v.recipe "
            "JOIN picture p ON p.id = v.picture ORDER BY 1, 2, 3"
        ).fetchall()
    finally:
        connection.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_render_killed_twenty_times_gives_what_an_unbroken_one_gives(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), "20", "5"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert len(told["stored"]) == 20
    assert len(set(told["stored"])) > 5, f"kills should hit early and late: {told['stored']}"

    whole = pictures(tmp_path / "whole")
    assert len(whole) == len(set(whole)) == (10 + 14) * 2
    assert len({picture for *_, picture in whole}) > 40, "the pictures should differ"
    for name in told["rounds"]:
        assert pictures(tmp_path / name) == whole
