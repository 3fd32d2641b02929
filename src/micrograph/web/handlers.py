"""One function a page: from what is asked for to the page. None of them knows of HTTP.

Their docstrings are what the OpenAPI document says of the pages.
"""

from dataclasses import replace

from micrograph.claims import Claim
from micrograph.resolve.claims import claim_in, known_claim, read_claim
from micrograph.web.choices import check_choice
from micrograph.web.circuit_choice import choice_of
from micrograph.web.context import Context
from micrograph.web.live_wishes import checked_wish, wish_of
from micrograph.web.locations import locate, locate_all
from micrograph.web.on_picture import UnitQuestion, asked, found_picture
from micrograph.web.pages.circuit import CircuitPage, circuit_page
from micrograph.web.pages.claim import ClaimPage, ClaimsPage, claim_page, claims_page
from micrograph.web.pages.compare import ComparePage, compare_page
from micrograph.web.pages.live import LivePage, live_page
from micrograph.web.pages.model import ModelPage, model_page
from micrograph.web.pages.node import NodePage, node_page
from micrograph.web.pages.on_picture import OnPicturePage
from micrograph.web.pages.other import (
    AboutPage,
    SearchPage,
    about_page,
    addressed_page,
    search_page,
)
from micrograph.web.pages.start import StartPage, start_page
from micrograph.web.pages.unit import UnitPage, unit_page
from micrograph.web.reader import Reader
from micrograph.web.redirects import SEE_OTHER, Redirect, located
from micrograph.web.targets import (
    AboutTarget,
    CircuitTarget,
    ClaimsTarget,
    ClaimTarget,
    CompareTarget,
    LiveTarget,
    ModelsTarget,
    ModelTarget,
    NodeTarget,
    OnPictureTarget,
    SearchTarget,
    StartTarget,
    UnitTarget,
)


def start(context: Context, target: StartTarget) -> StartPage:
    """The start: the models there are."""
    return start_page(context.library, context.urls, target.kind, context.known)


def models(context: Context, target: ModelsTarget) -> StartPage:
    """The index of models; `page` counts from 1 where there are many."""
    return start_page(context.library, context.urls, target.kind, context.known, target.number)


def about(context: Context, target: AboutTarget) -> AboutPage:
    """What this is, and every lens in words."""
    return about_page(context.site.version)


def search(context: Context, target: SearchTarget) -> SearchPage | Redirect:
    """Places by address, alias, name or class label. The HTML page goes straight to the place
    where the text names exactly one."""
    text = context.without_prefix(target.q)
    if not target.twin and (claimed := claim_in(text, context.library)):
        return Redirect(context.urls.own(claimed.path), SEE_OTHER)
    if not target.twin and (url := addressed_page(context.library, text, context.urls)):
        return Redirect(url, SEE_OTHER)  # before everything is searched
    found = search_page(context.library, text, context.urls)
    if found.exact and not target.twin:
        return Redirect(found.exact, SEE_OTHER)
    return found


def compare(context: Context, target: CompareTarget) -> ComparePage:
    """Two models side by side."""
    return compare_page(context.library, context.urls, target.here, target.there)


def claims(context: Context, target: ClaimsTarget) -> ClaimsPage | Redirect:
    """The claims that were tested, and a form for another. `text` leads to that claim's own
    page, `about` keeps those about a model, node or unit; `page` counts from 1 where there are
    many."""
    if target.text.strip():
        text = context.without_prefix(target.text)
        named = read_claim(text, context.library) or Claim.parse(text.strip())
        url = context.urls.own(known_claim(named, context.library).path)
        return Redirect(url + ".json" * target.twin, SEE_OTHER)
    about = locate(context.library, target.about, context.urls) if target.about else None
    return claims_page(context.library, context.urls, target.number, about)


def claim(context: Context, target: ClaimTarget) -> ClaimPage | Redirect:
    """A claim that a unit is built from others, with its evidence or what is missing to test it."""
    asked = Claim.of_path(target.claim.rstrip("/"))
    found = known_claim(asked, context.library)
    if found.path != target.path:
        return Redirect(context.urls.own(found.path) + ".json" * target.twin)
    return claim_page(context.library, found, context.urls, context.obstacle(found.model))


