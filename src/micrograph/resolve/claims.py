"""Claims in texts, and which units they mean."""

import re
from dataclasses import replace

from micrograph.address import check_unit
from micrograph.address import find_node as find_exactly
from micrograph.atlas import Snapshot
from micrograph.claims import PATH, Claim, ClaimSource
from micrograph.errors import BadInput, MicrographError, NotFound
from micrograph.resolve.nodes import find_node
from micrograph.resolve.resolve import resolve
from micrograph.subject import UnitSubject

_BUILT = re.compile(
    r"\b(?:is|are)\s+(?:\w+\s+){0,6}?(?:built|made|composed|assembled)\s+(?:up\s+)?"
    r"(?:from|of|out of)\b|\bbuilt\s+from\b|\bdriven\s+by\b",
    re.I,
)
_HELD = re.compile(r"\b(?:held back|inhibited|suppressed)\s+by\b|\bbut\s+not\b", re.I)
_PLACE = re.compile(r"(\b[A-Za-z0-9_][\w.\-]*)\s*[:/]\s*([0-9]{1,9})\b")
LONGEST = 2000


def claim_in(text: str, library: Snapshot) -> Claim | None:
    """The claim that a text makes: the text form, a page's address, or a sentence such as
    `InceptionV1 4c:447 is a car detector which is built from a wheel detector (4b:373)`.

    None where it makes none, or where it could be read in several ways. Never raises.
    """
    text = text.strip()[:LONGEST]
    try:
        if "<-" in text:
            return known_claim(Claim.parse(text), library)
        if PATH in text:
            path = text[text.index(PATH) :].split()[0]
            return known_claim(Claim.of_path(path.partition("?")[0].removesuffix(".json")), library)
        return _told(text, library)
    except MicrographError:
        return None


def _told(text: str, library: Snapshot) -> Claim | None:
    verb = _BUILT.search(text)
    if verb is None:
        return None
    head, rest = text[: verb.start()], text[verb.end() :]
    places = _PLACE.findall(head)
    if len(places) != 1:
        return None
    first = _PLACE.search(head)
    assert first is not None
    target = resolve(head[: first.end()], library)
    if target.node is None or target.unit is None or target.model is None:
        return None
    atlas = library.model(target.model)
    held = _HELD.search(rest)
    sources = []
    for place in _PLACE.finditer(rest):
        node = find_node(atlas, place[1])
        if node is None:
            return None
        sign = -1 if held and place.start() > held.end() else 1
        sources.append(ClaimSource(UnitSubject(node, int(place[2])), sign))
    if not sources:
        return None
    return known_claim(
        Claim(target.model, UnitSubject(target.node, target.unit), tuple(sources)), library
    )


def known_claim(claim: Claim, library: Snapshot) -> Claim:
    """The same with the ids that the library has for the model and the nodes.

    Raises NotFound for a model, node or unit that it does not have, BadInput where the target does
    not lie behind every source.
    """
    by_folded = {model.id.lower(): model.id for model in library.models()}
    id = by_folded.get(claim.model.lower())
    if id is None:
        raise NotFound(f"unknown model {claim.model!r} in a claim", by_folded.values())
    atlas = library.model(id)

    def known(unit: UnitSubject) -> UnitSubject:
        node = atlas.nodes[find_exactly(unit.node, atlas.aliases, id)]
        check_unit(unit.unit, f"{id}/{node.id}", node.units)
        return UnitSubject(node.id, unit.unit)

    found = replace(
        claim,
        model=id,
        target=known(claim.target),
        sources=tuple(replace(s, unit=known(s.unit)) for s in claim.sources),
    )
    behind = atlas.nodes[found.target.node].index
    made = atlas.dictionaries  # what a dictionary makes stands behind all nodes, wherever it reads
    for source in found.sources:
        if source.unit.node in made or found.target.node in made:
            continue
        if atlas.nodes[source.unit.node].index >= behind:
            raise BadInput(
                f"{source.unit} does not lie before {found.target} in {id}; a unit is built from "
                "units of earlier nodes"
            )
    return found
