"""Families of drawn stimuli, whose geometry is known exactly: what a unit prefers among them."""

from micrograph.errors import not_found
from micrograph.stimuli.canvas import blank
from micrograph.stimuli.colours import COLOUR_CONTRAST, HUE
from micrograph.stimuli.curves import CORNERS, CURVE_EDGES, CURVES
from micrograph.stimuli.family import Axis, Stimuli, StimulusFamily
from micrograph.stimuli.spots import RINGS, SIZE_POSITION
from micrograph.stimuli.stripes import CHECKERBOARD, EDGES, GRATINGS, HIGH_LOW

FAMILIES = {
    family.name: family
    for family in (
        CURVES,
        CURVE_EDGES,
        CORNERS,
        EDGES,
        GRATINGS,
        CHECKERBOARD,
        HIGH_LOW,
        RINGS,
        SIZE_POSITION,
        HUE,
        COLOUR_CONTRAST,
    )
}
"""Every family by name, in the order in which they are shown."""


def family(name: str) -> StimulusFamily:
    """The family called `name`. Raises NotFound with the nearest names."""
    if name not in FAMILIES:
        raise not_found("family of stimuli", name, FAMILIES)
    return FAMILIES[name]


__all__ = ["FAMILIES", "Axis", "Stimuli", "StimulusFamily", "blank", "family"]
