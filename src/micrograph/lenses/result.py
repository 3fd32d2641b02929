"""What lenses store, as typed data; and how data that anybody may have written is read.

`from_json` of a result is the one place where stored data is checked. What makes no sense there is
left out: a result comes from an atlas, and atlases come from anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import numpy as np

Arrays = Mapping[str, "np.ndarray"]
"""Arrays too large for JSON, by name: uint8, int16, int32, float16 or float32."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Base of what a lens stores at an address beside picture and score: here nothing.

    Subclasses are frozen dataclasses; `from_json(to_json(), arrays())` is the same result.
    """

    @property
    def grid(self) -> tuple[int, int]:
        """How many pictures its picture is made of, (columns, rows)."""
        return 1, 1

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as it is kept in an atlas."""
        return {}

    def arrays(self) -> Arrays:
        """The arrays that are stored beside it."""
        return {}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> Self:
        """The result from what `to_json` and `arrays` gave, or another program wrote.

        Never raises for wrong data: what cannot be understood is left out. `arrays` may read
        its file only when it is used.
        """
        return cls()


@dataclass(frozen=True, kw_only=True)
class OnePicture(Result):
    """The result of a lens that looks at one picture: `source` is its digest and number, None where
    that cannot be read."""

    source: tuple[str, int] | None = None

    def to_json(self) -> dict[str, Any]:
        return {"source": list(self.source or ())}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> Self:
        return cls(source=source(data.get("source")))


@dataclass(frozen=True, kw_only=True)
class PlainResult(Result):
    """The result of a lens that declares no type of its own: its plain data."""

    data: Mapping[str, Any] = field(default_factory=dict)
    kept: Arrays = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return dict(self.data)

    def arrays(self) -> Arrays:
        return self.kept

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> Self:
        return cls(data=data, kept=arrays)


def number(value: Any, otherwise: float = 0.0) -> float:
    """`value` where it is a finite number."""
    if type(value) in (float, int):  # nearly all of a page's thousand
        return float(value) if -1e30 < value < 1e30 else otherwise
    fine = isinstance(value, int | float) and abs(value) < 1e30  # NaN compares false
    return float(value) if fine else otherwise


def pairs(value: Any, length: int = 2) -> list[list[Any]]:
    """The items of `value` that are lists of at least `length`."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, list) and len(item) >= length]


def dicts(value: Any) -> list[dict[str, Any]]:
    """The items of `value` that are objects."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(data: Mapping[str, Any], key: str) -> str:
    """`data[key]` where it is a text, else ""."""
    value = data.get(key, "")
    return value if isinstance(value, str) else ""


def count(value: Any, most: int = 100) -> int:
    """`value` where it is a whole number from 1 to below `most`, else 1."""
    return value if isinstance(value, int) and 0 < value < most else 1


def units(value: Any, most: int) -> list[tuple[int, float]]:
    """At most `most` pairs of a unit and a number."""
    return [(u, number(x)) for u, x, *_ in pairs(value) if isinstance(u, int)][:most]


def source(value: Any) -> tuple[str, int] | None:
    """Digest and number of the picture that a result looked at; None where they are not valid."""
    if (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    ):
        return value[0], value[1]
    return None
