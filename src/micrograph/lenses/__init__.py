"""The lenses, found by name."""

from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec

from micrograph.errors import not_found
from micrograph.lenses.engines.base import Job, Rendered, Sample, Source, Sweep, Technique

GROUP = "micrograph.lenses"

_BUILT_IN = (
    "feature_vis",
    "diversity",
    "maco",
    "joint",
    "deepdream",
    "caricature",
    "dataset_examples",
    "tuning",
    "similar",
    "unit_map",
    "activation_grid",
    "neuron_groups",
    "attribution",
    "text_feature_vis",
    "faceted_feature_vis",
)
"""Each is a module here that holds its technique under its name in capitals."""

_REGISTERED: dict[str, Technique | Sweep] = {}


def register(technique: Technique | Sweep) -> Technique | Sweep:
    """Add a technique under its name; a later one of the same name replaces the earlier."""
    _REGISTERED[technique.name] = technique
    return technique


def names() -> list[str]:
    """Every technique there is, third-party ones included."""
    return sorted({*_built_in(), *_REGISTERED, *(e.name for e in entry_points(group=GROUP))})


def get(name: str) -> Technique | Sweep:
    """The technique called `name`. Raises NotFound with the nearest names."""
    if name in _REGISTERED:
        return _REGISTERED[name]
    if name in _built_in():
        return register(getattr(import_module(f"{__name__}.{name}.engine"), name.upper()))
    for entry in entry_points(group=GROUP, name=name):
        return register(entry.load())
    raise not_found("technique", name, names())


def _built_in() -> tuple[str, ...]:
    return tuple(n for n in _BUILT_IN if find_spec(f"{__name__}.{n}"))


__all__ = [
    "Job",
    "Rendered",
    "Sample",
    "Source",
    "Sweep",
    "Technique",
    "get",
    "names",
    "register",
]
