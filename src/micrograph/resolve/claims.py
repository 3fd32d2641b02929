"""Claims in texts, and which units they mean."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from micrograph.address import NAME, UNIT, check_unit
from micrograph.address import find_node as find_exactly
from micrograph.atlas import Reading, Snapshot, Visualization
from micrograph.claims import PATH, RELATIONS, Claim
from micrograph.errors import BadInput, MicrographError, NotFound, short
from micrograph.resolve.claim_sentences import claim_told
from micrograph.subject import UnitSubject

TECHNIQUE = "claim"
"""Under this name atlases keep evidence."""
LONGEST = 2000
_TERM = rf"{NAME}/{UNIT}(?::(?:{'|'.join(RELATIONS)}))?"
_MORE = rf"(?:\s+-?{_TERM}(?:[+-]{_TERM})*(?![\w/:]))*"
_ADDRESS = re.compile(rf"(?:{PATH}|\A)({NAME}/{NAME}/{UNIT}=\S*{_MORE})")
"""Where `+` was taken for a space, as it stands for one in a query, it is still the same claim."""
_ENDS = ".,;:!?'\"*~…`”’»"


def read_claim(text: str, library: Snapshot) -> Claim | None:
    """The claim that a text makes: the text form, a page's address, or a sentence such as
    `InceptionV1 4c:447 is a car detector which is built from a wheel detector (4b:373)`.

    None where it makes none. Raises BadInput for one that can be read in several ways or that no
    network can have, NotFound for a model, node or unit that is not there.
    """
    text = text.strip()
    if len(text) > LONGEST:
        return None
    if "<-" in text:
        return known_claim(_with_arrow(text, library), library)
    quoted = re.sub("%3D", "=", text, flags=re.I)
    addresses = {_cleaned(one[1]) for one in _ADDRESS.finditer(quoted)}
    if len(addresses) > 1:
        raise BadInput(f"{short(text)} has links to several claims")
    if addresses:
        return known_claim(Claim.of_path(addresses.pop()), library)
    told = claim_told(text, library)
    return None if told is None else known_claim(told, library)


def _with_arrow(text: str, library: Snapshot) -> Claim:
    """The claim of a text with `<-`: in its own form, or with units as people write them."""
    try:
        return Claim.parse(text)
    except BadInput as error:
        own = re.fullmatch(rf"{NAME}/{NAME}/{UNIT}", text.partition("<-")[0].strip())
        try:
            told = claim_told(text, library)
        except BadInput as other:
            raise (error if own else other) from None
        if told is None:
            raise
        return told


def claim_in(text: str, library: Snapshot) -> Claim | None:
    """As `read_claim`, but None wherever that refuses."""
    try:
        return read_claim(text, library)
    except MicrographError:
        return None


def _cleaned(address: str) -> str:
    """The address of a claim without what a text or a link has behind it."""
    address = re.split(r"[?#&<>)\]}|^\"`]", address, maxsplit=1)[0]
    address = re.sub(r"\s+(?=-)", "", unquote(address))
    address = re.sub(r"\s+", "+", address).rstrip(_ENDS)
    return address.removesuffix(".json").rstrip(_ENDS)


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


def stored_evidence(atlas: Reading, claim: Claim) -> Visualization | None:
    """The newest evidence for a claim, made from the weights that the atlas is of."""
    fitting = [
        one
        for one in atlas.about(claim.subject, TECHNIQUE)
        if (told := claim_of(one.data)) and told.path == claim.path and is_of(told, atlas)
    ]
    return max(fitting, key=lambda one: one.created, default=None)


def claim_of(data: Mapping[str, Any]) -> Claim | None:
    """The claim that stored evidence is for, None where it names none."""
    given = data.get("claim")
    try:
        return Claim.from_json(given) if isinstance(given, Mapping) else None
    except BadInput:
        return None


def is_of(claim: Claim, atlas: Reading) -> bool:
    """Whether a claim is about this model, and these weights of it."""
    model = atlas.model
    return claim.model == model.id and claim.weights in ("", model.digest)
