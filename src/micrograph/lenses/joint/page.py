"""Joint optimization as a part of a unit's page."""

from micrograph.atlas.records import Visualization
from micrograph.lenses.joint.lens import LENS, JointResult
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.pictures import pictures


def _caption(v: Visualization, result: JointResult) -> str:
    if result.partner:
        return f"From this unit to {result.partner[0]}/{result.partner[1]}"
    return f"Together {v.variant.replace('-', ' ')}"


PAGE = LensPage(section=pictures(LENS, _caption))
