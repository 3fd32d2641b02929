"""Commands under a limit of the address space, as `ulimit -v` sets it."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from micrograph.atlas import verify

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the limit is one of Linux"
)


def limited(megabytes: int, *words: str) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    command = [sys.executable, "-m", "micrograph", *words]
    return subprocess.run(command, preexec_fn=limit, capture_output=True, text=True)


def test_too_little_for_torch_is_one_line(tmp_path: Path) -> None:
    done = limited(400, "render", "toytown", "--node", "conv0", "--atlas", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("error: no memory is left")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.nightly
def test_too_little_for_a_picture_is_one_line_and_the_atlas_is_sound(tmp_path: Path) -> None:
    words = ("render", "toytown", "--node", "mixed4a", "--units", "0", "--steps", "1")
    done = limited(900, *words, "--size", "2048", "--atlas", str(tmp_path))
    assert done.returncode == 2
    assert "error: no memory is left" in done.stderr
    assert "Traceback" not in done.stderr
    assert not verify(tmp_path / "toytown.atlas").losses


@pytest.mark.nightly
def test_a_batch_fits_under_a_limit(tmp_path: Path) -> None:
    words = ("render", "toytown", "--node", "mixed4a", "--units", "0-15", "--steps", "2")
    done = limited(900, *words, "--atlas", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("16 results")
