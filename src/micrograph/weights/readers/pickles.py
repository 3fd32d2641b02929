"""Pickles as data: what a pickle says is written down, nothing that it names is ever called.

`pickletools.genops` of the standard library splits the file into operations without running any;
here those operations build plain values, and inert records of what a real unpickler would have
imported, called or filled. Whoever reads the result decides what it means.
"""

import io
import pickletools
import struct
from collections.abc import Iterator
from typing import IO, Any

from micrograph.weights.formats import MOST_TENSORS
from micrograph.weights.readers.common import Damaged, too_many

MOST_OPERATIONS = 1_000_000
"""Real files have some ten thousand; each costs at most some hundred bytes of memory."""


class Global:
    """A name that the pickle would have imported."""

    def __init__(self, module: str, name: str) -> None:
        self.path = f"{module}.{name}"


class Made:
    """What would have come of calling `what` with `args`, the state that it would have got, and
    what would have been put into it, if it is a list or a dict of its own kind."""

    def __init__(self, what: object, args: object) -> None:
        self.what = what
        self.args = args
        self.state: Any = None
        self.items: dict[str | int, Any] = {}
        self.members: list[Any] = []

    def is_of(self, *paths: str) -> bool:
        """Whether a global of one of these names would have been called."""
        return isinstance(self.what, Global) and self.what.path in paths


class Persistent:
    """A reference to something outside the pickle."""

    def __init__(self, key: object) -> None:
        self.key = key


MOST_TEXTS = 10 * MOST_TENSORS
"""Names of tensors and storages, and what else is said of them."""
_CALLS = {
    "torch._utils._rebuild_tensor_v2",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.core.numeric._frombuffer",
    "numpy._core.numeric._frombuffer",
}
"""What makes a tensor or an array."""
_MARK = object()
_KEYS = str | int | float | bytes | None | Made | Global
"""What a dict of some program may have for keys."""
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_PLAIN = {
    "INT",
    "BININT",
    "BININT1",
    "BININT2",
    "LONG",
    "LONG1",
    "LONG4",
    "FLOAT",
    "BINFLOAT",
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
    "UNICODE",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "BINBYTES",
    "SHORT_BINBYTES",
    "BINBYTES8",
    "BYTEARRAY8",
}


def read(data: bytes) -> Any:
    """What the pickle describes: dicts, lists, tuples, numbers, texts, bytes and the records above.

    Texts of Python 2 come as latin-1. Raises Damaged.
    """
    return read_next(io.BytesIO(data))


def read_next(file: IO[bytes]) -> Any:
    """As `read`, of a file that goes on behind the pickle: it stands there afterwards."""
    machine = _Machine()
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(file)):
            if count >= MOST_OPERATIONS:
                raise Damaged(f"its pickle has more than {MOST_OPERATIONS} operations")
            if operation.name == "STOP":
                break
            machine.step(operation.name, argument)
    except (ValueError, IndexError, OverflowError, struct.error) as error:
        raise Damaged(f"its pickle is damaged ({str(error)[:80]})") from None
    return machine.pop()


def check_size(file: IO[bytes], pickles: int = 1) -> None:
    """Raises Damaged where pickles, one behind the other, describe more tensors than a file may
    hold, before anybody makes them."""
    tensors = texts = 0
    try:
        for _ in range(pickles):
            for operation, _argument, _ in pickletools.genops(file):
                tensors += operation.name == "BINPERSID"
                texts += "UNICODE" in operation.name
                if tensors > MOST_TENSORS or texts > MOST_TEXTS:
                    raise too_many()
    except (ValueError, IndexError, OverflowError, struct.error):
        return  # whoever reads it says what is wrong


