"""The answer to a question for a place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Resolved:
    """A place, or the reason why there is none.

    `model`, `node` and `unit` are what was understood, None where nothing was. `address` is the
    place that was asked for, `url` its path on a site; both are None unless it is certain (the
    index of models has a `url` only). `technique` and `variant` are the lens that the text names.
    `available` tells whether this library has anything rendered there. `note` is one plain sentence
    or two for people, "" where there is nothing to add. `nearest` are addresses close to what was
    asked, best first.
    """

    model: str | None = None
    node: str | None = None
    unit: int | None = None
    address: str | None = None
    technique: str | None = None
    available: bool = False
    note: str = ""
    variant: str | None = None
    url: str | None = None
    nearest: tuple[str, ...] = ()
