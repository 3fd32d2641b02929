"""Which units are steered together: what an address says, and which groups a node offers."""

import re

from micrograph.address import parse_units
from micrograph.errors import BadInput, short
from micrograph.lenses.connections.weight_groups import stored_groups
from micrograph.parts.parts import Choice
from micrograph.web.context import Context
from micrograph.web.locations import Location, locate

MOST = 256
"""Units of a group at most."""


def group_in(context: Context, here: Location, text: str) -> tuple[int, ...]:
    """The page's unit and those that `text` names beside it: 3,7 or 0-5 or 3+7, each with its node
    before it or not.

    Raises BadInput and NotFound for what names no units of the page's node.
    """
    assert here.node is not None
    assert here.unit is not None
    found = {here.unit: None}
    for part in re.split(r"[,+\s]+", text.strip()):
        found |= dict.fromkeys(_units(context, here, part) if part else [])
        if len(found) > MOST:
            raise BadInput(f"units={short(text)} names too many; expected at most {MOST}")
    return tuple(found)


def _units(context: Context, here: Location, text: str) -> list[int]:
    assert here.node is not None
    if "/" not in text:
        return parse_units(text, here.node.units)
    place = text if text.count("/") > 1 else f"{here.atlas.model.id}/{text}"
    other = locate(context.library, place, context.urls)
    same = other.node is not None and other.node.id == here.node.id
    if other.atlas.model.id != here.atlas.model.id or not same or other.unit is None:
        raise BadInput(
            f"units={short(text)} is no unit of {here.node.id}; units of one node are steered "
            "together"
        )
    return [other.unit]


def groups_offered(
    context: Context, here: Location, group: tuple[int, ...], view: dict[str, str]
) -> list[Choice]:
    """The groups that the weights of the node are factored into, each by its largest units."""
    assert here.node is not None
    _, _, groups = stored_groups(here.atlas, here.node.id)
    found = []
    for one in groups:
        units = [unit for unit, _ in one.targets]
        if units:
            url = context.urls.on_picture(
                here.atlas.model.id,
                here.node.id,
                units[0],
                **view,
                units=",".join(map(str, units)),
            )
            text = f"group {one.number}: " + ", ".join(map(str, units))
            found.append(Choice(str(one.number), text, url, set(units) == set(group)))
    return found
