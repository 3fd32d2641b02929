"""MaCo as a part of a unit's page, and as the tiles of a node's."""

from micrograph.lenses.maco.lens import LENS
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.pictures import named, pictures, plain, tiles

PAGE = LensPage(
    section=pictures(LENS, plain("Natural spectrum (MaCo)")),
    variants=named({"channel": "Whole channel"}),
    tiles=tiles(LENS.name),
)
