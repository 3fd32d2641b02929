"""A claim with its evidence, and the list of claims."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from micrograph.atlas import Reading, Snapshot
from micrograph.claims import PHOTOGRAPHS, Claim, command_to_test, tested_on
from micrograph.errors import MicrographError
from micrograph.lenses.result import number, texts
from micrograph.parts.parts import Image, ModelRef, Thumb, image, model_ref, thumb
from micrograph.parts.urls import Urls
from micrograph.published import copy_of, listing
from micrograph.resolve.claims import claim_of, stored_evidence
from micrograph.subject import ClaimSubject, UnitSubject
from micrograph.web.locations import Location
from micrograph.web.pages.claim_evidence import (
    LONGEST,
    ClaimLine,
    kernel_of,
    lines_of,
    mapping,
    rule_of,
    too_large,
    verdict_of,
)
from micrograph.web.pages.paging import Paging, pages_of
from micrograph.web.pages.pictured import tiles_of
from micrograph.web.pages.tested_claims import (
    LinkedClaims,
    linked_claims,
    subjects_about,
    tested_claims,
)

ON_A_PAGE = 100
"""Claims that are listed on one page."""


@dataclass(frozen=True, kw_only=True)
class ClaimedUnit:
    """The target, or a source: `sign` 1 drives, -1 holds back, 0 is the target. `kernel` [y, x] are
    the weights from a source to the target."""

    thumb: Thumb
    sign: int
    relation: str
    kernel: list[list[float]]


@dataclass(frozen=True, kw_only=True)
class ClaimPage:
    """`/claims/<claim>`. `verdict` is "untested" where no evidence is stored; `missing` then says
    what is lacking, and `commands` what gets it, in order. `synthesized` is the picture made for
    the target and, beside it, the one made for what drives it. All kernels are drawn on one scale,
    up to `scale`. `circuit` is the page that draws what the target is built from, `others` are
    further claims about it."""

    kind: str
    title: str
    text: str
    says: str
    model: ModelRef
    target: ClaimedUnit
    sources: list[ClaimedUnit]
    verdict: str
    strength: float
    rule: list[str]
    lines: list[ClaimLine]
    synthesized: Image | None
    dataset: str
    pictures: int
    recipe: dict[str, Any]
    missing: str
    commands: list[str]
    scale: float
    circuit: str
    others: LinkedClaims


@dataclass(frozen=True, kw_only=True)
class ListedClaim:
    """A claim that was tested."""

    text: str
    says: str
    url: str
    verdict: str
    strength: float
    target: Thumb


@dataclass(frozen=True, kw_only=True)
class ClaimsPage:
    """`/claims`: the claims that were tested, on pages by model and target, the strongest of each
    page first. `unread` are models whose claims cannot be read. `about` is the address that all of
    them are about, "" for any."""

    kind: str
    title: str
    claims: list[ListedClaim]
    paging: Paging
    unread: list[str]
    about: str = ""


def claim_page(library: Snapshot, claim: Claim, urls: Urls, obstacle: str) -> ClaimPage:
    """The page of a claim whose units the library knows; `obstacle` says why its model cannot be
    run here, "" where it can."""
    atlas = library.model(claim.model)
    stored = stored_evidence(atlas, claim)
    missing = too_large(stored.data) if stored else ""
    commands: list[str] = []
    if stored is None or missing:
        lacking, commands = _lacking(claim, obstacle)
        missing, stored = missing or lacking, None
        commands.append(urls.commands.here(command_to_test(claim)))
    data: Mapping[str, Any] = stored.data if stored else {}
    shown = mapping(data.get("dataset"))
    picture = stored.picture if stored else None
    told = claim_of(data)
    thumbs = _thumbs(atlas, [claim.target, *(s.unit for s in claim.sources)], urls)
    sources = [
        ClaimedUnit(
            thumb=thumbs[s.unit],
            sign=s.sign,
            relation=s.relation,
            kernel=kernel_of(data, str(s.unit)),
        )
        for s in claim.sources
    ]
    return ClaimPage(
        kind="claim",
        title=str(claim),
        text=str(claim),
        says=told.says if told else "",
        model=model_ref(atlas.model, urls),
        target=ClaimedUnit(thumb=thumbs[claim.target], sign=0, relation="", kernel=[]),
        sources=sources,
        verdict=verdict_of(data) if stored else "untested",
        strength=number(data.get("strength")),
        rule=rule_of(data),
        lines=lines_of(data),
        synthesized=image(atlas.model.id, picture, urls) if picture else None,
        dataset=texts(shown, "title")[:LONGEST],
        pictures=int(number(shown.get("pictures"))),
        recipe=dict(stored.recipe) if stored else {},
        missing=missing,
        commands=commands,
        scale=max((abs(v) for one in sources for row in one.kernel for v in row), default=0.0),
        circuit=urls.circuit(claim.model, claim.target.node, claim.target.unit),
        others=_others(atlas, claim, urls),
    )


def claims_page(
    library: Snapshot, urls: Urls, page: int = 1, about: Location | None = None
) -> ClaimsPage:
    """The claims of the library with evidence, or those about a model, a node or a unit. A model
    whose file is damaged costs its own. Raises NotFound behind the last page."""
    place = "" if about is None else about.place
    there: list[tuple[Reading, ClaimSubject]] = []
    unread: dict[str, None] = {}
    for atlas in library.atlases() if about is None else [about.atlas]:
        try:
            there += [(atlas, one) for one in subjects_about(atlas, place)]
        except MicrographError:
            unread[atlas.model.id] = None
    address = "" if about is None else about.address
    paging = Paging.of(
        pages_of(len(there), ON_A_PAGE),
        page,
        "claims",
        lambda number: urls.page_of_claims(number, address),
    )
    found: dict[str, ListedClaim] = {}
    for atlas, some in groupby(there[paging.first : paging.end], key=lambda one: one[0]):
        try:
            for claim in _listed(atlas, [subject for _, subject in some], urls):
                found.setdefault(claim.url, claim)
        except MicrographError:
            unread[atlas.model.id] = None
    return ClaimsPage(
        kind="claims",
        title=f"Claims about {address}" if address else "Claims",
        claims=sorted(found.values(), key=lambda one: (-one.strength, one.text)),
        paging=paging,
        unread=list(unread),
        about=address,
    )


def _listed(atlas: Reading, subjects: Iterable[ClaimSubject], urls: Urls) -> list[ListedClaim]:
    tested = tested_claims(atlas, subjects)
    thumbs = _thumbs(atlas, [one.claim.target for one in tested], urls)
    return [
        ListedClaim(
            text=str(one.claim),
            says=one.claim.says,
            url=urls.own(one.claim.path),
            verdict=one.verdict,
            strength=one.strength,
            target=thumbs[one.claim.target],
        )
        for one in tested
    ]


def _others(atlas: Reading, claim: Claim, urls: Urls) -> LinkedClaims:
    found = linked_claims(atlas, urls, claim.target.node, claim.target.unit)
    this = urls.own(claim.path)
    others = [one for one in found.claims if one.url != this]
    return replace(found, claims=others, total=found.total - (len(found.claims) - len(others)))


def _lacking(claim: Claim, obstacle: str) -> tuple[str, list[str]]:
    """What is missing to test a claim here, in a sentence, and what gets it, in order."""
    lacking = [obstacle or "nobody has tested it here yet"]
    commands = _between_backticks(obstacle)
    photographs = listing(PHOTOGRAPHS)
    if tested_on(claim) == PHOTOGRAPHS and not copy_of(photographs).has(0):
        lacking.append(f"the photographs are not here; `{photographs.command}` gets them")
        commands.append(photographs.command)
    return "; ".join(lacking), commands


def _thumbs(atlas: Reading, units: Iterable[UnitSubject], urls: Urls) -> dict[UnitSubject, Thumb]:
    by_node: dict[str, list[UnitSubject]] = {}
    for one in dict.fromkeys(units):
        by_node.setdefault(one.node, []).append(one)
    found = {}
    for node, some in by_node.items():
        there = atlas.nodes.get(node)
        tiles = tiles_of(atlas, there, [one.unit for one in some], 112) if there else {}
        for one in some:
            found[one] = thumb(atlas.model.id, node, one.unit, tiles.get(one.unit), urls)
    return found


def _between_backticks(text: str) -> list[str]:
    return text.split("`")[1::2]
