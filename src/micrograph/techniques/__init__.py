"""The lenses, found by name."""

from importlib.metadata import entry_points

from micrograph.errors import not_found
from micrograph.techniques.base import Job, Rendered, Technique
from micrograph.techniques.feature_vis import FEATURE_VIS

GROUP = "micrograph.techniques"

_TECHNIQUES: dict[str, Technique] = {FEATURE_VIS.name: FEATURE_VIS}


def register(technique: Technique) -> Technique:
    """Add a technique under its name; a later one of the same name replaces the earlier."""
    _TECHNIQUES[technique.name] = technique
    return technique


def names() -> list[str]:
    """Every technique there is, third-party ones included."""
    return sorted({*_TECHNIQUES, *(e.name for e in entry_points(group=GROUP))})


def get(name: str) -> Technique:
    """The technique called `name`. Raises NotFound with the nearest names."""
    if name not in _TECHNIQUES:
        for entry in entry_points(group=GROUP, name=name):
            return register(entry.load())
        raise not_found("technique", name, names())
    return _TECHNIQUES[name]


__all__ = ["Job", "Rendered", "Technique", "get", "names", "register"]
