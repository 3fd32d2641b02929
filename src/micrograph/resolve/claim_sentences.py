"""Claims in sentences: `4c:447 is built from a wheel detector (4b:373) and inhibited by 4b:237`.

Only what can be read in one way is read. Words that describe do not matter; numbers that are no
unit, a negation and a second model do.
"""

import re

from micrograph.atlas import Reading, Snapshot
from micrograph.claims import RELATIONS, Claim, ClaimSource
from micrograph.errors import BadInput, short
from micrograph.resolve import names
from micrograph.resolve.links import links
from micrograph.resolve.nodes import find_node
from micrograph.resolve.resolve import resolve_place
from micrograph.resolve.signs import URL
from micrograph.subject import UnitSubject

_DRIVEN = (
    r"(?:built|made|composed|assembled)\s+(?:up\s+)?(?:from|of|out\s+of)\b"
    r"|(?:driven|excited|activated)\s+by\b|\bconsists?\s+of\b"
)
_HELD = r"(?:held\s+back|inhibited|suppressed)\s+by\b"
_ARROW = r"<-+|←|⟵"
_CUE = re.compile(rf"\b(?:(?P<driven>{_DRIVEN})|(?P<held>{_HELD}))|(?P<arrow>{_ARROW})", re.I)
_ASKS = re.compile(r"\A\s*(?:is\s+it\s+(?:true|so|the\s+case)\s+that|is|was)\s+", re.I)
_NOT = re.compile(r"\b(?:not|never|neither|nor|without|except)\b|n['’]t\b", re.I)
_CALLED = r"(?:unit|neuron|channel|feature)s?\s+#?([0-9]{1,9})\b"
_NODE = r"\b([A-Za-z0-9_][\w.\-]{0,100})"
_UNIT_OF = re.compile(rf"\b{_CALLED}\s+(?:of|in)\s+{_NODE}", re.I)
_NODE_UNIT = re.compile(rf"{_NODE},?\s+{_CALLED}", re.I)
_PLACE = re.compile(rf"{_NODE}\s*[:/]\s*([0-9]{{1,9}})\b")
_RELATION = re.compile(
    rf"\s*\)?\s*[,(]?\s*(?:(?:on|to|at)\s+the\s+)?(?P<relation>{'|'.join(RELATIONS)})\b"
    r"(?P<rest>[^+\-]{0,40})",
    re.I,
)
_SIGNS = re.compile(rf"(?:{_ARROW}|[\s+\-−–,;.()\"'“”]|\b(?:and|{'|'.join(RELATIONS)})\b)*", re.I)
_NUMBER = re.compile(r"(?<![\w.\-])#?[0-9]{1,9}(?![\w%]|[.\-]\w)")


def claim_told(text: str, library: Snapshot) -> Claim | None:
    """The claim that a sentence makes, with the ids of the library; None where it makes none.

    Raises BadInput where it may be read in several ways.
    """
    text = re.sub(rf"https?://{URL}+", _in_words, text)
    text = _ASKS.sub("", text)
    text = _NODE_UNIT.sub(r"\1:\2", _UNIT_OF.sub(r"\2:\1", text))
    cue = _CUE.search(text)
    if cue is None:
        return None
    head, rest = text[: cue.start()], text[cue.start() :]
    written = list(_PLACE.finditer(head))
    if len(written) != 1 or not _PLACE.search(rest):
        return None
    target = resolve_place(head[: written[0].end()], library)
    if target.model is None or target.node is None or target.unit is None:
        return None
    if (denied := _NOT.search(head[written[0].end() :])) or (denied := _NOT.search(rest)):
        raise BadInput(
            f"a claim says what a unit is built from: {denied[0]!r} could mean that a unit is no "
            "source, or that it holds back; write 'inhibited by', or leave it out"
        )
    phrases = names.phrases(tuple((m.id, m.title) for m in library.models()))
    others = {id for id, _, _ in names.mentions(rest, phrases)} - {target.model}
    if others:
        raise BadInput(
            f"the target is in {target.model}, a source in {min(others)}; a claim has one model"
        )
    sources = _sources(rest, library.model(target.model))
    return Claim(target.model, UnitSubject(target.node, target.unit), tuple(sources))


def _sources(rest: str, atlas: Reading) -> list[ClaimSource]:
    """The sources that the part of a sentence from its verb on names."""
    found: list[ClaimSource] = []
    at, sign = 0, 1
    arrow = _CUE.match(rest)
    in_signs = arrow is not None and arrow["arrow"] is not None
    for place in _PLACE.finditer(rest):
        between = rest[at : place.start()]
        _check_words(between, in_signs)
        for cue in _CUE.finditer(between):
            sign = -1 if cue["held"] else 1
        if in_signs:
            sign = -1 if re.search(r"[-−–]\s*\(?\s*\Z", between.removeprefix("<-")) else 1
        unit = UnitSubject(_known(place[1], atlas), int(place[2]))
        found.append(ClaimSource(unit, sign, _relation(rest[place.end() :])))
        at = place.end()
    _check_words(rest[at:], in_signs)
    return found


def _check_words(text: str, in_signs: bool) -> None:
    """Raises BadInput for what may be a part of the claim; behind an arrow any word may be one."""
    if in_signs and not _SIGNS.fullmatch(text):
        raise BadInput(f"{short(text.strip())} is not understood; expected units with + and -")
    if number := _NUMBER.search(text):
        raise BadInput(
            f"{number[0].strip()} in a claim is no unit: it needs its node, as in 4b:373"
        )


def _known(node: str, atlas: Reading) -> str:
    found = find_node(atlas, node)
    if found is None:
        raise BadInput(f"{short(node)} in a claim is no node of {atlas.model.id}")
    return found


def _relation(behind: str) -> str:
    """The place that is said right behind a unit: "4b:373 (below) and ...", "" for none."""
    match = _RELATION.match(behind)
    if match is None:
        return ""
    if not re.match(r"\s*(?:\Z|[).,;+\-−]|it\b|and\b|but\b)", match["rest"], re.I):
        raise BadInput(
            f"{match['relation']!r} in a claim does not say of which unit; write it right behind "
            "that unit, as in 4b:373 (below) and 4b:237 (above)"
        )
    return match["relation"].lower()


def _in_words(link: "re.Match[str]") -> str:
    """A link as the place that it names, in words."""
    found, _ = links(link[0])
    if len(found) != 1:
        return " "
    (asked,) = found
    place = f"{asked.node}:{asked.unit}" if asked.unit else asked.node
    return f"{asked.model} {place}{link[0][len(link[0].rstrip('.,;:!?')) :]}"
