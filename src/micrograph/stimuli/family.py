"""What a family of stimuli is: axes, and a drawing for every combination of their values."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from micrograph.recipe import digest

Value = float | str


@dataclass(frozen=True)
class Axis:
    """A property that a family varies. `unit` is "°", "px" or ""; `values` are numbers, or words.

    A circular axis comes back to its start after `period` (degrees).
    """

    name: str
    title: str
    unit: str
    values: tuple[Value, ...]
    period: int = 0

    @property
    def circular(self) -> bool:
        """Whether the last value is the neighbour of the first."""
        return self.period > 0

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "values": list(self.values),
            "circular": self.circular,
            "period": self.period,
        }

    def label(self, value: Value) -> str:
        """A value in words: "radius 12 px", or the word that it is."""
        if isinstance(value, str):
            return f"{self.title} {value}" if len(value.split()) == 1 else value
        gap = "" if self.unit == "°" else " "
        return f"{self.title} {value:g}{gap}{self.unit}".rstrip()


@dataclass(frozen=True)
class StimulusFamily:
    """Stimuli of one kind at any size. `axes(size)` gives its axes for pictures of `size` px,
    `draw(size, *values)` the picture, uint8 [size, size, 3], for one value of each.

    `title` says what is drawn. A change in the drawing raises `revision`.
    """

    name: str
    title: str
    axes: Callable[[int], tuple[Axis, ...]]
    draw: Callable[..., np.ndarray]
    revision: int = 1

    def at(self, size: int) -> "Stimuli":
        """The family as pictures of `size` px."""
        return Stimuli(self, size, self.axes(size))


@dataclass(frozen=True)
class Stimuli:
    """A family at one size: pictures numbered row-major over the axes (the last one fastest)."""

    family: StimulusFamily
    size: int
    axes: tuple[Axis, ...]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    def __len__(self) -> int:
        return math.prod(self.shape)

    def values(self, number: int) -> tuple[Value, ...]:
        """What the picture shows: one value of each axis."""
        places = np.unravel_index(number, self.shape)
        return tuple(axis.values[int(k)] for axis, k in zip(self.axes, places, strict=True))

    def picture(self, number: int) -> np.ndarray:
        """uint8 [size, size, 3]."""
        picture: np.ndarray = self.family.draw(self.size, *self.values(number))
        return picture

    def label(self, number: int) -> str:
        """Its values in words: "bulging towards 45°, radius 12 px"."""
        found = zip(self.axes, self.values(number), strict=True)
        return ", ".join(axis.label(value) for axis, value in found)

    @cached_property
    def digest(self) -> str:
        """Stands for all these pictures: equal digests, equal pictures. 64 hex digits."""
        return digest(
            {
                "family": self.family.name,
                "revision": self.family.revision,
                "size": self.size,
                "axes": [axis.as_dict() for axis in self.axes],
            }
        )
