"""What a process keeps of the memory that it has freed."""

import platform
import resource

import pytest
import torch

from micrograph import heap

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of the GNU C library")

_BYTES = 64 << 20


def _faults(rounds: int) -> float:
    """Pages that a large tensor, made anew each round, asks the system for."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        torch.ones(_BYTES // 4)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / rounds


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_the_next_tensor_takes_what_the_last_one_freed() -> None:
    with heap.kept():
        _faults(8)  # until a block lies where it fits in again
        inside = _faults(4)
    assert inside < 100
    assert _faults(4) > 10 * max(inside, 1)


def test_what_was_kept_goes_back() -> None:
    with heap.kept():
        torch.ones(_BYTES // 4)
        kept = _resident()
    assert kept - _resident() > _BYTES // 2


def test_contexts_in_each_other_end_with_the_outer_one() -> None:
    with heap.kept():
        with heap.kept():
            _faults(8)
        assert _faults(4) < 100


def test_it_ends_when_something_fails() -> None:
    with pytest.raises(StopIteration), heap.kept():
        raise StopIteration
    assert _faults(4) > 100
