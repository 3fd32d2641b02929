"""DeepDream as a part of a node's page."""

from micrograph.lenses.deepdream.lens import LENS
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.pictures import pictures, plain

PAGE = LensPage(section=pictures(LENS, plain("DeepDream")))
