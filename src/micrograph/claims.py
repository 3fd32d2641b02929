"""What is claimed: a unit is built from others, some of which drive it and some hold it back.

A claim has four spellings, which all say the same:

| form | example |
| --- | --- |
| text | `toytown/mixed4b/3 <- mixed4a/7 below + mixed4a/9 - mixed4a/1` |
| URL path | `/claims/toytown/mixed4b/3=mixed4a/7:below+mixed4a/9-mixed4a/1` |
| subject in an atlas | `mixed4b/3=mixed4a/7+mixed4a/9-mixed4a/1` (relations are in the recipe) |
| JSON | `Claim.to_json` |

Terms have no order of their own: what drives comes first, each group sorted. This module knows the
form only; whether the units exist is for a model or an atlas to say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from micrograph.address import NAME, UNIT, check_name
from micrograph.errors import BadInput, short
from micrograph.subject import LONGEST, ClaimSubject, UnitSubject

RELATIONS = ("above", "below", "left", "right", "around", "inside")
"""Where a source lies, as seen from the middle of what the target answers to."""

PATH = "/claims/"
"""What the URL path of a claim begins with."""

PHOTOGRAPHS = "imagenet-samples"
"""The published pictures on which claims are tested."""

_UNIT = rf"({NAME})/({UNIT})"
_HEAD = re.compile(rf"({NAME})/{_UNIT}")
_TEXT_TERM = re.compile(rf"\s*([+-])\s*{_UNIT}(?:\s+([a-z]+))?(?=\s*[+-]|\s*\Z)")
_PATH_TERM = re.compile(rf"([+-]){_UNIT}(?::([a-z]+))?(?=[+-]|\Z)")
_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FORM = "expected MODEL/NODE/UNIT <- NODE/UNIT [RELATION] + NODE/UNIT - NODE/UNIT"


@dataclass(frozen=True, order=True)
class ClaimSource:
    """A unit that is said to drive the target (`sign` 1) or to hold it back (-1); `relation` is
    one of `RELATIONS`, or "" where nothing is said of its place."""

    unit: UnitSubject
    sign: int = 1
    relation: str = ""

    def __post_init__(self) -> None:
        if self.sign not in (1, -1):
            raise BadInput(f"sign {short(self.sign)} is not understood; expected 1 or -1")
        if self.relation and self.relation not in RELATIONS:
            raise BadInput(
                f"relation {short(self.relation)} is unknown; expected {', '.join(RELATIONS)}"
            )


@dataclass(frozen=True)
class Claim:
    """That `target`, a unit of `model`, is built from `sources`, of one node or of several.

    `says` is the claim in somebody's words, "" for none. `weights` is the digest of the weights
    that it is about, "" where it does not matter or nobody said.

    >>> claim = Claim.parse("toytown/mixed4b/3 <- mixed4a/9 + mixed4a/7 below - mixed4a/1")
    >>> claim.path
    '/claims/toytown/mixed4b/3=mixed4a/7:below+mixed4a/9-mixed4a/1'
    >>> str(Claim.of_path(claim.path))
    'toytown/mixed4b/3 <- mixed4a/7 below + mixed4a/9 - mixed4a/1'
    """

    model: str
    target: UnitSubject
    sources: tuple[ClaimSource, ...]
    says: str = ""
    weights: str = ""

    def __post_init__(self) -> None:
        check_name(self.model)
        ordered = sorted(self.sources, key=lambda s: (-s.sign, s.unit))
        object.__setattr__(self, "sources", tuple(ordered))
        self.subject  # noqa: B018 - checks that there is a source, and that all places differ
        if len(self.path) > LONGEST:
            raise BadInput(f"a claim of {len(self.path)} characters is too long; {LONGEST} at most")
        if len(self.says) > LONGEST:
            raise BadInput(
                f"words of {len(self.says)} characters say too much of a claim; {LONGEST} at most"
            )
        if _UNSEEN.search(self.says):
            raise BadInput(
                f"words {short(self.says)} have signs that nobody sees (of control, or that turn "
                "the direction of writing); leave them out"
            )
        if self.weights and not _DIGEST.fullmatch(self.weights):
            raise BadInput(
                f"digest of weights {short(self.weights)} is not understood; expected 64 hex digits"
            )

    @property
    def subject(self) -> ClaimSubject:
        """What an atlas files its evidence under."""
        return ClaimSubject(
            self.target,
            tuple(s.unit for s in self.sources if s.sign > 0),
            tuple(s.unit for s in self.sources if s.sign < 0),
        )

    @property
    def path(self) -> str:
        """The URL path of its page."""
        return PATH + quote(f"{self.model}/{self._spelled('=', '', ':')}", safe="/=+:")

    def __str__(self) -> str:
        return f"{self.model}/{self._spelled(' <- ', ' ', ' ')}"

    def _spelled(self, arrow: str, space: str, before_relation: str) -> str:
        text = f"{self.target}{arrow}"
        for number, source in enumerate(self.sources):
            if source.sign < 0:
                text += f"{space if number else ''}-{space}"
            elif number:
                text += f"{space}+{space}"
            text += str(source.unit)
            if source.relation:
                text += before_relation + source.relation
        return text

    @classmethod
    def parse(cls, text: str) -> "Claim":
        """The claim that a text of the first form means; spaces beyond one do not matter.

        Raises BadInput for any other form.
        """
        head, arrow, terms = str(text).partition("<-")
        if not arrow:
            raise BadInput(f"{short(text)} is no claim: it has no '<-'; {_FORM}")
        return cls._of(head.strip(), terms, _TEXT_TERM, text)

    @classmethod
    def of_path(cls, path: str) -> "Claim":
        """The claim whose URL path this is, decoded. Raises BadInput for another form."""
        head, sign, terms = path.removeprefix(PATH).partition("=")
        if not sign:
            raise BadInput(
                f"{short(path)} is no address of a claim; expected "
                f"{PATH}MODEL/NODE/UNIT=NODE/UNIT[:RELATION]+NODE/UNIT-NODE/UNIT"
            )
        return cls._of(head, terms, _PATH_TERM, path)

    @classmethod
    def _of(cls, head: str, terms: str, term: "re.Pattern[str]", whole: str) -> "Claim":
        if len(whole) > 2 * LONGEST:
            raise BadInput(f"{short(whole)} is too long for a claim; {LONGEST} characters at most")
        target = _HEAD.fullmatch(head)
        if target is None:
            raise BadInput(f"{short(head)} is no unit of a model; {_FORM}")
        rest = terms.strip()
        rest = rest if rest[:1] in "+-" and rest else f"+{rest}"
        if terms.strip().startswith("+"):
            raise BadInput(f"{short(whole)} has a '+' before its first source; {_FORM}")
        sources, at = [], 0
        while at < len(rest):
            match = term.match(rest, at)
            if match is None:
                raise BadInput(
                    f"{short(rest[at:].strip(' +'))} in {short(whole)} is not understood; {_FORM}"
                )
            sign, node, unit, relation = match.groups()
            sources.append(
                ClaimSource(UnitSubject(node, int(unit)), -1 if sign == "-" else 1, relation or "")
            )
            at = match.end()
        return cls(target[1], UnitSubject(target[2], int(target[3])), tuple(sources))

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` reads it."""
        return {
            "model": self.model,
            "target": str(self.target),
            "sources": [
                {"unit": str(s.unit), "sign": s.sign, "relation": s.relation} for s in self.sources
            ],
            "says": self.says,
            "weights": self.weights,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Claim":
        """What `to_json` gave. Raises BadInput for anything else."""
        try:
            if len(data["sources"]) > LONGEST:
                raise BadInput(f"a claim of {len(data['sources'])} sources; {LONGEST} at most")
            sources = tuple(
                ClaimSource(_unit(one["unit"]), one.get("sign", 1), str(one.get("relation", "")))
                for one in data["sources"]
            )
            model, target = str(data["model"]), _unit(data["target"])
        except (KeyError, TypeError, AttributeError):
            raise BadInput(
                f"{short(data)} is no claim; expected model, target and sources [unit, sign]"
            ) from None
        return cls(model, target, sources, str(data.get("says", "")), str(data.get("weights", "")))


def command_to_test(claim: Claim) -> str:
    """The command that tests a claim: about one of our toy networks on their own pictures, about
    others on photographs."""
    return f'micrograph claim "{claim}" --dataset {tested_on(claim)}'


def tested_on(claim: Claim) -> str:
    """The dataset of `command_to_test`."""
    return "toytown" if claim.model.startswith("toytown") else PHOTOGRAPHS


def _unit(text: object) -> UnitSubject:
    match = re.fullmatch(_UNIT, str(text))
    if match is None:
        raise BadInput(f"{short(text)} is no unit; expected NODE/UNIT")
    return UnitSubject(match[1], int(match[2]))
