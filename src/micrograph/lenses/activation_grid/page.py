"""Activation grid as a part of a node's page."""

from micrograph.lenses.activation_grid.lens import LENS
from micrograph.lenses.pages.on_pictures import OnPictures, on_pictures
from micrograph.lenses.pages.page import LensPage

PAGE = LensPage(part=OnPictures, section=on_pictures(LENS))
