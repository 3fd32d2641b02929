"""The page of a unit: everything that was rendered of it, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from micrograph import recipe as recipes
from micrograph.atlas import NodeRecord, Reading, Visualization
from micrograph.atlas.concatenations import concatenations
from micrograph.graph import NodeKind
from micrograph.lenses import lenses
from micrograph.lenses.contract import Words
from micrograph.lenses.pages.listing import absent
from micrograph.lenses.pages.pictures import measured
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import (
    Link,
    LookState,
    ModelRef,
    NodeFacts,
    Thumb,
    model_ref,
    node_facts,
    safe_color,
)
from micrograph.parts.urls import Urls
from micrograph.web.choices import check_choice
from micrograph.web.lens_traits import DEFAULT, datasets_shown, is_in_doubt
from micrograph.web.pages.cite import Citation, citations
from micrograph.web.pages.lens_parts import LensPart, lens_parts
from micrograph.web.pages.paging import Paging, pages_of
from micrograph.web.pages.tested_claims import LinkedClaims, linked_claims
from micrograph.web.render_state import RenderState

ORDERS = ("weight", "activation")
"""What the inputs of a unit are ordered by."""
REACH = 6
PER_PAGE = 256
"""Results on a page: more than anybody renders of a unit, unless on purpose."""
OF_A_VIEW = 32
"""Results of a view that stand together on a page, before those of other views."""


@dataclass(frozen=True, kw_only=True)
class VisualizationView:
    """One result about the unit. `image` is its picture's URL, empty (and its sizes 0) where
    `data` says it all; `recipe_digest` names the recipe. `stored_score` is what the picture reaches
    as it is stored, None where that was not measured; `measured` says what the number is that is
    shown."""

    technique: str
    variant: str
    recipe: Mapping[str, Any]
    recipe_digest: str
    seed: int
    score: float
    image: str
    width: int
    height: int
    color: str
    data: Mapping[str, Any]
    made_with: Mapping[str, str]
    created: str
    seconds: float
    stored_score: float | None
    measured: str

    @property
    def shown_score(self) -> float:
        """The number that belongs to the picture."""
        return self.score if self.stored_score is None else self.stored_score


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A lens that was not rendered here, and the command that does it."""

    technique: str
    title: str
    command: str


@dataclass(frozen=True, kw_only=True)
class UnitPage:
    """`/models/<model>/<node>/<unit>`. `label` is the class name of an output unit, else "".

    `same_as` is the unit of a concatenation that this unit of a branch becomes. `sections` are the
    lenses that have something to show, in reading order; `missing` the others. `techniques` are all
    that have something to show here, those of the node as a whole included. `command` renders what
    feature visualization lacks. `claims` are those that were tested about the unit. Of very many
    results a page has some, as `paging` says.
    """

    kind: str
    title: str
    address: str
    model: ModelRef
    node: str
    node_facts: NodeFacts
    unit: int
    label: str
    same_as: Link | None
    sections: list[LensPart]
    missing: list[Missing]
    techniques: list[str]
    visualizations: list[VisualizationView]
    neighbours: list[Thumb]
    previous: Link | None
    next: Link | None
    citations: list[Citation]
    command: str
    render: RenderState
    look: LookState
    paging: Paging
    claims: LinkedClaims


def unit_page(
    atlas: Reading,
    node: NodeRecord,
    unit: int,
    urls: Urls,
    look: LookState,
    *,
    render: RenderState,
    origin: str,
    others: Sequence[Reading] = (),
    options: Mapping[str, str] | None = None,
    number: int = 1,
) -> UnitPage:
    """`origin` ("http://host:port") makes the permalink; `others` are the other models' atlases;
    `options` is the page's query. Raises BadInput for a dataset that the unit was not shown and for
    an order that there is not, NotFound behind the last page of very many results."""
    model = atlas.model
    results = atlas.visualizations(node.id, unit)
    asked, shown = dict(options or {}), datasets_shown(results)
    dataset = asked.get("dataset", "")
    if dataset:
        check_choice("dataset", dataset, shown, of="this unit")
    order = asked.get("order", ORDERS[0])
    check_choice("order", order, ORDERS)
    paging = Paging.of(
        pages_of(len(results), PER_PAGE),
        number,
        "the results of this unit",
        lambda page: urls.unit(
            model.id,
            node.id,
            unit,
            dataset=dataset or None,
            order=order if order != ORDERS[0] else None,
            page=page if page > 1 else None,
        ),
    )
    here = results if paging.pages == 1 else _those_of(results, paging, dataset)
    if paging.pages == 1 and dataset == next(iter(shown), ""):
        asked["dataset"] = ""  # as usual: links do not say it
    scene = Scene(atlas, node, unit, urls, here, asked, others)
    parts = lens_parts(scene, "unit")
    first = max(0, min(unit - REACH, node.units - 2 * REACH - 1))
    nearby = range(first, min(node.units, first + 2 * REACH + 1))
    found = [_view(v, model.id, urls) for v in here]
    address = f"{model.id}/{node.id}/{unit}"

    def link(other: int) -> Link | None:
        inside = 0 <= other < node.units
        return Link(str(other), urls.unit(model.id, node.id, other)) if inside else None

    return UnitPage(
        kind="unit",
        title=address.replace("/", " / "),
        address=address,
        model=model_ref(model, urls),
        node=node.id,
        node_facts=node_facts(model, node, urls, atlas.dictionaries.get(node.id)),
        unit=unit,
        label=_label(atlas, node, unit),
        same_as=_link_in_concatenation(atlas, node, unit, urls),
        sections=parts,
        missing=_missing(scene, parts, results),
        techniques=_techniques(scene, parts, results),
        visualizations=found,
        neighbours=[thumb for other in nearby if (thumb := scene.thumb(node.id, other))],
        previous=link(unit - 1),
        next=link(unit + 1),
        citations=citations(model, address, origin + urls.unit(model.id, node.id, unit), results),
        command=urls.commands.render(model, node.id, unit, _absent_views(results)),
        render=render,
        look=look,
        paging=paging,
        claims=linked_claims(atlas, urls, node.id, unit),
    )


