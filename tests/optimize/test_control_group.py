"""Batches in a real control group with a limit, where this user may make one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

GROUPS = Path("/sys/fs/cgroup")
MB = 1 << 20


def parents() -> Iterator[tuple[Path, str]]:
    """Groups in which one for a process of ours may be made, with the name of their limit."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            if "memory" in kinds.split(","):
                yield GROUPS / "memory" / path.lstrip("/"), "memory.limit_in_bytes"
            elif not kinds:
                own = GROUPS / path.lstrip("/")
                # In version 2 a group with processes has no groups with limits: a sibling then.
                yield from ((group, "memory.max") for group in (own, own.parent))


@pytest.fixture
def group() -> Iterator[tuple[Path, Path]]:
    """A group of our own, and the file that holds its limit."""
    for parent, limit in parents():
        made = parent / f"micrograph-test-{os.getpid()}"
        with suppress(OSError):
            made.mkdir()
            try:
                if os.access(made / limit, os.W_OK):
                    yield made, made / limit
                    return
            finally:
                made.rmdir()
    pytest.skip("no control group with a limit of memory can be made here")


def run_in(group: Path, code: str, *given: object) -> str:
    """What a program prints that does all its work in the group."""
    enter = f"open({str(group / 'cgroup.procs')!r}, 'w').write('0')\n"
    told = subprocess.run(
        [sys.executable, "-c", enter + code, *map(str, given)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, f"{told.returncode}: {told.stderr}"
    return told.stdout


RENDER = """
import sys, torch, micrograph
from torch import nn
from micrograph.optimize import memory
torch.set_num_threads(1)
torch.manual_seed(0)
layers = [nn.Conv2d(3, 256, 3), nn.ReLU(), nn.Conv2d(256, 256, 3), nn.ReLU()]
model = micrograph.Model.of(nn.Sequential(*layers), id="wide", preprocessing="96,0..1")
print(memory.batch_size(model, "2", 96), memory.memory_limits.free_bytes() >> 20)
print(micrograph.render(model, sys.argv[1], nodes=["2"], units="0-15", steps=2, size=96))
"""


@pytest.mark.nightly
def test_a_render_keeps_to_the_limit_of_its_group(group, tmp_path: Path) -> None:
    made, limit = group
    limit.write_text(str(700 * MB))
    told = run_in(made, RENDER, tmp_path)
    batch, free = map(int, told.split()[:2])
    assert 1 <= batch < 16, "16 pictures of 96 px, all at once, take more than the limit"
    assert free < 700
    assert (tmp_path / "wide.atlas").exists(), told


FILES = """
import sys
from micrograph.optimize.memory_limits import free_bytes
before = free_bytes()
with open(sys.argv[1], "rb") as file:
    while file.read(1 << 20):
        pass
print(before >> 20, free_bytes() >> 20)
"""


def test_what_was_read_from_files_is_still_free(group, tmp_path: Path) -> None:
    made, limit = group
    limit.write_text(str(400 * MB))
    large = tmp_path / "large"
    large.write_bytes(bytes(300 * MB))
    with open(large, "rb") as file:  # not in memory on account of this process
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    before, after = map(int, run_in(made, FILES, large).split())
    assert before > 250
    assert after > before - 50
