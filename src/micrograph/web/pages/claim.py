"""A claim with its evidence, and the list of claims."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.atlas import Reading, Snapshot, Visualization
from micrograph.claims import Claim
from micrograph.errors import BadInput
from micrograph.lenses.result import dicts, number, texts
from micrograph.parts.parts import Image, ModelRef, Thumb, image, model_ref, thumb
from micrograph.parts.urls import Urls
from micrograph.subject import ClaimSubject, UnitSubject
from micrograph.web.pages.pictured import node_tiles

TECHNIQUE = "claim"
MOST = 2000
"""Controls of a reading, at most, that a page reads."""


@dataclass(frozen=True, kw_only=True)
class ClaimedUnit:
    """The target, or a source: `sign` 1 drives, -1 holds back, 0 is the target. `kernel` [y, x] are
    the weights from a source to the target."""

    thumb: Thumb
    sign: int
    relation: str
    kernel: list[list[float]]


@dataclass(frozen=True, kw_only=True)
class ClaimReading:
    """What a line says of one source ("" for all together): see `circuits.claims.evidence`."""

    source: str
    effect: float
    low: float | None
    high: float | None
    p: float
    verdict: str
    controls: list[float]
    numbers: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ClaimLine:
    """A line of evidence."""

    name: str
    question: str
    verdict: str
    measure: str
    control: str
    readings: list[ClaimReading]
    missing: str
    command: str


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
    """`/claims`: the claims that were tested."""

    kind: str
    title: str
    claims: list[ListedClaim]


def claim_page(library: Snapshot, claim: Claim, urls: Urls, obstacle: str) -> ClaimPage:
    """The page of a claim whose units the library knows; `obstacle` says why its model cannot be
    run here, "" where it can."""
    atlas = library.model(claim.model)
    stored = _stored(atlas, claim)
    data: Mapping[str, Any] = stored.data if stored else {}
    test = f'micrograph claim "{claim}" --dataset imagenet-samples'
    kernels = data.get("kernels")
    kernels = kernels if isinstance(kernels, Mapping) else {}
    shown = data.get("dataset")
    shown = shown if isinstance(shown, Mapping) else {}
    missing = ""
    if stored is None:
        missing = obstacle or "nobody has tested it yet: no evidence is stored"
    picture = stored.picture if stored else None
    told = _claim_of(data)
    return ClaimPage(
        kind="claim",
        title=str(claim),
        text=str(claim),
        says=told.says if told else "",
        model=model_ref(atlas.model, urls),
        target=_unit(atlas, claim.target, urls, 0),
        sources=[
            _unit(atlas, s.unit, urls, s.sign, s.relation, _matrix(kernels.get(str(s.unit))))
            for s in claim.sources
        ],
        verdict=texts(data, "verdict") if stored else "untested",
        strength=number(data.get("strength")),
        rule=_strings(data.get("rule")),
        lines=[_line(one) for one in dicts(data.get("lines"))],
        synthesized=image(atlas.model.id, picture, urls) if picture else None,
        dataset=texts(shown, "title"),
        pictures=int(number(shown.get("pictures"))),
        recipe=dict(stored.recipe) if stored else {},
        missing=missing,
        commands=[*_between_backticks(obstacle), test] if stored is None else [],
    )


def claims_page(library: Snapshot, urls: Urls) -> ClaimsPage:
    """All claims of the library with evidence."""
    found = []
    for record in library.models():
        atlas = library.model(record.id)
        for subject in atlas.subjects(technique=TECHNIQUE):
            for stored in atlas.about(subject, TECHNIQUE):
                claim = _claim_of(stored.data)
                if claim is None or claim.model != record.id or claim.subject != subject:
                    continue
                found.append(
                    ListedClaim(
                        text=str(claim),
                        says=claim.says,
                        url=urls.own(claim.path),
                        verdict=texts(stored.data, "verdict"),
                        strength=number(stored.data.get("strength")),
                        target=_thumb(atlas, claim.target, urls),
                    )
                )
    unique = {one.url: one for one in found}
    return ClaimsPage(
        kind="claims",
        title="Claims",
        claims=sorted(unique.values(), key=lambda one: (-one.strength, one.text)),
    )


def _stored(atlas: Reading, claim: Claim) -> Visualization | None:
    """The newest evidence for the claim, made from the weights that the atlas is of."""
    subject: ClaimSubject = claim.subject
    fitting = [
        one
        for one in atlas.about(subject, TECHNIQUE)
        if (told := _claim_of(one.data)) is not None and told.path == claim.path
    ]
    return max(fitting, key=lambda one: one.created, default=None)


def _claim_of(data: Mapping[str, Any]) -> Claim | None:
    given = data.get("claim") if isinstance(data, Mapping) else None
    try:
        return Claim.from_json(given) if isinstance(given, Mapping) else None
    except BadInput:
        return None


def _thumb(atlas: Reading, unit: UnitSubject, urls: Urls) -> Thumb:
    tiles = {tile.unit: tile for tile in node_tiles(atlas, unit.node, 112)}
    return thumb(atlas.model.id, unit.node, unit.unit, tiles.get(unit.unit), urls)


def _unit(
    atlas: Reading,
    unit: UnitSubject,
    urls: Urls,
    sign: int,
    relation: str = "",
    kernel: list[list[float]] | None = None,
) -> ClaimedUnit:
    return ClaimedUnit(
        thumb=_thumb(atlas, unit, urls), sign=sign, relation=relation, kernel=kernel or []
    )


def _line(data: Mapping[str, Any]) -> ClaimLine:
    return ClaimLine(
        name=texts(data, "name"),
        question=texts(data, "question"),
        verdict=texts(data, "verdict"),
        measure=texts(data, "measure"),
        control=texts(data, "control"),
        readings=[_reading(one) for one in dicts(data.get("readings"))],
        missing=texts(data, "missing"),
        command=texts(data, "command"),
    )


def _reading(data: Mapping[str, Any]) -> ClaimReading:
    controls, numbers = data.get("controls"), data.get("numbers")
    low, high = data.get("low"), data.get("high")
    return ClaimReading(
        source=texts(data, "source"),
        effect=number(data.get("effect")),
        low=None if low is None else number(low),
        high=None if high is None else number(high),
        p=number(data.get("p"), 1.0),
        verdict=texts(data, "verdict"),
        controls=[number(c) for c in controls[:MOST]] if isinstance(controls, list) else [],
        numbers=dict(numbers) if isinstance(numbers, Mapping) else {},
    )


def _matrix(given: Any) -> list[list[float]]:
    rows = (
        [[number(v) for v in row[:64]] for row in given[:64] if isinstance(row, list)]
        if isinstance(given, list)
        else []
    )
    return rows if rows and all(len(row) == len(rows[0]) for row in rows) else []


def _strings(given: Any) -> list[str]:
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def _between_backticks(text: str) -> list[str]:
    return text.split("`")[1::2]
