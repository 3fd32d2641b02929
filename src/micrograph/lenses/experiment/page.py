"""Experiments as a part of a unit's page: each with the settings it was made under."""

from micrograph.atlas.records import Visualization
from micrograph.lenses.experiment.lens import LENS, ExperimentResult
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.pictures import pictures


def _caption(v: Visualization, result: ExperimentResult) -> str:
    words = f"Experiment: {v.variant.replace('-', ' ')}"
    others = [f"{unit} {value:.3g}" for unit, value in result.driven[1:]]
    return words + (f" ({', '.join(others)})" if others else "")


PAGE = LensPage(section=pictures(LENS, _caption))
