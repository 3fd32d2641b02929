"""What pages show that stands in no atlas: whether a model can be run here, how far a render is.

Which photographs the reader has is seen by the files that a page was made from.
"""

from collections.abc import Hashable

from micrograph.errors import MicrographError
from micrograph.web.context import Context
from micrograph.web.locations import locate
from micrograph.web.target import Target
from micrograph.web.targets import (
    CircuitTarget,
    ClaimTarget,
    LocationTarget,
    ModelsTarget,
    StartTarget,
)


def outside_state(context: Context, target: Target) -> Hashable:
    """Equal for two requests of one target exactly where their pages say the same of this."""
    if isinstance(target, StartTarget | ModelsTarget):
        can_run = tuple([context.known(model).key for model in context.library.outlines])
        return can_run, tuple(context.library.unsearched)
    if isinstance(target, ClaimTarget):
        model = target.claim.partition("/")[0]
        return context.known(model).key if model in context.library.readings else None
    if not isinstance(target, LocationTarget):
        return None
    try:
        here = locate(context.library, target.location, context.urls)
    except MicrographError:
        return None  # there is no page, or it is elsewhere
    if isinstance(target, CircuitTarget):
        return context.connections_state(here.atlas.model.id)
    known = context.known(here.atlas.model.id).key
    render = None if here.unit is None else context.render_state(here)
    return known, context.site.look.reason, render
