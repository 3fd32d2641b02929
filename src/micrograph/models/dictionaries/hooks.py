"""Where a file says that its dictionary belongs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hooks:
    """The names of the places that it `reads` and `writes` ("" where that is the same, or unsaid),
    and of the `model`, as its file spells them."""

    reads: str = ""
    writes: str = ""
    model: str = ""
