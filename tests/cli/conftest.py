"""Running commands: inside this process where that is the same, as programs where it is not."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from micrograph.cli import main

CHECKOUT = Path(__file__).parents[2]


class Result(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def new_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with nothing: no atlases, no imported weights, no settings. Gives the data folder."""
    for name in ("MICROGRAPH_ATLAS", "MICROGRAPH_WEIGHTS", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home" / "micrograph"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command in this process."""

    def runner(*args: object) -> Result:
        capsys.readouterr()
        status = main([str(a) for a in args])
        return Result(status, *capsys.readouterr())

    return runner


@pytest.fixture
def refused(run: Callable[..., Result]) -> Callable[..., str]:
    """Run a command that must fail with one clear line; gives that line."""

    def runner(*args: object) -> str:
        status, out, err = run(*args)
        assert status == 2
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        return err

    return runner


@pytest.fixture
def start(tmp_path: Path):
    """Start the program `micrograph`; what still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def starter(*args: object, **options: object) -> subprocess.Popen[str]:
        paths = [str(CHECKOUT / "src"), os.environ.get("PYTHONPATH", "")]
        process = subprocess.Popen(
            [sys.executable, "-m", "micrograph", *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            **options,
        )
        running.append(process)
        return process

    yield starter
    for process in running:
        process.kill()
        process.communicate()
