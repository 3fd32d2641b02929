"""What a module gives: a tensor, or a tuple, dict or dataclass whose main tensor counts."""

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor


def main_tensor(output: Any) -> Tensor | None:
    """The tensor that an output is about: itself, or the first of several; None if there is none.

    Of named ones the logits count, wherever they are.

    >>> import torch
    >>> main_tensor((torch.zeros(2), None)).shape
    torch.Size([2])
    """
    if isinstance(output, Tensor):
        return output
    key = _main_key(output)
    if key is None:
        return None
    found: Tensor = _item(output, key)
    return found


def with_main_tensor(output: Any, tensor: Tensor) -> Any:
    """The same output with `tensor` in place of its main tensor; `output` stays as it is."""
    key = _main_key(output)
    if key is None:
        return tensor
    if isinstance(output, tuple | list):
        items = (tensor, *output[1:])
        return (
            output._replace(**{output._fields[0]: tensor})
            if _is_named(output)
            else type(output)(items)
        )
    changed = copy.copy(output)
    if isinstance(output, Mapping):
        changed[key] = tensor  # type: ignore[index]
    else:
        object.__setattr__(changed, key, tensor)
    return changed


def _is_named(output: Any) -> bool:
    return isinstance(output, tuple) and hasattr(output, "_fields")


def _main_key(output: Any) -> Any:
    """Where the main tensor of an output of several stands; None if there is none."""
    if isinstance(output, Tensor):
        return None
    named = [key for key, value in _items(output) if isinstance(value, Tensor)]
    if "logits" in named:
        return "logits"
    first = next(iter(_items(output)), None)
    if isinstance(output, tuple | list) and first is not None and first[0] not in named:
        return None  # a tuple whose first is no tensor is about something else
    return named[0] if named else None


def _items(output: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(output, Mapping):
        yield from output.items()
    elif isinstance(output, tuple | list):
        yield from enumerate(output)
    elif dataclasses.is_dataclass(output) and not isinstance(output, type):
        yield from ((f.name, getattr(output, f.name, None)) for f in dataclasses.fields(output))


def _item(output: Any, key: Any) -> Any:
    if isinstance(output, Mapping | tuple | list):
        return output[key]
    return getattr(output, key)
