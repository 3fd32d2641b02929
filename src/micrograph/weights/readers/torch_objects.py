"""What `torch.save` wrote, whatever it was, as data: plain values, tensors, and inert records.

Nothing that the file names is imported or called: an object of any class becomes a record of the
attributes that it would have been filled with.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from micrograph.weights.readers import npy, pickles
from micrograph.weights.readers.common import Damaged
from micrograph.weights.readers.pickles import Global, Made, Persistent
from micrograph.weights.readers.storages import TENSOR, Storages
from micrograph.weights.readers.zips import Zip

_DEEPEST = 100
_PARAMETER = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")


class Record:
    """An object that was not made: the dotted name of its class, what it would have been called
    with, and its attributes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.args: tuple[Any, ...] = ()
        self.attributes: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<{self.path}>"

    @property
    def name(self) -> str:
        """Of its class."""
        return self.path.rpartition(".")[2]

    @property
    def is_module(self) -> bool:
        """Whether it is a module of torch, whose tensors and parts lie in its attributes."""
        return "_parameters" in self.attributes and "_modules" in self.attributes


def is_one(archive: Zip) -> bool:
    """Whether an archive is what `torch.save` writes."""
    return any(name.rpartition("/")[2] == "data.pkl" for name in archive.names)


def read(archive: Zip) -> Any:
    """What was saved: dicts, lists, tuples, numbers, texts, tensors and records. Raises Damaged."""
    names = [name for name in archive.names if name.rpartition("/")[2] == "data.pkl"]
    if len(names) != 1 or names[0].count("/") != 1:
        raise Damaged(f"it has {len(names)} data.pkl, expected one")
    folder = names[0].partition("/")[0]
    if f"{folder}/byteorder" in archive.names and archive.read(f"{folder}/byteorder") != b"little":
        raise Damaged("it was written on a big-endian machine; this reader knows little-endian")
    return plain(pickles.read(archive.read(names[0])), Storages(archive, folder))


def plain(value: Any, storages: Storages) -> Any:
    """What a pickle says as plain values, with tensors of these storages. Raises Damaged."""
    return _Walk(storages).plain(value)


class _Walk:
    """From what a pickle says to plain values. What is shared stays shared, also in a circle."""

    def __init__(self, storages: Storages) -> None:
        self.storages = storages
        self.done: dict[int, Any] = {}
        self.kept: list[Any] = []
        """What `done` knows by its id must live as long."""

    def plain(self, value: Any, depth: int = 0) -> Any:
        if depth > _DEEPEST:
            raise Damaged("its objects are nested without end")
        if not isinstance(value, dict | list | tuple | Made | Global | Persistent):
            return value
        if id(value) in self.done:
            return self.done[id(value)]
        self.kept.append(value)
        if isinstance(value, dict):
            found: Any = self._keep(value, {})
            found.update((name, self.plain(item, depth + 1)) for name, item in value.items())
        elif isinstance(value, list):
            found = self._keep(value, [])
            found.extend(self.plain(item, depth + 1) for item in value)
        elif isinstance(value, tuple):
            found = self._keep(value, tuple(self.plain(item, depth + 1) for item in value))
        elif isinstance(value, Global):
            found = self._keep(value, Record(value.path))
        elif isinstance(value, Persistent):
            found = self._keep(value, Record("persistent"))
        else:
            found = self._made(value, depth)
        return found

    def _keep(self, value: Any, found: Any) -> Any:
        self.done[id(value)] = found
        return found

    def _made(self, made: Made, depth: int) -> Any:
        if made.is_of(TENSOR):
            return self._keep(made, self.storages.tensor(made))
        if made.is_of(*npy.ARRAYS):
            with suppress(Damaged):  # of texts or objects: no weights, but perhaps beside some
                return self._keep(made, npy.array(made))
        if made.is_of(*_PARAMETER) and isinstance(made.args, tuple) and made.args:
            return self._keep(made, self.plain(made.args[0], depth + 1))
        found = self._keep(made, Record(made.what.path if isinstance(made.what, Global) else ""))
        if isinstance(made.args, tuple):
            found.args = tuple(self.plain(item, depth + 1) for item in made.args)
        for state in (*_states(made.state), made.items):
            found.attributes.update(self.plain(state, depth + 1))
        return found


def _states(state: Any) -> Iterator[dict[str, Any]]:
    """The dicts of attributes in the state of an object: one, or one and that of its slots."""
    for part in state if isinstance(state, tuple) else (state,):
        if isinstance(part, dict):
            yield part
