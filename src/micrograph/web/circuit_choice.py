"""What of a circuit an address asks for."""

from micrograph.atlas import Snapshot
from micrograph.errors import BadInput, short
from micrograph.lenses.connections.circuit import (
    BRANCHES,
    DEEPEST,
    MOST_NAMED,
    SIGNS,
    WIDEST,
    CircuitChoice,
    Place,
)
from micrograph.lenses.connections.inputs import ORDERS
from micrograph.parts.urls import Urls
from micrograph.web.choices import check_choice
from micrograph.web.locations import locate
from micrograph.web.targets import CircuitTarget


def choice_of(library: Snapshot, model: str, target: CircuitTarget, urls: Urls) -> CircuitChoice:
    """Raises BadInput for what is no choice, NotFound for units that the model does not have."""
    check_choice("depth", target.depth, [str(n + 1) for n in range(DEEPEST)])
    check_choice("width", target.width, [str(n + 1) for n in range(WIDEST)])
    check_choice("sign", target.sign, SIGNS)
    check_choice("order", target.order, ORDERS)
    check_choice("branches", target.branches, BRANCHES)
    return CircuitChoice(
        depth=int(target.depth),
        width=int(target.width),
        sign=target.sign,
        order=target.order,
        branches=target.branches,
        pinned=_places(library, model, "pin", target.pin, urls),
        removed=_places(library, model, "without", target.without, urls),
    )


def _places(library: Snapshot, model: str, option: str, text: str, urls: Urls) -> tuple[Place, ...]:
    """Units between commas, each as node/unit in any spelling, with the model before it or not."""
    names = [one.strip() for one in text.split(",") if one.strip()]
    if len(names) > MOST_NAMED:
        raise BadInput(f"{option}= names {len(names)} units; expected at most {MOST_NAMED}")
    found: dict[Place, None] = {}
    for name in names:
        own = name.lower().startswith(f"{model.lower()}/") and name.count("/") > 1
        here = locate(library, name if own else f"{model}/{name}", urls)
        if here.node is None or here.unit is None:
            raise BadInput(f"{option}={short(name)} is no unit; expected node/unit")
        found[here.node.id, here.unit] = None
    return tuple(found)
