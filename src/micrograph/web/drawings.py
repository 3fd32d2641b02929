"""The plots of the lenses, drawn from their sections."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from micrograph.lenses.dataset_examples.page import MARKS, DatasetExamples
from micrograph.parts.plots import Plot, bars, depth, histogram, tuning_plots
from micrograph.web.pages.model_state import NodeUnits

if TYPE_CHECKING:
    from micrograph.lenses.tuning.page import Family


def histogram_of(section: DatasetExamples) -> Markup:
    """How often the unit takes which values, with the pictures' maxima marked."""
    found = section.histogram
    if found is None:
        return Markup("")
    marks = [(value, MARKS[share]) for share, value in section.marks.items()]
    return histogram(
        found.counts,
        found.low,
        found.high,
        marks,
        title="How strongly, how often",
        x_title=found.of,
    )


def classes_of(section: DatasetExamples) -> Markup:
    """The classes whose pictures move the unit most."""
    return bars([(c.name, c.mean, "") for c in section.classes], title="Which classes")


def depth_of(nodes: Sequence[NodeUnits]) -> Markup:
    """How many units each node has."""
    return depth([(one.node, one.units) for one in nodes])


def tuning_of(family: "Family") -> list[Plot]:
    """A unit's answers to one family."""
    import numpy as np

    axes = [
        {
            "name": a.name,
            "title": a.title,
            "unit": a.unit,
            "values": a.values,
            "circular": a.circular,
            "period": a.period,
        }
        for a in family.axes
    ]
    data = {"title": family.title, "family": family.name, "axes": axes}
    return tuning_plots(data, np.array(family.responses), family.baseline)
