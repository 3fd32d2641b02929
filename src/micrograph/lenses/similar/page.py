"""Similar units: whose weights, or whose answers, are alike."""

from dataclasses import dataclass

from micrograph.lenses.pages.base import Lens, Plugin, Scene, number, pairs
from micrograph.lenses.similar.neighbours import by_profile, by_weights
from micrograph.parts.parts import Thumb

LENS = Lens(
    technique="similar",
    title="Similar units",
    question="In what company?",
    explanation=(
        "Units are compared by the pictures they fire on, here and in other models, and by the "
        "weights they read their input with."
    ),
    reading=(
        "Units that fire on the same pictures mean the same, whatever their own pictures look like."
    ),
    caution="Alike on one dataset is not the same: another dataset may tell them apart.",
)
MOST = 12


@dataclass(frozen=True)
class Near:
    """A unit and how alike it is (cosine or correlation, up to 1; or activation)."""

    thumb: Thumb
    value: float


@dataclass(frozen=True)
class Row:
    """Units that are alike by one measure, most first; `measure` says what the numbers are."""

    title: str
    measure: str
    near: list[Near]


@dataclass(frozen=True)
class Similar:
    """One row per measure."""

    technique: str
    form: str
    rows: list[Row]


TITLES = {
    "profile": "Fires on the same pictures",
    "models": "In other models",
    "weights": "Reads its input alike",
    "outgoing": "Is read alike",
}


def section(scene: Scene) -> Similar | None:
    if scene.unit is None:
        return None
    known = [
        *by_profile(scene.atlas, scene.node.id, scene.unit, scene.others, MOST),
        *by_weights(scene.atlas, scene.node.id, scene.unit, MOST),
    ]
    rows: list[Row | None] = [
        Row(
            TITLES.get(group.kind, group.kind),
            group.method,
            [
                Near(thumb, n.value)
                for n in group.units
                if (thumb := scene.thumb(n.node, n.unit, n.model))
            ],
        )
        for group in known
    ]
    there = [row for row in [*rows, _on_its_picture(scene)] if row and row.near]
    return Similar(LENS.technique, "similar", there) if there else None


def _on_its_picture(scene: Scene) -> Row | None:
    """Other units of the node that the unit's own picture drives, too."""
    for v in scene.of("feature_vis"):
        driven = pairs(v.data.get("company"))
        if v.variant == "channel" and driven:
            found = [
                Near(thumb, number(value))
                for other, value, *_ in driven[: MOST + 1]
                if isinstance(other, int)
                and other != scene.unit
                and (thumb := scene.thumb(scene.node.id, other))
            ]
            return Row("Also driven by its picture", "mean activation on it", found[:MOST])
    return None


PLUGIN = Plugin(LENS, section, sweep=True)
