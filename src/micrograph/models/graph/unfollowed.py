"""Which modules of a network gave values that are no nodes, and where the thread was lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from micrograph.graph import Coverage, LostAt
from micrograph.models.graph.aten_call import Trace
from micrograph.models.graph.axes import Axes, has, visible

_WORDS = {"b": "pictures", "u": "units", "y": "rows", "x": "columns", "t": "tokens", "o": "others"}


@dataclass(frozen=True)
class Loss:
    """An operation in the module at `path`, behind which it is unknown what some axis counts."""

    operation: str
    path: str

    def __str__(self) -> str:
        return f"{self.operation.strip('_')} in {self.path or 'the network itself'}"


class _Followed(Protocol):
    @property
    def trace(self) -> Trace: ...
    @property
    def lost(self) -> Loss | None: ...


def loss_after(
    operation: str, path: str, found: Trace, origins: Iterable[_Followed]
) -> Loss | None:
    """Where the axes of a result were lost, given what it was made of; None if they are known."""
    if not has(found.axes, "?"):
        return None
    before = [origin for origin in origins if has(origin.trace.axes, "?")]
    return next((one.lost for one in before if one.lost), None) or Loss(operation, path)


class Unfollowed:
    """The parts without parts of their own that gave values which depend on the pictures."""

    def __init__(self) -> None:
        self._nodes: set[str] = set()
        self._reasons: dict[str, str] = {}

    def called(self, path: str, is_node: bool, lost: Loss | None, axes: Axes) -> None:
        """The module at `path` gave a value of such axes, which are lost since `lost`."""
        if is_node:
            self._nodes.add(path)
        elif lost is not None:
            self._reasons.setdefault(path, f"lost at {lost}")
        else:
            self._reasons.setdefault(path, f"its axes count {_described(axes)}")

    def coverage(self, slips: Iterable[object] = ()) -> Coverage:
        """What there is to say of it."""
        without = {path: why for path, why in self._reasons.items() if path not in self._nodes}
        lost: dict[str, list[str]] = {}
        for path, why in without.items():
            lost.setdefault(why, []).append(path)
        return Coverage(
            modules=len(self._nodes | without.keys()),
            without=tuple(without),
            lost=tuple(LostAt(why, paths[0], len(paths)) for why, paths in lost.items()),
            slips=tuple(str(slip) for slip in slips),
        )


def _described(axes: Axes) -> str:
    """What each axis counts, in words: "pictures, rows and columns, units"."""
    said = []
    for one in axes:
        words = dict.fromkeys(_WORDS.get(atom.role, "?") for atom in visible(one) or one)
        said.append(" and ".join(words) or "one")
    return ", ".join(said) or "a number"
