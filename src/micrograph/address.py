"""Where: the addresses `model/node/unit` and the ways to write them.

An address names a model, a node of it, or a unit of that node, as a user spells it. Its text is
also the URL path under `/models/`. This module knows the form only; whether the place exists is for
a model or an atlas to say, through `find_node`. What results are about within a model can be more
than a place: see `micrograph.subject`, which spells nodes and units the same way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from micrograph.errors import BadInput, NotFound, not_found, short

NAME = r"[A-Za-z0-9_][A-Za-z0-9_.\-]*"
"""Pattern of the ids of models and nodes; all of it may stand in a URL as it is."""
UNIT = r"[0-9]{1,9}"
"""Pattern of a unit."""


def check_name(name: str) -> None:
    """Raises BadInput unless `name` can be the id of a model or a node."""
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        raise BadInput(
            f"{short(name)} cannot be part of an address; use letters, digits, '_', '-' and '.'"
        )


@dataclass(frozen=True, order=True)
class Address:
    """A place: a model, a node in it (or None), a unit in that (or None; counted from 0)."""

    model: str
    node: str | None = None
    unit: int | None = None

    def __post_init__(self) -> None:
        if self.unit is not None and self.node is None:
            raise BadInput(f"an address with unit {self.unit} needs a node too: model/node/unit")
        for name in (self.model, self.node):
            if name is not None:
                check_name(name)
        if self.unit is not None and self.unit < 0:
            raise BadInput(f"unit {self.unit} is negative; units count from 0")

    def __str__(self) -> str:
        return "/".join(str(p) for p in (self.model, self.node, self.unit) if p is not None)

    @property
    def path(self) -> str:
        """URL path of the page of this place."""
        return f"/models/{self}"


def parse(text: str) -> Address:
    """Read `model`, `model/node`, `model/node/unit`; also `model node:unit` and `model/node:unit`.

    Raises BadInput when the text has another form.
    """
    parts = [p for p in re.split(r"[/\s:]+", text.strip()) if p]
    if not 1 <= len(parts) <= 3:
        raise BadInput(
            f"{short(text)} is no address; expected model/node/unit, e.g. toytown/mixed4a/3"
        )
    if len(parts) == 3 and not re.fullmatch(UNIT, parts[2]):
        raise BadInput(
            f"unit {short(parts[2])} in {short(text)} is no number of at most nine digits; "
            "expected model/node/unit, with units counted from 0"
        )
    return Address(
        parts[0], parts[1] if len(parts) > 1 else None, int(parts[2]) if len(parts) > 2 else None
    )


def find_node(name: str, aliases: Mapping[str, str], where: str = "") -> str:
    """The node id that `name` stands for.

    `aliases` maps every accepted spelling, node ids included, to the node id. Exact spelling wins,
    then the spelling without regard to case. Raises NotFound with the nearest names.
    """
    if name in aliases:
        return aliases[name]
    folded = {a.lower(): node for a, node in aliases.items()}
    if name.lower() in folded:
        return folded[name.lower()]
    raise not_found("node", name, [*dict.fromkeys(aliases.values()), *aliases], where)


def check_unit(unit: int, node: str, count: int) -> None:
    """Raises NotFound, with the last unit as the nearest, unless `node` (model/node), which has
    `count` units, has this one."""
    if unit >= count and not count:
        raise NotFound(f"unit {unit} is out of range: {node} has no units")
    if unit >= count:
        raise NotFound(
            f"unit {unit} is out of range: {node} has units 0-{count - 1}", [f"{node}/{count - 1}"]
        )


def parse_units(text: str, count: int) -> list[int]:
    """Read a selection such as `0-63,100,200-` out of `count` units, ascending without repeats.

    Raises BadInput for a wrong form or a unit outside 0..count-1.
    """
    chosen: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})(\s*-\s*(\d{1,9})?)?\s*", part, re.ASCII)
        if match is None:
            raise BadInput(f"units {short(text)} not understood; expected e.g. 0-63 or 3,17,40-")
        first = int(match[1])
        last = first if match[2] is None else count - 1 if match[3] is None else int(match[3])
        if last < first or last >= count:
            raise BadInput(
                f"units {part.strip()!r} out of range; this node has units 0-{count - 1}"
            )
        chosen.update(range(first, last + 1))
    return sorted(chosen)
