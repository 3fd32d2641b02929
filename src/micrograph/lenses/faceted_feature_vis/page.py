"""Facets by theme as a part of a unit's page, and as the tiles of a node's."""

from micrograph.lenses.faceted_feature_vis.lens import LENS
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.pictures import named, pictures, tiles

PAGE = LensPage(
    section=pictures(LENS, lambda v, _: f"Theme: {v.variant.replace('-', ' ')}"),
    variants=named(),
    tiles=tiles(LENS.name),
)