class _Machine:
    """A stack and a memo, as every unpickler has."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.tensors = self.texts = 0

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is _MARK:
            raise Damaged("its pickle takes what it has not put")
        return self.stack.pop()

    def top(self, kind: type | None = None) -> Any:
        if not self.stack or (kind is not None and type(self.stack[-1]) is not kind):
            raise Damaged("its pickle fills what cannot be filled")
        return self.stack[-1]

    def members(self) -> list[Any]:
        top = self.top()
        return top.members if isinstance(top, Made) else self.top(list)

    def items(self) -> dict[str | int, Any]:
        top = self.top()
        return top.items if isinstance(top, Made) else self.top(dict)

    def since_mark(self) -> list[Any]:
        items = []
        while self.stack and self.stack[-1] is not _MARK:
            items.append(self.stack.pop())
        if not self.stack:
            raise Damaged("its pickle lacks a mark")
        self.stack.pop()
        return items[::-1]

    def step(self, name: str, argument: Any) -> None:  # one operation, one line
        match name:
            case "PROTO" | "FRAME":
                pass
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                self.stack.append(_CONSTANTS[name])
            case _ if name in _PLAIN:
                self.stack.append(argument)
                self.texts += "UNICODE" in name
                if self.texts > MOST_TEXTS:
                    raise too_many()
            case "MARK":
                self.stack.append(_MARK)
            case "POP":
                self.stack.pop()
            case "POP_MARK":
                self.since_mark()
            case "DUP":
                self.stack.append(self.top())
            case "EMPTY_TUPLE":
                self.stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                items = [self.pop() for _ in range(int(name[-1]))]
                self.stack.append(tuple(items[::-1]))
            case "TUPLE":
                self.stack.append(tuple(self.since_mark()))
            case "EMPTY_LIST":
                self.stack.append([])
            case "LIST":
                self.stack.append(self.since_mark())
            case "APPEND":
                item = self.pop()
                self.members().append(item)
            case "APPENDS":
                items = self.since_mark()
                self.members().extend(items)
            case "EMPTY_DICT":
                self.stack.append({})
            case "DICT":
                self.stack.append(dict(_pairs(self.since_mark())))
            case "SETITEM":
                items = [self.pop(), self.pop()][::-1]
                self.items().update(_pairs(items))
            case "SETITEMS":
                items = self.since_mark()
                self.items().update(_pairs(items))
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = self.top()
            case "MEMOIZE":
                self.memo[len(self.memo)] = self.top()
            case "GET" | "BINGET" | "LONG_BINGET":
                if argument not in self.memo:
                    raise Damaged("its pickle refers to what it has not kept")
                self.stack.append(self.memo[argument])
            case "GLOBAL":
                module, _, what = argument.partition(" ")
                self.stack.append(Global(module, what))
            case "STACK_GLOBAL":
                what, module = self.pop(), self.pop()
                if not isinstance(what, str) or not isinstance(module, str):
                    raise Damaged("its pickle names something by what is no text")
                self.stack.append(Global(module, what))
            case "REDUCE" | "NEWOBJ":
                args, what = self.pop(), self.pop()
                self.stack.append(_called(what, args))
                self.tensors += isinstance(what, Global) and what.path in _CALLS
                if self.tensors > MOST_TENSORS:
                    raise too_many()
            case "NEWOBJ_EX":
                self.pop()  # what it would have been called with by name
                args, what = self.pop(), self.pop()
                self.stack.append(_called(what, args))
            case "BUILD":
                state, made = self.pop(), self.top()
                if isinstance(made, Made):
                    made.state = state
                elif not isinstance(made, dict):
                    raise Damaged("its pickle fills what cannot be filled")
            case "EMPTY_SET":
                self.stack.append([])
            case "ADDITEMS":
                items = self.since_mark()
                self.members().extend(items)
            case "FROZENSET":
                self.stack.append(tuple(self.since_mark()))
            case "INST" | "OBJ":  # objects in protocols 0 and 1
                given = self.since_mark()
                module, _, what = (argument or "").partition(" ")
                called = Global(module, what) if name == "INST" else (given or [None])[0]
                self.stack.append(Made(called, tuple(given[name == "OBJ" :])))
            case "BINPERSID":
                self.stack.append(Persistent(self.pop()))
            case _:
                raise Damaged(f"its pickle has the operation {name}, which no weights need")


def _pairs(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    if len(items) % 2:
        raise Damaged("its pickle has a key without a value")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, _KEYS) and not (
            isinstance(key, tuple) and all(isinstance(part, _KEYS) for part in key)
        ):
            raise Damaged("its pickle has a dict whose keys are no names")
        yield key, value


def _called(what: object, args: object) -> Any:
    """A record of the call; two that only build plain values are those values."""
    made = Made(what, args)
    if made.is_of("collections.OrderedDict") and args == ():
        return {}
    if made.is_of("collections.defaultdict"):
        return {}
    if made.is_of("_codecs.encode"):  # how Python 3 writes bytes in old protocols
        match args:
            case (str(text), "latin1" | "latin-1"):
                return text.encode("latin-1")
    return made
