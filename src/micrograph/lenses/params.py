"""The parameters of lenses: one declaration each for the command line, Python and the recipe."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Self,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from micrograph.errors import BadInput, not_found, short

REPEATS = 64
"""Most pictures of one recipe, apart from the seed, that can be asked for at once."""


def option(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    choices: Sequence[Any] = (),
    flag: str = "",
    shown: str = "",
) -> Any:
    """A field of `Params`. `low` and `high` are the ends of its range, both included; `choices`
    all values that it may have; `unit` what a number counts ("px", "steps"). `flag` is its option
    on the command line where that is not its name ("--variant" of `variants`); `shown` is how help
    calls the default, where that is chosen by the model or the lens.
    """
    about = {
        "help": help,
        "low": low,
        "high": high,
        "unit": unit,
        "choices": tuple(choices),
        "flag": flag,
        "shown": shown,
    }
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class Option:
    """One parameter, for help pages and command lines.

    `kinds` are the types that a value may have (of a parameter that takes several texts: `tuple`).
    """

    name: str
    kinds: tuple[type, ...]
    default: Any
    help: str
    low: float | None
    high: float | None
    unit: str
    choices: tuple[Any, ...]
    flag: str
    shown: str

    @property
    def spelled(self) -> str:
        """Its name, with its option behind it where that is another one: variants (--variant)."""
        return f"{self.name} ({self.flag})" if self.flag else self.name

    def checked(self, value: Any, lens: str) -> Any:
        """`value` as the parameter holds it. Raises BadInput for another type or what is out of
        range, NotFound for what is none of the choices."""
        if tuple in self.kinds and isinstance(value, str):
            value = (value,)
        if not any(_FITS[kind](value) for kind in self.kinds):
            raise self._unusable(value, lens)
        if isinstance(value, list | tuple):
            value = tuple(value)
            if not value and self.default:
                raise self._unusable(list(value), lens)
            for one in value:
                self._check_choice(one, lens)
            return value
        if value is not None:
            self._check_choice(value, lens)
            self._check_range(value)
        whole = isinstance(value, int) and not isinstance(value, bool)
        return float(value) if whole and float in self.kinds else value

    def _unusable(self, value: Any, lens: str) -> BadInput:
        words = " or ".join(_WORDS[kind] for kind in self.kinds if kind is not NoneType)
        return BadInput(
            f"{self.name} {short(value)} of {lens} is not usable; expected {words} ({self.help})"
        )

    def _check_choice(self, value: Any, lens: str) -> None:
        if self.choices and value not in self.choices:
            raise not_found(self.name.removesuffix("s"), value, map(str, self.choices), lens)

    def _check_range(self, value: Any) -> None:
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        if isinstance(value, int | float) and not low <= value <= high:
            raise BadInput(
                f"{self.name} {value!r} is out of range; expected {self.low} to {self.high}"
            )


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option,))
@dataclass(frozen=True, kw_only=True)
class Params:
    """The options of a lens: frozen, checked when made. Subclasses are frozen dataclasses whose
    fields are made by `option` and whose types are int, float, bool, str, `tuple[str, ...]`, or one
    of these or None:

        @dataclass(frozen=True, kw_only=True)
        class Params(params.Params, lens="tuning"):
            variants: tuple[str, ...] = option(FAMILIES, "families of stimuli", flag="--variant")

    Raises BadInput or NotFound, in one line, for a value of another type, range or choice.
    """

    lens: ClassVar[str] = ""

    def __init_subclass__(cls, lens: str = "", **more: Any) -> None:
        super().__init_subclass__(**more)
        if lens:
            cls.lens = lens

    def __post_init__(self) -> None:
        for known in self.options():
            value = known.checked(getattr(self, known.name), self.lens)
            object.__setattr__(self, known.name, value)

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """All parameters, in the order in which they are declared."""
        if "_options" not in cls.__dict__:
            hints = get_type_hints(cls)
            cls._options = tuple(_option(f, hints[f.name]) for f in fields(cls))  # type: ignore[attr-defined]
        found: tuple[Option, ...] = cls._options  # type: ignore[attr-defined]
        return found

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """The parameters of these names and values, which anybody may have written.

        Raises BadInput for a name that is no parameter of this lens, and as the class does.
        """
        known = {one.name: one.spelled for one in cls.options()}
        for name in given:
            if name not in known:
                raise BadInput(
                    f"{cls.lens} has no option {name!r}; its options are: "
                    f"{', '.join(sorted(known.values())) or 'none'}"
                )
        return cls(**given)

    from_json = read

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` reads it."""
        values = {known.name: getattr(self, known.name) for known in self.options()}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


@dataclass(frozen=True, kw_only=True)
class Optimized(Params):
    """The parameters of every lens that makes pictures by optimization."""

    preset: str = option("standard", "how thorough: draft, standard or microscope")
    steps: int | None = option(None, "gradient steps", unit="steps", shown="the preset's")
    size: int | None = option(None, "side of the pictures", unit="px", shown="the preset's")
    seed: int = option(0, "random seed of the first picture", low=0, high=2**31 - 1)
    repeats: int = option(1, "pictures of each, seeds counting up", low=1, high=REPEATS)

    @property
    def seeds(self) -> range:
        """Repeat r has seed `seed + r`."""
        return range(self.seed, self.seed + self.repeats)


FEW = ("chelsea", "owl")
"""Default pictures of lenses that are slow: a photograph and a drawing."""


def pictures_option(default: tuple[str, ...] = FEW) -> Any:
    """The option of a lens that looks at single pictures."""
    return option(
        default,
        "a picture file, or the name of one that ships",
        flag="--image",
        shown=", ".join(default) or "all that ship",
    )


@dataclass(frozen=True, kw_only=True)
class PictureParams(Params):
    """The parameters of every lens that optimizes something for single pictures."""

    images: tuple[str, ...] = pictures_option()
    preset: str = option("standard", "how thorough: draft, standard or microscope")
    steps: int | None = option(None, "gradient steps", unit="steps", shown="the preset's")
    seed: int = option(0, "random seed", low=0, high=2**31 - 1)


def _option(declared: "Field[Any]", hint: Any) -> Option:
    kinds = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
    plain = tuple(get_origin(kind) or kind for kind in kinds)
    default = None if declared.default is MISSING else declared.default
    return Option(declared.name, plain, default, **declared.metadata)


def _is_number(value: Any) -> bool:
    fine = isinstance(value, int | float) and not isinstance(value, bool)
    return fine and abs(value) <= sys.float_info.max  # NaN compares false


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)


_FITS: dict[type, Callable[[Any], bool]] = {
    bool: lambda v: isinstance(v, bool),
    int: lambda v: isinstance(v, int) and not isinstance(v, bool),
    float: _is_number,
    str: lambda v: isinstance(v, str),
    tuple: _is_texts,
    NoneType: lambda v: v is None,
}
"""The check of a value for each type, ..."""

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "one text or more",
}
"""... and what that type is called."""
