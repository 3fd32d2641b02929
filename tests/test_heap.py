"""What a process keeps of the memory that it freed, in processes of their own with fresh heaps."""

import platform
import subprocess
import sys
import textwrap

import pytest

from micrograph import heap

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of the GNU C library")

BEFORE = """
import resource
import torch
from micrograph import heap

BYTES = 64 << 20

def faults(rounds):
    "Pages that a large tensor, made anew each round, asks the system for."
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        torch.ones(BYTES // 4)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / rounds

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

"""
CHECKS = {
    "the next tensor takes what the last one freed": """
        with heap.kept():
            faults(24)  # until a block lies where it fits in again
            inside = faults(4)
        assert inside < 100, inside
        assert faults(4) > 10 * max(inside, 1)
    """,
    "what was kept goes back": """
        with heap.kept():
            torch.ones(BYTES // 4)
            kept = resident()
        assert kept - resident() > BYTES // 2, (kept, resident())
    """,
    "contexts in each other end with the outer one": """
        with heap.kept():
            with heap.kept():
                faults(24)
            assert faults(4) < 100
        assert faults(4) > 100
    """,
    "it ends when something fails": """
        try:
            with heap.kept():
                raise StopIteration
        except StopIteration:
            assert faults(4) > 100
    """,
}


@pytest.mark.parametrize("check", CHECKS)
def test_freed_memory(check: str) -> None:
    code = BEFORE + textwrap.dedent(CHECKS[check])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr


def test_an_error_goes_through() -> None:
    with pytest.raises(StopIteration), heap.kept():
        raise StopIteration
