"""A claim with its evidence, and the list of claims."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from micrograph.atlas import Reading, Snapshot, Visualization
from micrograph.claims import Claim
from micrograph.errors import MicrographError
from micrograph.lenses.result import number, texts
from micrograph.parts.parts import Image, ModelRef, Thumb, image, model_ref, thumb
from micrograph.parts.urls import Urls
from micrograph.subject import ClaimSubject, UnitSubject
from micrograph.web.pages.claim_evidence import (
    LONGEST,
    ClaimLine,
    claim_of,
    kernel_of,
    lines_of,
    mapping,
    rule_of,
    too_large,
    verdict_of,
)
from micrograph.web.pages.paging import Paging, pages_of
from micrograph.web.pages.pictured import tiles_of

TECHNIQUE = "claim"
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
    the target and, beside it, the one made for what drives it."""

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
    page first. `unread` are models whose claims cannot be read."""

    kind: str
    title: str
    claims: list[ListedClaim]
    paging: Paging
    unread: list[str]


def claim_page(library: Snapshot, claim: Claim, urls: Urls, obstacle: str) -> ClaimPage:
    """The page of a claim whose units the library knows; `obstacle` says why its model cannot be
    run here, "" where it can."""
    atlas = library.model(claim.model)
    stored = _stored(atlas, claim)
    missing = "" if stored else obstacle or "nobody has tested it yet: no evidence is stored"
    if stored and (missing := too_large(stored.data)):
        stored = None
    data: Mapping[str, Any] = stored.data if stored else {}
    test = urls.commands.here(f'micrograph claim "{claim}" --dataset imagenet-samples')
    shown = mapping(data.get("dataset"))
    picture = stored.picture if stored else None
    told = claim_of(data)
    thumbs = _thumbs(atlas, [claim.target, *(s.unit for s in claim.sources)], urls)
    return ClaimPage(
        kind="claim",
        title=str(claim),
        text=str(claim),
        says=told.says if told else "",
        model=model_ref(atlas.model, urls),
        target=ClaimedUnit(thumb=thumbs[claim.target], sign=0, relation="", kernel=[]),
        sources=[
            ClaimedUnit(
                thumb=thumbs[s.unit],
                sign=s.sign,
                relation=s.relation,
                kernel=kernel_of(data, str(s.unit)),
            )
            for s in claim.sources
        ],
        verdict=verdict_of(data) if stored else "untested",
        strength=number(data.get("strength")),
        rule=rule_of(data),
        lines=lines_of(data),
        synthesized=image(atlas.model.id, picture, urls) if picture else None,
        dataset=texts(shown, "title")[:LONGEST],
        pictures=int(number(shown.get("pictures"))),
        recipe=dict(stored.recipe) if stored else {},
        missing=missing,
        commands=[*_between_backticks(obstacle), test] if stored is None else [],
    )


def claims_page(library: Snapshot, urls: Urls, page: int = 1) -> ClaimsPage:
    """The claims of the library with evidence. A model whose file is damaged costs its own."""
    there: list[tuple[Reading, ClaimSubject]] = []
    unread: dict[str, None] = {}
    for atlas in library.atlases():
        try:
            subjects = atlas.subjects(technique=TECHNIQUE)
        except MicrographError:
            unread[atlas.model.id] = None
            continue
        there += [(atlas, one) for one in subjects if isinstance(one, ClaimSubject)]
    pages = pages_of(len(there), ON_A_PAGE)
    paging = Paging.of(pages, page, "claims", urls.page_of_claims)
    found: dict[str, ListedClaim] = {}
    for atlas, some in groupby(there[paging.first : paging.end], key=lambda one: one[0]):
        try:
            for claim in _listed(atlas, [subject for _, subject in some], urls):
                found.setdefault(claim.url, claim)
        except MicrographError:
            unread[atlas.model.id] = None
    return ClaimsPage(
        kind="claims",
        title="Claims",
        claims=sorted(found.values(), key=lambda one: (-one.strength, one.text)),
        paging=paging,
        unread=list(unread),
    )


def _listed(atlas: Reading, subjects: Iterable[ClaimSubject], urls: Urls) -> list[ListedClaim]:
    """Those of an atlas; evidence that says to be about something else is left out."""
    found = []
    for subject in subjects:
        for stored in atlas.about(subject, TECHNIQUE):
            claim = claim_of(stored.data)
            if claim and claim.subject == subject and _is_of(claim, atlas):
                found.append((claim, stored.data))
    thumbs = _thumbs(atlas, [claim.target for claim, _ in found], urls)
    return [
        ListedClaim(
            text=str(claim),
            says=claim.says,
            url=urls.own(claim.path),
            verdict=verdict_of(data),
            strength=number(data.get("strength")),
            target=thumbs[claim.target],
        )
        for claim, data in found
    ]


def _stored(atlas: Reading, claim: Claim) -> Visualization | None:
    """The newest evidence for the claim, made from the weights that the atlas is of."""
    fitting = [
        one
        for one in atlas.about(claim.subject, TECHNIQUE)
        if (told := claim_of(one.data)) and told.path == claim.path and _is_of(told, atlas)
    ]
    return max(fitting, key=lambda one: one.created, default=None)


def _is_of(claim: Claim, atlas: Reading) -> bool:
    """Whether a claim is about this model, and these weights of it."""
    model = atlas.model
    return claim.model == model.id and claim.weights in ("", model.digest)


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
