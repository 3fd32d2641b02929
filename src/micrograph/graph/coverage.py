"""How much of a network its nodes cover, and what is said of the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FEW = 3


@dataclass(frozen=True)
class LostAt:
    """Why modules have no node: `reason` names what could not be followed, `first` is the first of
    these `modules` modules."""

    reason: str
    first: str
    modules: int


@dataclass(frozen=True)
class Coverage:
    """Of `modules` parts of a network that depend on the picture `without` have no node, for what
    `lost` says. `slips` are steps that Micrograph itself failed at."""

    modules: int = 0
    without: tuple[str, ...] = ()
    lost: tuple[LostAt, ...] = ()
    slips: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line; empty where nothing is missing.

        >>> print(Coverage(47, ("pool.q", "head"), (LostAt("stack in pool", "pool.q", 2),)))
        2 of 47 modules have no node: pool.q and 1 more (stack in pool)
        """
        said = []
        if self.without:
            have = "module has" if self.modules == 1 else "modules have"
            said.append(
                f"{len(self.without)} of {self.modules} {have} no node: "
                + "; ".join(_told(one) for one in self.lost[:_FEW])
                + ("; ..." if len(self.lost) > _FEW else "")
            )
        if self.slips:
            more = f" (and {len(self.slips) - 1} more)" if len(self.slips) > 1 else ""
            said.append(self.slips[0] + more)
        return "; ".join(said)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, for atlases and twins."""
        return {
            "modules": self.modules,
            "without_node": list(self.without),
            "lost": [vars(one) for one in self.lost],
            "slips": list(self.slips),
        }

    @classmethod
    def from_json(cls, data: Any) -> "Coverage | None":
        """The reverse of `to_json`; None for anything else, as what an older atlas says."""
        if not isinstance(data, Mapping):
            return None
        try:
            lost = tuple(
                LostAt(str(one["reason"]), str(one["first"]), int(one["modules"]))
                for one in data["lost"]
            )
            without = tuple(map(str, data["without_node"]))
            return cls(int(data["modules"]), without, lost, tuple(map(str, data["slips"])))
        except (KeyError, TypeError, ValueError):
            return None


def _told(one: LostAt) -> str:
    more = f" and {one.modules - 1} more" if one.modules > 1 else ""
    return f"{one.first}{more} ({one.reason})"
