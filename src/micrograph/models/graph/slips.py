"""What went wrong while a network was watched: our fault, never the network's.

A rule that raises costs the value that it was asked about, which becomes unknown, and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Slip:
    """A step that could not be followed: `path` is the module in which it was made ("" for the
    network itself), `operation` what was called there, `reason` one line that says why."""

    path: str
    operation: str
    reason: str

    def __str__(self) -> str:
        where = self.path or "the network itself"
        return f"{self.operation} in {where} could not be followed ({self.reason})"


class Slips(list[Slip]):
    """The slips of one pass, in order; each is said once."""

    def without(
        self, otherwise: T, path: str, operation: str, step: Callable[..., T], *given: Any
    ) -> T:
        """What a step of ours gives; `otherwise`, and a slip, if it raises."""
        try:
            return step(*given)
        except Exception as error:  # whatever it is, the network must not notice
            text = (str(error) or type(error).__name__).splitlines()[0][:200]
            slip = Slip(path, operation, f"{type(error).__name__}: {text}")
            if slip not in self:
                self.append(slip)
            return otherwise
