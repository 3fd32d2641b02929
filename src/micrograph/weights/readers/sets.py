"""The sets of named tensors in what `torch.save` wrote: a state dict, or those of a checkpoint."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from micrograph.weights.readers.common import Tensors
from micrograph.weights.readers.torch_objects import Record

_DEEPEST = 8
_LONGEST = 100
"""Lists that are longer hold no sets of tensors (but the steps of a training, or its losses)."""


def tensor_sets(content: Any) -> dict[str, Tensors]:
    """Every dict of named tensors in what a file holds, by the keys on the way to it: "model.ema"."""
    found: dict[str, Tensors] = {}
    todo: list[tuple[tuple[str, ...], Any]] = [((), content)]
    seen: set[int] = set()
    while todo:
        place, value = todo.pop(0)
        if len(place) > _DEEPEST:
            continue
        own = {name: t for name, t in _named(value) if isinstance(t, Tensor)}
        if own and not isinstance(value, list | tuple):
            found[".".join(place)] = own
        if id(value) not in seen and not (isinstance(value, Record) and value.is_module):
            seen.add(id(value))
            todo += [((*place, n), v) for n, v in _named(value) if not isinstance(v, Tensor)]
    return found


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Record):
        yield from _of_module(value) if value.is_module else value.attributes.items()
    elif isinstance(value, Mapping):
        yield from ((str(name), inner) for name, inner in value.items())
    elif isinstance(value, list | tuple) and len(value) < _LONGEST:
        yield from ((str(place), inner) for place, inner in enumerate(value))


def _of_module(module: Record, front: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The tensors of a whole module that was saved, by the names of its state dict."""
    for kind in ("_parameters", "_buffers"):
        own = module.attributes.get(kind)
        for name, tensor in own.items() if isinstance(own, Mapping) else ():
            if name not in _not_stored(module):
                yield f"{front}{name}", tensor
    parts = module.attributes.get("_modules")
    for name, part in parts.items() if isinstance(parts, Mapping) and depth < 64 else ():
        if isinstance(part, Record) and part.is_module:
            yield from _of_module(part, f"{front}{name}.", depth + 1)


def _not_stored(module: Record) -> list[Any]:
    """Names of buffers that a module does not store: a set, which is a record here."""
    names = module.attributes.get("_non_persistent_buffers_set")
    names = names.args[0] if isinstance(names, Record) and names.args else names
    return list(names) if isinstance(names, list | tuple) else []


def first_object(content: Any) -> str:
    """The class of an object in what was saved, which was not made; "" if there is none."""
    todo = [content]
    seen: set[int] = set()
    while todo:
        value = todo.pop()
        if isinstance(value, Record):
            return value.path
        if id(value) not in seen:
            seen.add(id(value))
            todo += [inner for _, inner in _named(value)]
    return ""
