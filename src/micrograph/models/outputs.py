"""Modules that give several tensors: dicts, tuples, dataclasses, other objects, of any library."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

_MAIN = ("logits", "out", "image_embeds", "pooler_output", "last_hidden_state")
"""What libraries call the tensor that a network is for, the first of these that is there."""

_DEEPEST = 4


def named_tensors(output: Any, deepest: int = _DEEPEST) -> dict[str, Tensor]:
    """The tensors in what a network gave, by their names there: `logits`, `hidden_states.3`.

    One tensor has the name "". Nested deeper than `deepest` there may be more.
    """
    if isinstance(output, Tensor):
        return {"": output}
    if deepest == 0:
        return {}
    return {
        f"{name}.{inner}" if inner else name: tensor
        for name, value in _items(output)
        for inner, tensor in named_tensors(value, deepest - 1).items()
    }


def main_tensor(output: Any) -> Tensor | None:
    """The one tensor that a network is for: of known name, or the first; None if there is none."""
    found = {n: t for n, t in named_tensors(output).items() if t.is_floating_point()}
    first = next(iter(found), None)
    name = next((name for name in _MAIN if name in found), first)
    return None if name is None else found[name]


def first_tensor(output: Any) -> Tensor | None:
    """What a module inside a network is about, such as the stream behind a block: its output, or
    the first of several values in it, if that is a tensor."""
    if isinstance(output, Tensor):
        return output
    _, first = next(_items(output), ("", None))
    return first if isinstance(first, Tensor) else None


def with_first_tensor(output: Any, tensor: Tensor) -> Any:
    """The same output with `tensor` in place of its first; `output` stays as it is."""
    if isinstance(output, Tensor):
        return tensor
    name = next(iter(output)) if isinstance(output, Mapping) else next(_items(output))[0]
    if hasattr(output, "_replace"):  # a named tuple
        return output._replace(**{name: tensor})
    if isinstance(output, list | tuple):
        return type(output)((tensor, *output[1:]))
    changed: Any = copy.copy(output)
    if isinstance(output, Mapping):
        changed[name] = tensor
    else:
        setattr(changed, name, tensor)
    return changed


def _items(output: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(output, Mapping):
        yield from ((str(name), value) for name, value in output.items())
    elif isinstance(output, list | tuple):
        names = getattr(output, "_fields", None) or range(len(output))  # of a named tuple
        yield from ((str(name), value) for name, value in zip(names, output, strict=True))
    elif output is not None and not isinstance(output, str | bytes | int | float | bool):
        yield from getattr(output, "__dict__", {}).items()
