"""Tasks: what is to be rendered, as plain JSON that another process can work from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from micrograph import recipe as recipes
from micrograph.errors import BadInput, short


@dataclass(frozen=True)
class Task(recipes.FromRecipe):
    """Units of a model that are rendered together, by one recipe.

    `model` is the model's id. `recipe` is complete: lens, variant and seed stand in it, and the
    weights and all pictures that the lens looks at by their digests. `options` are those that the
    lens makes the recipe from; they say where pictures are found (a name, a path), and whoever does
    the task checks that these give the recipe's digests. `units` are the units of each node, or
    None for the node as a whole. `frames` is after how many steps a picture as it stands is wanted,
    0 for none; it changes nothing in the results.
    """

    model: str
    recipe: Mapping[str, Any]
    units: Mapping[str, tuple[int, ...] | None]
    options: Mapping[str, Any] = field(default_factory=dict)
    frames: int = 0

    @property
    def size(self) -> int:
        """Number of results that are wanted."""
        return sum(1 if units is None else len(units) for units in self.units.values())

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        told: dict[str, Any] = {
            "model": self.model,
            "recipe": dict(self.recipe),
            "units": {
                node: None if units is None else list(units) for node, units in self.units.items()
            },
            "options": dict(self.options),
        }
        return told | {"frames": self.frames} if self.frames else told

    @classmethod
    def from_json(cls, data: Any) -> "Task":
        """The task that a decoded JSON value describes. Raises BadInput for anything else."""
        if not isinstance(data, dict) or data.keys() - {"frames"} != _KINDS.keys():
            raise BadInput(
                f"{short(data)} is no task; expected a JSON object with {', '.join(_KINDS)}"
            )
        for name, kind in _KINDS.items():
            if not isinstance(data[name], kind) or isinstance(data[name], bool):
                raise BadInput(
                    f"{name} {short(data[name])} of a task is not usable; expected {_WORDS[kind]}"
                )
        frames = data.get("frames", 0)
        if not isinstance(frames, int) or isinstance(frames, bool) or frames < 0:
            raise BadInput(
                f"frames {short(frames)} of a task is not usable; expected a number of steps"
            )
        task = cls(**{**data, "units": _units(data["units"])})
        recipes.technique(task.recipe), recipes.variant(task.recipe), recipes.seed(task.recipe)
        return task


_KINDS: dict[str, type] = {
    "model": str,
    "recipe": dict,
    "units": dict,
    "options": dict,
}
_WORDS = {str: "a text", int: "a whole number", dict: "a JSON object"}


def _units(data: dict[str, Any]) -> dict[str, tuple[int, ...] | None]:
    found: dict[str, tuple[int, ...] | None] = {}
    for node, units in data.items():
        if units is not None and not _are_units(units):
            raise BadInput(
                f"units {short(units)} of {node} in a task are not usable; expected a list of "
                "units, each once, or null for the node as a whole"
            )
        found[node] = None if units is None else tuple(units)
    if not found:
        raise BadInput("a task without units given; expected at least one node")
    return found


def _are_units(units: Any) -> bool:
    return (
        isinstance(units, list)
        and bool(units)
        and all(isinstance(u, int) and not isinstance(u, bool) and u >= 0 for u in units)
        and len(set(units)) == len(units)
    )
