"""Similar units as a part of a unit's page."""

from dataclasses import dataclass

from markupsafe import Markup

from micrograph.lenses.feature_vis.lens import LENS as FEATURE_VIS
from micrograph.lenses.feature_vis.lens import FeatureVisResult
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.scene import Scene
from micrograph.lenses.similar.lens import LENS
from micrograph.lenses.similar.neighbours import by_profile, by_weights
from micrograph.parts.escaping import escaped, markup
from micrograph.parts.markup import breakable, thumb
from micrograph.parts.numbers import score
from micrograph.parts.parts import Thumb
from micrograph.plain import plain_record

MOST = 12


@plain_record
class Near:
    """A unit and how alike it is (cosine or correlation, up to 1; or activation)."""

    thumb: Thumb
    value: float


@dataclass(frozen=True)
class SimilarRow:
    """Units that are alike by one measure, most first; `measure` says what the numbers are, and of
    which dataset."""

    title: str
    measure: str
    near: list[Near]


@dataclass(frozen=True)
class SimilarUnits:
    """One row per measure."""

    technique: str
    form: str
    rows: list[SimilarRow]


TITLES = {
    "profile": "Fires on the same pictures",
    "models": "In other models",
    "weights": "Similar input weights",
    "outgoing": "Is read alike",
}


def section(scene: Scene) -> SimilarUnits | None:
    if scene.unit is None:
        return None
    known = [
        *by_profile(scene.atlas, scene.node.id, scene.unit, scene.others, MOST),
        *by_weights(scene.atlas, scene.node.id, scene.unit, MOST),
    ]
    names = {one.digest: one.name for one in scene.atlas.datasets()} if known else {}
    rows: list[SimilarRow | None] = [
        SimilarRow(
            TITLES.get(nearest.kind, nearest.kind),
            nearest.method + (f" of {names[nearest.dataset]}" if nearest.dataset in names else ""),
            [
                Near(found, n.value)
                for n in nearest.units
                if (found := scene.thumb(n.node, n.unit, n.model))
            ],
        )
        for nearest in known
    ]
    there = [row for row in [*rows, _on_its_picture(scene)] if row and row.near]
    return SimilarUnits(LENS.name, "similar", there) if there else None


def _on_its_picture(scene: Scene) -> SimilarRow | None:
    """Other units of the node that the unit's own picture drives, too."""
    for v, result in scene.results(FEATURE_VIS.name, FeatureVisResult):
        if v.variant == "channel" and result.driven:
            driven = [
                Near(found, value)
                for other, value in result.driven[: MOST + 1]
                if other != scene.unit and (found := scene.thumb(scene.node.id, other))
            ]
            return SimilarRow("Also driven by its picture", "mean activation on it", driven[:MOST])
    return None


def near_items(row: SimilarRow, model: str) -> Markup:
    """The units of a row as items of a list; those of other models than the page's say so."""
    return markup("".join([_item(near, model) for near in row.near]))


def _item(near: Near, here: str) -> str:
    model, _, place = near.thumb.address.partition("/")
    elsewhere = f'<span class="n where">{breakable(model)}</span>' if model != here else ""
    return (
        f'<li><a href="{escaped(near.thumb.url)}" aria-label="{escaped(near.thumb.address)}">'
        f'{thumb(near.thumb)}<span class="n">{score(near.value)}</span>'
        f'<span class="n where">{breakable(place)}</span>{elsewhere}</a></li>'
    )


PAGE = LensPage(part=SimilarUnits, section=section, drawings={"near_items": near_items})
