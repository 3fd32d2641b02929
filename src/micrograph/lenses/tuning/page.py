"""Synthetic tuning as a part of a unit's page, and as the tiles of a node's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from micrograph.atlas.records import Visualization
from micrograph.atlas.remembered import Remembered
from micrograph.lenses.pages.page import LensPage, TileChoice
from micrograph.lenses.pages.scene import ArraysOf, Scene
from micrograph.lenses.result import number
from micrograph.lenses.tuning.lens import LENS, ResponseAxis, TuningResult
from micrograph.parts.escaping import escaped, markup
from micrograph.parts.numbers import score
from micrograph.parts.parts import Image, Thumb, image
from micrograph.parts.plots import Plot, tuning_plots
from micrograph.recipe import digest


@dataclass(frozen=True)
class Family:
    """A unit's answers to one family: `responses` are nested lists, one level per axis. `best` is
    the strongest, in words; `image` its stimulus; neither is there where the unit never `fires`."""

    name: str
    title: str
    axes: list[ResponseAxis]
    responses: list[Any]
    baseline: float
    strongest: float
    best: str
    at: list[int]
    image: Image | None
    fires: bool


@dataclass(frozen=True)
class Tuning:
    """The families, the one that moved the unit most first."""

    technique: str
    form: str
    families: list[Family]


def section(scene: Scene) -> Tuning | None:
    """None where no family was shown to this node."""
    if scene.unit is None:
        return None
    found: dict[str, Family] = {}
    for v in scene.whole:
        if v.technique == LENS.name and v.variant not in found:
            family = _family(scene, v, _family_of_node(scene, v))
            if family:
                found[v.variant] = family
    order = sorted(found.values(), key=lambda f: f.baseline - f.strongest)
    return Tuning(LENS.name, "tuning", order) if order else None


_KNOWN: Remembered[TuningResult] = Remembered(256)


def _family_of_node(scene: Scene, v: Visualization) -> TuningResult:
    """What was shown to a node, without its answers: read once for all its units."""
    key = (v.node, v.variant, v.seed, digest(v.recipe))
    return _KNOWN.get(scene.atlas, key, lambda: TuningResult.from_json(v.data, {}))


def _family(scene: Scene, v: Visualization, result: TuningResult) -> Family | None:
    assert scene.unit is not None
    arrays = ArraysOf(scene.atlas, v) if result.axes else {}
    responses, base = arrays.get("responses"), arrays.get("baseline")
    if responses is None or responses.shape != (scene.node.units, *result.shape):
        return None
    own = responses[scene.unit].astype("float64")
    flat = own.ravel().tolist()
    if not (max(flat) < 1e30 and min(flat) > -1e30 and math.isfinite(sum(flat))):
        own[~((own < 1e30) & (own > -1e30))] = 0.0
        flat = own.ravel().tolist()
    strongest = max(flat)
    number_of_best = flat.index(strongest)
    at = _unravel(number_of_best, result.shape)
    baseline = number(float(base[scene.unit])) if base is not None and len(base) else 0.0
    sample = scene.samples(result.dataset, [number_of_best]).get(number_of_best)
    picture = sample.picture if sample else None
    fires = strongest != 0  # an unrectified unit is hardly ever exactly 0
    return Family(
        v.variant,
        result.title or v.variant.replace("_", " ").capitalize(),
        list(result.axes),
        own.tolist(),
        baseline,
        strongest,
        _words(result.axes, at) if fires else "",
        at,
        image(scene.model, picture, scene.urls) if picture and fires else None,
        fires,
    )


def _words(axes: Sequence[ResponseAxis], at: Sequence[int]) -> str:
    """ "orientation 45°, radius 12 px"."""
    parts = []
    for axis, i in zip(axes, at, strict=True):
        value = axis.values[i]
        if isinstance(value, str):
            parts.append(value if axis.title == axis.name else f"{axis.title} {value}")
            continue
        space = "" if axis.unit in ("", "°") else "\N{NO-BREAK SPACE}"
        parts.append(f"{axis.title} {value:.3g}{space}{axis.unit}")
    return ", ".join(parts)


def _unravel(index: int, shape: Sequence[int]) -> list[int]:
    found = []
    for size in reversed(shape):
        index, rest = divmod(index, size)
        found.append(rest)
    return found[::-1]


_FIRST = ("curves", "edges", "gratings", "hue")
"""Families that say most about most units."""


def variants(scene: Scene, there: Sequence[str]) -> list[TileChoice]:
    order = [v for v in _FIRST if v in there] + [v for v in there if v not in _FIRST]
    return [TileChoice(v, v.replace("_", " ").capitalize()) for v in order]


def tiles(scene: Scene, variant: str, width: int) -> dict[int, Thumb]:
    """Each unit's favourite stimulus of one family; no picture of a unit that is silent on all."""
    v = scene.atlas.results(scene.node.id, LENS.name, variant).get(None)
    if v is None:
        return {}
    result = scene.read(v, TuningResult)
    responses = result.responses
    if responses is None or len(responses) != scene.node.units:
        return {}
    flat = responses.reshape(len(responses), -1)
    best = [int(n) for n in flat.argmax(1)]
    samples = scene.samples(result.dataset, best)
    found = {}
    for unit, n in enumerate(best):
        sample = samples.get(n)
        silent = flat[unit, n] == 0
        if silent or (sample and sample.picture):
            found[unit] = Thumb(
                unit,
                f"{scene.model}/{scene.node.id}/{unit}",
                scene.urls.unit(scene.model, scene.node.id, unit),
                image(scene.model, sample.picture, scene.urls)
                if sample and sample.picture and not silent
                else None,
                number(float(flat[unit, n])),
            )
    return found


def families_of(families: Sequence[Family]) -> Markup:
    """What a unit answers to some families."""
    return markup("".join([_drawn(family) for family in families]))


def _drawn(family: Family) -> str:
    shown, best = family.image, escaped(family.best)
    picture = ""
    if shown is not None:
        picture = (
            f'<img src="{escaped(shown.url)}" width="{shown.width}" height="{shown.height}" '
            f'alt="Best stimulus: {best}" loading="lazy" decoding="async" '
            f'style="background:{escaped(shown.color)}">'
        )
    plots = "".join(
        [
            f'<figure class="plotted">{plot.svg}<figcaption class="small">{escaped(plot.caption)}'
            "</figcaption></figure>\n"
            for plot in tuning_of(family)
        ]
    )
    answer = (
        f'activation <span class="n">{score(family.strongest)}</span>; on plain grey '
        f'<span class="n">{score(family.baseline)}</span>'
    )
    return (
        f'<div class="family">\n<div class="best">{picture}<h3>{escaped(family.title)}</h3>\n'
        f"<p>{best}</p>\n<p>{answer if family.fires else 'silent on all of them'}</p></div>\n"
        f"{plots}</div>"
    )


def tuning_of(family: Family) -> list[Plot]:
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


PAGE = LensPage(
    part=Tuning,
    section=section,
    variants=variants,
    tiles=tiles,
    drawings={"families_of": families_of},
)