def _those_of(
    results: Sequence[Visualization], paging: Paging, dataset: str
) -> list[Visualization]:
    """The results of a page: on the first pages are the first of each view, and what the dataset
    that is asked for showed."""
    seen: dict[tuple[str, str], int] = {}
    places = []
    for k, v in enumerate(results):
        rank = seen[v.technique, v.variant] = seen.get((v.technique, v.variant), -1) + 1
        places.append((v.variant != dataset, rank // OF_A_VIEW, k))
    here = sorted(k for _, _, k in sorted(places)[paging.first : paging.end])
    return [results[k] for k in here]


def _absent_views(found: Sequence[Visualization]) -> list[str]:
    """The variants to ask for: none where there is nothing yet, so that the plain one is first."""
    there = {v.variant for v in found if v.technique == DEFAULT.technique}
    return [view.variant for view in DEFAULT.views if there and view.variant not in there]


def _missing(
    scene: Scene, parts: Sequence[LensPart], results: Sequence[Visualization]
) -> list[Missing]:
    """What else there could be; text and themes only for models known to have them."""
    there = {one.technique for one in (*parts, *results)}
    rendered = [count.technique for count in scene.atlas.counts()]
    return [
        _command(scene, lens)
        for lens in absent(there, "unit")
        if not is_in_doubt(lens.technique, rendered)
    ]


def _techniques(
    scene: Scene, parts: Sequence[LensPart], results: Sequence[Visualization]
) -> list[str]:
    rendered = {v.technique: True for v in (*results, *scene.whole)}
    shown = (p.technique for p in parts if p.technique != DEFAULT.technique)
    return list(rendered | dict.fromkeys(shown, True))


def _command(scene: Scene, lens: Words) -> Missing:
    swept = lenses()[lens.technique].can.whole_node
    return Missing(
        technique=lens.technique,
        title=lens.title,
        command=scene.urls.commands.render(
            scene.atlas.model,
            scene.node.id,
            None if swept else scene.unit,
            technique=lens.technique,
            options=lens.options,
        ),
    )


def _view(v: Visualization, model: str, urls: Urls) -> VisualizationView:
    p = v.picture
    return VisualizationView(
        technique=v.technique,
        variant=v.variant,
        recipe=v.recipe,
        recipe_digest=recipes.digest(v.recipe),
        seed=v.seed,
        score=v.score,
        image=urls.image(model, p.digest, p.mime) if p else "",
        width=p.width if p else 0,
        height=p.height if p else 0,
        color=safe_color(p.color if p else ""),
        data=v.data,
        made_with=v.made_with,
        created=v.created,
        seconds=v.seconds,
        stored_score=v.stored_score,
        measured=measured(v),
    )


def _label(atlas: Reading, node: NodeRecord, unit: int) -> str:
    """The class a flat node's unit stands for, where the node has one unit per class."""
    labels = () if NodeKind.of(node.kind).is_attached else atlas.model.labels
    return labels[unit] if labels and not node.shape and len(labels) == node.units else ""


def _link_in_concatenation(atlas: Reading, node: NodeRecord, unit: int, urls: Urls) -> Link | None:
    whole, first = concatenations(atlas).get(node.id, ("", 0))
    if not whole:
        return None
    return Link(f"{whole}/{first + unit}", urls.unit(atlas.model.id, whole, first + unit))
