"""Synthetic tuning: how a unit answers to families of drawn stimuli."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from micrograph.atlas.records import Visualization
from micrograph.lenses.pages.base import Lens, Option, Plugin, Scene, dicts, number, texts
from micrograph.parts.parts import Image, Thumb, image

if TYPE_CHECKING:
    import numpy as np

LENS = Lens(
    technique="tuning",
    title="Synthetic tuning",
    question="What does it prefer among drawn stimuli?",
    explanation=(
        "Curves, gratings, edges, colours and more are drawn with exactly known parameters, and "
        "the unit's answer in the middle of its map is read off."
    ),
    reading=(
        "A sharp peak means that the unit tells this parameter apart; a flat line that it does not "
        "care. The dashed line is its answer to plain grey."
    ),
    caution="A unit for something else also has a favourite here: compare the heights.",
)


@dataclass(frozen=True)
class Axis:
    """One parameter of the stimuli and the values it takes, numbers or words. `period` is where a
    circular one begins again."""

    name: str
    title: str
    unit: str
    values: list[float | str]
    circular: bool
    period: float


@dataclass(frozen=True)
class Family:
    """A unit's answers to one family: `responses` are nested lists, one level per axis. `best` is
    the strongest, in words; `image` its stimulus."""

    name: str
    title: str
    axes: list[Axis]
    responses: list[Any]
    baseline: float
    strongest: float
    best: str
    at: list[int]
    image: Image | None


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
        if v.technique != LENS.technique or v.variant in found:
            continue
        arrays = scene.atlas.arrays(scene.node.id, None, LENS.technique, v.variant)
        family = _family(scene, v, arrays)
        if family:
            found[v.variant] = family
    order = sorted(found.values(), key=lambda f: f.baseline - f.strongest)
    return Tuning(LENS.technique, "tuning", order) if order else None


def _family(scene: Scene, v: Visualization, arrays: dict[str, "np.ndarray"]) -> Family | None:
    assert scene.unit is not None
    axes, responses = axes_of(v), arrays.get("responses")
    shape = tuple(len(axis.values) for axis in axes)
    if not axes or responses is None or responses.shape != (scene.node.units, *shape):
        return None
    own = responses[scene.unit].astype("float64")
    own[~((own < 1e30) & (own > -1e30))] = 0.0
    number_of_best = int(own.argmax())
    at = _unravel(number_of_best, shape)
    base = arrays.get("baseline")
    baseline = number(float(base[scene.unit])) if base is not None and len(base) else 0.0
    digest = texts(v.data, "dataset")
    sample = scene.samples(digest, [number_of_best]).get(number_of_best)
    picture = sample.picture if sample else None
    return Family(
        v.variant,
        texts(v.data, "title") or v.variant.replace("_", " ").capitalize(),
        axes,
        own.tolist(),
        baseline,
        float(own.max()),
        _words(axes, at),
        at,
        image(scene.model, picture, scene.urls) if picture else None,
    )


def axes_of(v: Visualization) -> list[Axis]:
    """The axes that a family's data names; [] where they make no sense."""
    found = []
    for given in dicts(v.data.get("axes")):
        values = given.get("values")
        if not isinstance(values, list) or not values:
            return []
        found.append(
            Axis(
                texts(given, "name"),
                texts(given, "title") or texts(given, "name"),
                texts(given, "unit"),
                [x[:40] if isinstance(x, str) else number(x) for x in values],
                bool(given.get("circular")),
                number(given.get("period"), 360),
            )
        )
    return found if len(found) <= 4 and math.prod(len(a.values) for a in found) < 20000 else []


def _words(axes: Sequence[Axis], at: Sequence[int]) -> str:
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


def variants(scene: Scene, there: Sequence[str]) -> list[Option]:
    order = [v for v in _FIRST if v in there] + [v for v in there if v not in _FIRST]
    return [Option(v, v.replace("_", " ").capitalize()) for v in order]


def tiles(scene: Scene, variant: str, width: int) -> dict[int, Thumb]:
    """Each unit's favourite stimulus of one family."""
    v = scene.atlas.results(scene.node.id, LENS.technique, variant).get(None)
    responses = scene.atlas.arrays(scene.node.id, None, LENS.technique, variant).get("responses")
    if v is None or responses is None or len(responses) != scene.node.units:
        return {}
    flat = responses.reshape(len(responses), -1)
    best = [int(n) for n in flat.argmax(1)]
    samples = scene.samples(texts(v.data, "dataset"), best)
    found = {}
    for unit, n in enumerate(best):
        sample = samples.get(n)
        if sample and sample.picture:
            found[unit] = Thumb(
                unit,
                f"{scene.model}/{scene.node.id}/{unit}",
                scene.urls.unit(scene.model, scene.node.id, unit),
                image(scene.model, sample.picture, scene.urls),
                number(float(flat[unit, n])),
            )
    return found


PLUGIN = Plugin(LENS, section, variants, tiles, sweep=True)
