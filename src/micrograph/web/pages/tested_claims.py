"""The claims that an atlas has evidence for, and which of them are about a unit or a node."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from micrograph.atlas import Reading
from micrograph.claims import Claim
from micrograph.errors import MicrographError
from micrograph.lenses.result import number, texts
from micrograph.parts.urls import Urls
from micrograph.resolve.claims import TECHNIQUE, claim_of, is_of
from micrograph.subject import ClaimSubject

MOST_LINKED = 8
"""Claims that the page of a unit or node names; the others are on a page of their own."""


@dataclass(frozen=True)
class TestedClaim:
    """A claim with the verdict of its evidence."""

    claim: Claim
    verdict: str
    strength: float


@dataclass(frozen=True, kw_only=True)
class LinkedClaim:
    """A claim that a page leads to. `role` is "target" or "source": what is claimed of the unit, or
    of a unit of the node, whose page it is."""

    text: str
    says: str
    url: str
    verdict: str
    role: str


@dataclass(frozen=True, kw_only=True)
class LinkedClaims:
    """The claims about a unit or a node: some of `total`, and the `url` of all."""

    claims: list[LinkedClaim]
    total: int
    url: str


_BY_PLACE: "WeakKeyDictionary[Reading, Mapping[str, tuple[ClaimSubject, ...]]]"
_BY_PLACE = WeakKeyDictionary()
_TESTED: "WeakKeyDictionary[Reading, dict[ClaimSubject, tuple[TestedClaim, ...]]]"
_TESTED = WeakKeyDictionary()
# An atlas that is read stays the same.


def subjects_about(atlas: Reading, place: str = "") -> tuple[ClaimSubject, ...]:
    """The claims about a place of an atlas: `mixed4a`, `mixed4a/3`, "" for all. Those about a unit
    are first those that it is the target of.

    Raises MicrographError where the file is damaged or away.
    """
    if (known := _BY_PLACE.get(atlas)) is None:
        known = _BY_PLACE[atlas] = _by_place(atlas)
    return known.get(place, ())


def has_claims(atlas: Reading) -> bool:
    """Whether any was tested; not where the atlas cannot be read."""
    try:
        return bool(subjects_about(atlas))
    except MicrographError:
        return False


def _by_place(atlas: Reading) -> Mapping[str, tuple[ClaimSubject, ...]]:
    found: dict[str, dict[ClaimSubject, None]] = {}
    claims = [s for s in atlas.subjects(technique=TECHNIQUE) if isinstance(s, ClaimSubject)]
    for one in claims:
        for place in ("", one.unit.node, str(one.unit)):
            found.setdefault(place, {})[one] = None
    for one in claims:
        for source in (*one.driven_by, *one.held_back_by):
            for place in (source.node, str(source)):
                found.setdefault(place, {})[one] = None
    return {place: tuple(some) for place, some in found.items()}


def tested_claims(atlas: Reading, subjects: Iterable[ClaimSubject]) -> list[TestedClaim]:
    """What is stored of them; evidence that says to be about something else is left out."""
    known = _TESTED.setdefault(atlas, {})
    found: list[TestedClaim] = []
    for subject in subjects:
        if subject not in known:
            known[subject] = tuple(_read(atlas, subject))
        found += known[subject]
    return found


def _read(atlas: Reading, subject: ClaimSubject) -> list[TestedClaim]:
    """Of each claim the newest evidence, as its page has it."""
    newest: dict[str, tuple[str, TestedClaim]] = {}
    for stored in atlas.about(subject, TECHNIQUE):
        claim = claim_of(stored.data)
        if claim is None or claim.subject != subject or not is_of(claim, atlas):
            continue
        told = TestedClaim(claim, texts(stored.data, "verdict"), number(stored.data.get("strength")))
        before = newest.get(claim.path)
        if before is None or stored.created > before[0]:
            newest[claim.path] = stored.created, told
    return [told for _, told in newest.values()]


def linked_claims(atlas: Reading, urls: Urls, node: str, unit: int | None = None) -> LinkedClaims:
    """The claims about a node or a unit of it; none where the atlas cannot be read."""
    place = node if unit is None else f"{node}/{unit}"
    try:
        subjects = subjects_about(atlas, place)
        tested = tested_claims(atlas, subjects[:MOST_LINKED]) if subjects else []
    except MicrographError:
        subjects, tested = (), []
    return LinkedClaims(
        claims=[_link(one, place, urls) for one in _in_order(tested)],
        total=len(tested) + len(subjects[MOST_LINKED:]),
        url=urls.claims_about(f"{atlas.model.id}/{place}"),
    )


def _in_order(tested: Sequence[TestedClaim]) -> list[TestedClaim]:
    return sorted(tested, key=lambda one: (-one.strength, one.claim.path))


def _link(one: TestedClaim, place: str, urls: Urls) -> LinkedClaim:
    target = one.claim.target
    return LinkedClaim(
        text=str(one.claim),
        says=one.claim.says,
        url=urls.own(one.claim.path),
        verdict=one.verdict,
        role="target" if place in (target.node, str(target)) else "source",
    )
