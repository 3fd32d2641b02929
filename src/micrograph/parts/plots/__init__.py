"""Plots as inline SVG: pure functions from numbers to markup, without scripts."""

from micrograph.parts.plots.counts import bars, histogram
from micrograph.parts.plots.depth import depth
from micrograph.parts.plots.heatmap import heatmap
from micrograph.parts.plots.lines import lines
from micrograph.parts.plots.polar import polar
from micrograph.parts.plots.tuning import Plot, tuning_plots

__all__ = ["Plot", "bars", "depth", "heatmap", "histogram", "lines", "polar", "tuning_plots"]
