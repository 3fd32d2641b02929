"""Micrograph: a microscope for vision models.

    from micrograph import load, optimize as opt

    model = load("toytown")
    pictures = opt.optimize(model, opt.channel("mixed4a", 3))

Importing this package does not import torch; the names below bring it in when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from micrograph import optimize
    from micrograph.cards.preprocessing import Preprocessing
    from micrograph.circuits.attribution_graph import attribution_graph
    from micrograph.circuits.steering import steer
    from micrograph.models import cards, load, register
    from micrograph.models.linear.weights import Weights, weights
    from micrograph.models.model import Model
    from micrograph.runner import estimate, render

__version__ = "0.1.0"

__all__ = [
    "Model",
    "Preprocessing",
    "Weights",
    "__version__",
    "attribution_graph",
    "cards",
    "claim",
    "estimate",
    "load",
    "optimize",
    "register",
    "render",
    "steer",
    "weights",
]

_HOMES = {
    "Model": "micrograph.models.model",
    "Preprocessing": "micrograph.cards.preprocessing",
    "attribution_graph": "micrograph.circuits.attribution_graph",
    "Weights": "micrograph.models.linear.weights",
    "cards": "micrograph.models",
    "claim": "micrograph.circuits.claims.call",
    "estimate": "micrograph.runner",
    "load": "micrograph.models",
    "register": "micrograph.models",
    "render": "micrograph.runner",
    "steer": "micrograph.circuits.steering",
}


def __getattr__(name: str) -> Any:
    if name in ("optimize", "weights"):  # the room of weights is called like a function
        return import_module(f"micrograph.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
