"""The start and the index of models: cards made of the models' own pictures."""

from collections.abc import Callable
from dataclasses import dataclass, field

from micrograph.atlas import Snapshot
from micrograph.cards.families import microscope_models
from micrograph.errors import MicrographError, NotFound
from micrograph.parts.parts import ModelRef, model_ref
from micrograph.parts.urls import Urls
from micrograph.web.known import Known
from micrograph.web.pages.model_cards import ModelSummary, card
from micrograph.web.pages.model_state import own_nodes
from micrograph.web.pages.pictured import unit_count

CARDS = {"start": 12, "models": 24}
"""How many models a page of a kind shows: a library may have hundreds, and each card has up to 48
pictures."""


@dataclass(frozen=True)
class KnownModel:
    """A model of which nothing is rendered here; `nodes` and `units` count what can be pictured,
    `state` says whether it can be rendered, `microscope` whether OpenAI Microscope showed it."""

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
    `known`, Microscope's models first. `problems` are files that could not be shown, or
    not be searched, with the reason; `compare` leads to two models side by side, if there are two.

    Of a large library `models` are those of one page; `total` is how many there are, and `/models`
    goes on at `next`."""

    kind: str
    title: str
    models: list[ModelSummary]
    problems: list[str] = field(default_factory=list)
    known: list[KnownModel] = field(default_factory=list)
    compare: str = ""
    total: int = 0
    number: int = 1
    pages: int = 1
    previous: str = ""
    next: str = ""


def start_page(
    library: Snapshot, urls: Urls, kind: str, known: Callable[[str], Known], number: int = 1
) -> StartPage:
    """The page `kind`, "start" or "models"; `known` gives the state of a model, `number` counts the
    pages of a long list from 1. Raises NotFound behind the last one."""
    cards: list[ModelSummary] = []
    said = (*library.problems, *library.unsearched.values())
    problems = [problem.message for problem in said]
    for atlas in library.atlases():
        try:
            cards.append(card(atlas, urls))
        except MicrographError as error:  # its own pages fail; this one is of all models
            problems.append(str(error))
    cards.sort(key=lambda card: not card.strata)
    there = {card.model.id for card in cards}
    others = [library.model(m.id) for m in library.models() if m.id not in there]
    shown = microscope_models()
    order = [*shown, *(o.model.id for o in others if o.model.id not in shown)]
    others.sort(key=lambda o: order.index(o.model.id))
    pages = max(1, -(-len(cards) // CARDS[kind]))
    if not 1 <= number <= pages:
        raise NotFound(f"There is no page {number} of the models; the last one is {pages}.")
    first = (number - 1) * CARDS[kind]
    two = [*(c.model.id for c in cards), *(o.model.id for o in others if o.nodes)][:2]
    return StartPage(
        kind,
        "Micrograph" if kind == "start" else "Models",
        cards[first : first + CARDS[kind]],
        problems,
        [
            KnownModel(
                model_ref(o.model, urls),
                o.model.summary,
                o.model.parameters,
                len(own_nodes(o)),
                unit_count(o),
                known(o.model.id),
                o.model.id in shown,
            )
            for o in others
        ],
        urls.compare(*two) if len(two) == 2 else "",
        len(cards),
        number,
        pages,
        urls.page_of_models(number - 1) if number > 1 else "",
        urls.page_of_models(number + 1) if number < pages else "",
    )
