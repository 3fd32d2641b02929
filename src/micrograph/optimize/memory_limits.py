"""How much memory this process may have: what the machine has free, and what limits it."""

import resource
from dataclasses import dataclass
from pathlib import Path

_V1_UNLIMITED = 1 << 60
"""Control groups of version 1 write a number near 2**63 for no limit."""


def free_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory that can be taken now: the least of what the machine has available, and what the
    control groups of a container or a batch system, and `ulimit -v`, leave. 4 GB where nothing
    tells."""
    found = [
        *_available(proc),
        *(limit - used for limit, used in _group_limits(proc, groups)),
        *(limit - used for limit, used in _address_limit(proc)),
    ]
    return max(0, min(found, default=4 << 30))


def most_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The least limit on this process, however much of it is used; None where nothing limits it."""
    limits = [*_group_limits(proc, groups), *_address_limit(proc)]
    return min((limit for limit, _ in limits), default=None)


def _available(proc: Path) -> list[int]:
    for line in _lines(proc / "meminfo"):
        if line.startswith("MemAvailable:"):
            return [int(line.split()[1]) * 1024]
    return []


def _group_limits(proc: Path, groups: Path) -> list[tuple[int, int]]:
    """(limit, used) of every control group that this process is in, its parents included."""
    found = []
    for line in _lines(proc / "self" / "cgroup"):
        _, kinds, path = line.split(":", 2)
        if not kinds:  # version 2: by itself, or beside version 1
            roots, version = [groups, groups / "unified"], _V2
        elif "memory" in kinds.split(","):
            roots, version = [groups / "memory"], _V1
        else:
            continue
        for root in roots:
            inside = root / path.lstrip("/")
            # A container sees its own group as the root, whatever path it is told.
            for folder in {root, inside, *(p for p in inside.parents if root in p.parents)}:
                found += version.read(folder)
    return found


@dataclass(frozen=True)
class _Version:
    """The names of files and counts in the control groups of a version."""

    limits: tuple[str, ...]
    used: str
    cached: tuple[str, ...]

    def read(self, group: Path) -> list[tuple[int, int]]:
        """(limit, used) of one group. What its processes have read from files is counted to them,
        and given back as soon as memory is needed: that is not used, as in MemAvailable."""
        given = [_number(group / name) for name in self.limits]
        limits = [limit for limit in given if limit is not None and limit < _V1_UNLIMITED]
        if not limits:
            return []
        counts = dict(line.split() for line in _lines(group / "memory.stat") if " " in line)
        cached = sum(int(counts.get(name, 0)) for name in self.cached)
        return [(min(limits), max(0, (_number(group / self.used) or 0) - cached))]


_V1 = _Version(
    ("memory.limit_in_bytes",),
    "memory.usage_in_bytes",
    ("total_inactive_file", "total_active_file"),
)
_V2 = _Version(("memory.max", "memory.high"), "memory.current", ("inactive_file", "active_file"))
"""Beyond `memory.high` a process is not killed, but slowed down until it hardly moves."""


def _address_limit(proc: Path) -> list[tuple[int, int]]:
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return []
    for line in _lines(proc / "self" / "status"):
        if line.startswith("VmSize:"):
            return [(soft, int(line.split()[1]) * 1024)]
    return [(soft, 0)]


def _number(path: Path) -> int | None:
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdecimal() else None  # "max" is no limit


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
