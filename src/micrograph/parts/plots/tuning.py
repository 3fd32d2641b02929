"""Which plots show a unit's tuning to a family of stimuli."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from micrograph.parts.plots.heatmap import heatmap
from micrograph.parts.plots.lines import lines
from micrograph.parts.plots.polar import polar

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Plot:
    """A plot, and one sentence on how to read it."""

    svg: Markup
    caption: str


def tuning_plots(data: Mapping[str, Any], responses: "np.ndarray", baseline: float) -> list[Plot]:
    """The plots of one unit: `responses` [one axis per entry of data["axes"]] to a family, and the
    response to plain grey.

    A direction or orientation gives a polar plot; two numbers, or two lists of words, a heat map;
    a number and a list of words one line for each of the three strongest words. Axes that a plot
    does not show are at their best. A unit that responds to all alike gets one plot, saying so.
    """
    import numpy as np

    axes: list[Mapping[str, Any]] = [{**axis, _NUMERIC: _is_numeric(axis)} for axis in data["axes"]]
    responses = np.asarray(responses, np.float64)
    if responses.shape != tuple(len(axis["values"]) for axis in axes) or not responses.size:
        return []
    least, most = np.fmin.reduce(responses, axis=None), np.fmax.reduce(responses, axis=None)
    if np.isnan(most):
        return []
    found = _plots(axes, responses, baseline, data)
    if found and least == most:
        return [Plot(found[0].svg, "The same response to all of them.")]
    return found


def _plots(
    axes: list[Mapping[str, Any]], responses: "np.ndarray", baseline: float, data: Mapping[str, Any]
) -> list[Plot]:
    import numpy as np

    title = str(data["title"])
    found: list[Plot] = []
    for k, axis in enumerate(axes):
        period = int(axis.get("period") or 360)
        if k == 0 and axis["circular"] and period >= 180 and axis[_NUMERIC]:
            values = _best_over(responses, (k,)).tolist()
            svg = polar(axis["values"], values, baseline, period=period, title=title)
            found.append(Plot(svg, f"By {_name(axis)}{_rest(axes, (k,))}."))
    wide = [k for k, axis in enumerate(axes) if axis[_NUMERIC]]
    words = [k for k, axis in enumerate(axes) if not axis[_NUMERIC]]
    if len(wide) == len(words) == 1:
        (k,), (w,) = wide, words
        table = _best_over(responses, (w, k))
        strongest = np.argsort(-np.nan_to_num(table.max(1), nan=-np.inf), kind="stable")[:3]
        ys = {str(axes[w]["values"][i]): table[i].tolist() for i in strongest}
        svg = lines(
            axes[k]["values"],
            ys,
            baseline,
            title=title,
            x_title=axes[k]["title"],
            x_unit=axes[k]["unit"],
        )
        caption = f"By {_name(axes[k])}, for the strongest values of {_name(axes[w])}."
        found.append(Plot(svg, caption))
    elif len(axes) >= 2:
        x, y = (wide if len(wide) >= 2 else range(len(axes)))[:2]
        up = data.get("family") == "size_position"
        x, y = (y, x) if up else (x, y)  # there, up and right are up and right in the picture too
        table = _best_over(responses, (y, x))
        svg = heatmap(table.tolist(), axes[x], axes[y], baseline=baseline, title=title, upward=up)
        found.append(Plot(svg, f"By {_name(axes[x])} and {_name(axes[y])}{_rest(axes, (x, y))}."))
    elif wide and not found:
        svg = lines(
            axes[0]["values"],
            {"response": responses.tolist()},
            baseline,
            title=title,
            x_title=axes[0]["title"],
            x_unit=axes[0]["unit"],
        )
        found.append(Plot(svg, f"By {_name(axes[0])}."))
    return found


def _best_over(responses: "np.ndarray", kept: tuple[int, ...]) -> "np.ndarray":
    """The largest over all axes but `kept`, which come out in that order; NaN where all are."""
    import numpy as np

    others = tuple(k for k in range(responses.ndim) if k not in kept)
    best = np.fmax.reduce(responses, axis=others) if others else responses
    order = sorted(kept)
    return np.asarray(best.transpose([order.index(k) for k in kept]))


_NUMERIC = "numeric"
"""Under this key of an axis stands whether all its values are numbers."""


def _is_numeric(axis: Mapping[str, Any]) -> bool:
    return all(issubclass(kind, int | float) for kind in {*map(type, axis["values"])})


def _name(axis: Mapping[str, Any]) -> str:
    return str(axis["name"]).replace("_", " ")


def _rest(axes: list[Mapping[str, Any]], kept: tuple[int, ...]) -> str:
    others = [_name(axis) for k, axis in enumerate(axes) if k not in kept]
    return f", at the best {' and '.join(others)}" if others else ""
