"""From what an address says to a picture that may be made."""

from collections.abc import Sequence
from typing import Any

from micrograph.address import check_unit, find_node
from micrograph.errors import BadInput, NotFound, Unavailable, short
from micrograph.lenses import lens, live
from micrograph.web.context import Context
from micrograph.web.experiments import ExperimentOptions
from micrograph.web.locations import Location, locate_all
from micrograph.web.microscope import Wish


def checked_wish(
    context: Context, place: Sequence[str], options: ExperimentOptions, keep: bool = False
) -> Wish:
    """The wish of an address, where it can be made here. Raises Unavailable where it cannot, and
    what is wrong with place and options."""
    here = locate_all(context.library, list(place), context.urls)
    wish = wish_of(here, options, keep)
    if reason := obstacle(context, here):
        raise Unavailable(reason)
    if keep and (reason := context.site.live.reason):
        raise Unavailable(f"it cannot be kept: {reason}")
    return wish


def wish_of(here: Location, options: ExperimentOptions, keep: bool = False) -> Wish:
    """The picture that options mean of a unit. Raises BadInput for options that cannot be."""
    assert here.node is not None
    assert here.unit is not None
    record = here.atlas.model
    wish = Wish(record.id, record.digest, here.node.id, here.unit, options.read(), keep)
    _check_other_units(here, wish)
    return wish


def _check_other_units(here: Location, wish: Wish) -> None:
    """Raises BadInput for one that the model does not have: an option, not the place."""
    atlas = here.atlas
    params: Any = lens(live()).params.read(wish.options)
    for other in params.other_units:
        try:
            node = atlas.nodes[find_node(other.node, atlas.aliases, wish.model)]
            check_unit(other.unit, f"{wish.model}/{node.id}", node.units)
        except NotFound as error:
            raise BadInput(f"others {short(other.node)}: {error}") from None


def obstacle(context: Context, here: Location) -> str:
    """Why nothing can be made live of a model, or ""."""
    return context.obstacle(here.atlas.model.id) or context.site.microscope.reason
