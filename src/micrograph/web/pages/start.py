"""The start and the index of models: cards made of the models' own pictures."""

from collections.abc import Callable
from dataclasses import dataclass, field

from micrograph.atlas import Snapshot
from micrograph.cards.families import microscope_models
from micrograph.parts.parts import ModelRef, model_ref
from micrograph.parts.urls import Urls
from micrograph.web.known import Known
from micrograph.web.pages.model_cards import ModelSummary, card
from micrograph.web.pages.pictured import unit_count


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
    models: list[ModelSummary]
    problems: list[str] = field(default_factory=list)
    known: list[KnownModel] = field(default_factory=list)
    compare: str = ""


def start_page(
    library: Snapshot, urls: Urls, kind: str, known: Callable[[str], Known]
) -> StartPage:
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