def model(context: Context, target: ModelTarget) -> ModelPage | Redirect:
    """A model and its graph; `lens` says what stands in its nodes, `picture` which picture
    that lens looked at, `open` which repeated block is drawn whole, or "all"."""
    here = located(context, target)
    if isinstance(here, Redirect):
        return here
    return model_page(
        here.atlas,
        context.urls,
        context.look_state(here),
        lens=target.lens,
        picture=target.picture,
        open=target.open,
        number=target.number,
        library={id: bool(one.nodes) for id, one in context.library.readings.items()},
        state=context.known(here.atlas.model.id),
        render=context.rest_state(here),
    )


def node(context: Context, target: NodeTarget) -> NodePage | Redirect:
    """A node as a whole, and all its units through one lens; `weights` counts the pages of the
    weights of a very large first layer."""
    here = located(context, target)
    if isinstance(here, Redirect):
        return here
    assert here.node is not None
    return node_page(
        here.atlas,
        here.node,
        context.urls,
        context.look_state(here),
        view=target.view,
        picture=target.picture,
        number=target.number,
        options={"weights": str(target.number_of_weights)},
        render=context.rest_state(here),
    )


def unit(context: Context, target: UnitTarget) -> UnitPage | Redirect:
    """A unit and everything that was rendered of it; `dataset` is the name of the dataset whose
    examples are shown, `order` what its inputs are ordered by."""
    here = located(context, target)
    if isinstance(here, Redirect):
        return here
    assert here.node is not None
    assert here.unit is not None
    id = here.atlas.model.id
    return unit_page(
        here.atlas,
        here.node,
        here.unit,
        context.urls,
        context.look_state(here),
        render=context.render_state(here),
        origin=context.origin,
        others=[other for other in context.library.atlases() if other.model.id != id],
        options={"dataset": target.dataset, "order": target.order},
        number=target.number,
    )


def on_picture(context: Context, target: OnPictureTarget) -> OnPicturePage:
    """What a unit is made of on a picture, or what changes on it with the unit, or with it and
    other `units` of its node; the worker that looks at pictures is asked."""
    here = locate(context.library, target.location, context.urls)
    question = UnitQuestion(target.question, target.how, target.units)
    picture = found_picture(context, here, target)
    return asked(context, here, question, picture, reader=context.reader)


def live(context: Context, target: LiveTarget) -> LivePage | Redirect:
    """A unit under the live microscope, with the options that the address says. With `run` the
    picture is made first; whoever accepts text/event-stream watches it instead."""
    place = [target.model, target.node, target.unit]
    here = locate_all(context.library, place, context.urls)
    assert here.node is not None
    assert here.unit is not None
    url = here.url + "/live"
    if url != context.urls.own(target.path):
        twin = context.urls.twin(url) if target.twin else url
        return Redirect(twin + f"?{target.query}" * bool(target.query))
    if target.run:
        check_choice("run", target.run, ["1"])
    wish = wish_of(here, target.controls)
    made = context.site.microscope.finished(wish)
    if target.run and made is None:
        reader = context.reader or Reader()
        wish = checked_wish(context, place, target.controls)
        made = context.site.microscope.make(wish, reader.client, reader=reader)
    return live_page(
        here.atlas,
        here.node,
        here.unit,
        context.urls,
        context.look_state(here),
        render=context.render_state(here),
        controls=target.controls,
        made=made,
    )


def circuit(context: Context, target: CircuitTarget) -> CircuitPage | Redirect:
    """What a unit is built from, and what that is built from, by the connections that are stored.
    `pin` and `without` are units as `node/unit`, commas between."""
    place = [target.model, target.node, target.unit]
    here = locate_all(context.library, place, context.urls)
    assert here.node is not None
    assert here.unit is not None
    model = here.atlas.model.id
    found = replace(target, model=model, node=here.node.id, unit=str(here.unit))
    if found.path != target.path:
        return Redirect(
            context.urls.own(found.path)
            + ".json" * target.twin
            + f"?{target.query}" * bool(target.query)
        )
    choice = choice_of(context.library, model, target, context.urls)
    return circuit_page(
        here.atlas,
        here.node,
        here.unit,
        context.urls,
        choice,
        context.connections_state(model),
    )
