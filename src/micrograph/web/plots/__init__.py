"""Plots as inline SVG: pure functions from numbers to markup, without scripts."""

from micrograph.web.plots.counts import bars, histogram
from micrograph.web.plots.depth import depth
from micrograph.web.plots.heatmap import heatmap
from micrograph.web.plots.lines import lines
from micrograph.web.plots.polar import polar
from micrograph.web.plots.tuning import Plot, tuning_plots

__all__ = ["Plot", "bars", "depth", "heatmap", "histogram", "lines", "polar", "tuning_plots"]
