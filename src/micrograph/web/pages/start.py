"""The start and the index of models: cards made of the models' own pictures."""

from collections.abc import Callable
from dataclasses import dataclass, field

from micrograph.atlas import Library, NodeRecord, Reading, Tile
from micrograph.cards.families import microscope_models
from micrograph.lenses.pages.listing import LENSES
from micrograph.parts.parts import ModelRef, Thumb, model_ref, spread, thumb
from micrograph.parts.urls import Urls
from micrograph.web.known import Known
from micrograph.web.pages.model_state import own_nodes
from micrograph.web.units import is_thin

STRATA = 12
DEPTH = 4


@dataclass(frozen=True)
class Stratum:
    """One node in a card's core sample: a few of its units, in so many `columns`."""

    node: str
    url: str
    columns: int
    thumbs: list[Thumb]


@dataclass(frozen=True)
class ModelCard:
    """A model in the index. `lenses` is how many of them have results; `strata` go from the model's
    input to its output, and are none while no unit has a picture."""

    model: ModelRef
    summary: str
    parameters: int
    licence: str
    nodes: int
    units: int
    pictured: int
    lenses: int
    strata: list[Stratum]


@dataclass(frozen=True)
class KnownModel:
    """A model of which nothing is rendered here; `state` says whether it can be, `microscope`
    whether OpenAI Microscope showed it."""

    model: ModelRef
    summary: str
    parameters: int
    nodes: int
    units: int
    state: Known
    microscope: bool


@dataclass(frozen=True)
class StartPage:
    """`/` and `/models`: `models` with an atlas, those with pictures first, and what else is
    `known`, Microscope's models first. `problems` are files that could not be shown, with the
    reason; `compare` leads to two models side by side, if there are two."""

    kind: str
    title: str
    models: list[ModelCard]
    problems: list[str] = field(default_factory=list)
    known: list[KnownModel] = field(default_factory=list)
    compare: str = ""


def start_page(library: Library, urls: Urls, kind: str, known: Callable[[str], Known]) -> StartPage:
    """The page `kind`, "start" or "models"; `known` gives the state of a model."""
    cards = [card(atlas, urls) for atlas in library.atlases()]
    cards.sort(key=lambda card: not card.strata)
    there = {card.model.id for card in cards}
    others = [library.model(m.id) for m in library.models() if m.id not in there]
    shown = microscope_models()
    order = [*shown, *(o.model.id for o in others if o.model.id not in shown)]
    others.sort(key=lambda o: order.index(o.model.id))
    two = [*(c.model.id for c in cards), *(o.model.id for o in others if o.nodes)][:2]
    return StartPage(
        kind,
        "Micrograph" if kind == "start" else "Models",
        cards,
        [problem.message for problem in library.problems],
        [
            KnownModel(
                model_ref(o.model, urls),
                o.model.summary,
                o.model.parameters,
                len(o.nodes),
                unit_count(o),
                known(o.model.id),
                o.model.id in shown,
            )
            for o in others
        ],
        urls.compare(*two) if len(two) == 2 else "",
    )


def card(atlas: Reading, urls: Urls) -> ModelCard:
    model = atlas.model
    pictured = pictured_units(atlas)
    worth = [n for n in atlas.nodes.values() if pictured.get(n.id) and not is_thin(n)]
    return ModelCard(
        model_ref(model, urls),
        model.summary,
        model.parameters,
        model.licence,
        len(atlas.nodes),
        unit_count(atlas),
        sum(pictured.values()),
        len({count.technique for count in atlas.counts()}),
        _strata(atlas, along_depth(worth, STRATA), urls),
    )


def pictured_units(atlas: Reading) -> dict[str, int]:
    """How many units of each node have a picture under the lens's first view."""
    found: dict[str, int] = {}
    for count in atlas.counts():
        if (count.technique, count.variant) == (LENSES[0].technique, LENSES[0].views[0].variant):
            found[count.node] = count.units
    return found


def unit_count(atlas: Reading) -> int:
    """How many units there are to picture."""
    return sum(n.units for n in own_nodes(atlas))


def node_tiles(atlas: Reading, node: str, width: int = 96) -> list[Tile]:
    """The tiles of a node under the lens's first view, small ones where there are."""
    return atlas.tiles(node, LENSES[0].technique, LENSES[0].views[0].variant, min_width=width)


def _strata(atlas: Reading, nodes: list[NodeRecord], urls: Urls) -> list[Stratum]:
    """One stratum per node; a shallow model's (or a young atlas's) nodes get more columns each."""
    id = atlas.model.id
    found = []
    for node in nodes:
        tiles = spread(node_tiles(atlas, node.id), DEPTH * max(1, STRATA // len(nodes)))
        thumbs = [thumb(id, node.id, t.unit, t, urls) for t in tiles]
        found.append(Stratum(node.id, urls.node(id, node.id), -(-len(thumbs) // DEPTH), thumbs))
    return found


def along_depth(nodes: list[NodeRecord], count: int) -> list[NodeRecord]:
    """At most `count` of the nodes, evenly along the depth; main outputs before inner branches.

    An inner branch is a node whose id starts with another node's id, as in Inception modules.
    """
    ids = {n.id for n in nodes}
    main = [n for n in nodes if not any(n.id != o and n.id.startswith(o + "_") for o in ids)]
    chosen = main if len(main) >= 3 else nodes
    if len(chosen) <= count:
        return chosen
    return [chosen[i * (len(chosen) - 1) // (count - 1)] for i in range(count)]
