"""An experiment as an address says it: the options of the live microscope, from texts and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from micrograph.errors import BadInput, NotFound, short
from micrograph.lenses import lens, live

STEPS = 64
SIZE = 128
"""What the live microscope does where nobody says otherwise; a size that the model takes."""
MOST_STEPS = 2048
SIZES = (32, 512)
"""Sides that can be asked for, in pixels: somebody waits."""
MOST_PIXELS = 9 * 256 * 256
"""Of all pictures that are made together."""


@dataclass(frozen=True, kw_only=True)
class ExperimentOptions:
    """The options as they stand in an address; what is "" has its usual value."""

    objective: str = field(default="", metadata={"longest": 20})
    sign: str = field(default="", metadata={"longest": 20})
    at: str = field(default="", metadata={"longest": 20})
    steps: str = field(default="", metadata={"longest": 20})
    size: str = field(default="", metadata={"longest": 20})
    transforms: str = field(default="", metadata={"longest": 20})
    together: str = field(default="", metadata={"longest": 20})
    diversity: str = field(default="", metadata={"longest": 20})
    seed: str = field(default="", metadata={"longest": 20})
    others: str = field(default="", metadata={"longest": 1000})

    def read(self) -> dict[str, Any]:
        """The options of the lens. Raises BadInput, in one line, for what cannot be."""
        params = lens(live()).params
        kinds = {one.name: one.kinds for one in params.options()}
        given = {name: text for name, text in vars(self).items() if text.strip()}
        read: dict[str, Any] = {"steps": STEPS}
        for name, text in given.items():
            read[name] = _value(name, text.strip(), kinds[name])
        try:
            params.read(read)
        except NotFound as error:  # the place is there, the choice is not
            raise BadInput(str(error)) from None
        _check_bounds(read)
        return read

    def query(self) -> str:
        """As they stand behind the ? of an address."""
        return urlencode({name: text for name, text in vars(self).items() if text})

    def shown(self, name: str) -> str:
        """What a control begins with."""
        return str(getattr(self, name)) or USUAL[name]


USUAL = {
    "objective": "channel",
    "sign": "positive",
    "at": "",
    "steps": str(STEPS),
    "size": "",
    "transforms": "standard",
    "together": "1",
    "diversity": "1",
    "seed": "0",
    "others": "",
}
"""The values that go without saying."""


def options_of(values: Mapping[str, str]) -> ExperimentOptions:
    """Those among the options of an address."""
    known = ExperimentOptions.__dataclass_fields__
    return ExperimentOptions(**{name: text for name, text in values.items() if name in known})


def _value(name: str, text: str, kinds: tuple[type, ...]) -> Any:
    kind = next((one for one in (int, float) if one in kinds), str)
    if kind is str:
        return text
    plain = text.isascii() and text.replace(".", "", 1).replace("-", "", 1).isdigit()
    try:
        return kind(text if plain else "?")
    except ValueError:
        words = "a whole number" if kind is int else "a number"
        raise BadInput(f"{name} {short(text)} is not usable; expected {words}") from None


def _check_bounds(read: Mapping[str, Any]) -> None:
    if not 1 <= read["steps"] <= MOST_STEPS:
        raise BadInput(f"steps {read['steps']} is out of range; expected 1 to {MOST_STEPS}")
    size = read.get("size", SIZE)
    low, high = SIZES
    if not low <= size <= high:
        raise BadInput(f"size {size} is out of range; expected {low} to {high} px")
    if size * size * read.get("together", 1) > MOST_PIXELS:
        raise BadInput(
            f"{read['together']} pictures of {size} px are too many to watch; expected at most 9 "
            "of 256 px"
        )
