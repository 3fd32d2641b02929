"""Weights: where they lie, every form in which they are published, fetching and importing them.

`micrograph.weights(model, source, target)`, the room called like a function, gives the weights
between the units of two nodes (`micrograph.models.linear.weights`).
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CalledRoom(ModuleType):
    """A room of files of weights, and a function by the same name."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return import_module("micrograph.models.linear.weights").weights(*args, **kwargs)


sys.modules[__name__].__class__ = _CalledRoom
