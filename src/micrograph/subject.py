"""What: the subjects that results are about, within one model.

| kind | canonical text | read as |
| --- | --- | --- |
| node | `mixed4a` | the node |
| unit | `mixed4a/3` | its unit 3 |
| pair | `mixed4a/3,mixed3b/7` | the one unit with the other, in this order |
| path | `mixed3a/5~mixed3b~mixed4a/3` | from place to place, in this order |
| picture | `@` and 32 hex digits | the picture of that digest |
| claim | `mixed4a/3=mixed3b/7+mixed3b/9-mixed3b/1` | two drive the unit, one holds it back |

The text is the key in the atlas and, after `/models/<model>/`, the URL path; every character of it
may stand there as it is. A node and a unit are spelled as in `micrograph.address`. As there, this
module knows the form only; whether the places exist is for a model or an atlas to say.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from micrograph.address import NAME, UNIT, check_name
from micrograph.errors import BadInput, short

LONGEST = 1000
"""Characters of a text: what every browser, server and file system takes as a path."""

_UNIT_TEXT = rf"{NAME}/{UNIT}"
_TERM = re.compile(rf"([+-]?)({_UNIT_TEXT})")
_CLAIM = re.compile(rf"({_UNIT_TEXT})=(-?{_UNIT_TEXT}(?:[+-]{_UNIT_TEXT})*)")
_DIGEST = re.compile(r"[0-9a-f]{32}")
_FORMS = (
    "expected NODE or NODE/UNIT; A,B for a pair of units, A~B for a path, A=B+C-D for a claim, "
    "@DIGEST for a picture"
)


class Subject(ABC):
    """What a result is about. Subjects are equal exactly where their texts are.

    `kind` is "node", "unit", "pair", "path", "picture" or "claim".
    """

    kind: ClassVar[str]

    @abstractmethod
    def __str__(self) -> str:
        """The canonical text."""

    @property
    @abstractmethod
    def places(self) -> "tuple[PlaceSubject, ...]":
        """The nodes and units that it names, in the order of the text."""

    @property
    @abstractmethod
    def home(self) -> "PlaceSubject | None":
        """The node or unit on whose page it belongs, None for a picture."""

    def path(self, model: str) -> str:
        """URL path of the page of this subject of a model."""
        return f"/models/{model}/{self}"

    @staticmethod
    def parse(text: str) -> "Subject":
        """The subject with this canonical text.

        >>> Subject.parse("mixed4a/3=mixed3b/7-mixed3b/1").home
        UnitSubject(node='mixed4a', unit=3)

        Raises BadInput for a text of another form, and for another spelling of a subject (`a/007`,
        terms of a claim in another order), with the right one.
        """
        if len(text) > LONGEST:
            raise BadInput(f"{short(text)} is too long for a subject; {LONGEST} characters at most")
        found = _parsed(text)
        if str(found) != text:
            raise BadInput(f"{short(text)} is another spelling of a subject; write {found}")
        return found


@dataclass(frozen=True, order=True)
class NodeSubject(Subject):
    """A node as a whole."""

    node: str
    kind: ClassVar[str] = "node"

    def __post_init__(self) -> None:
        check_name(self.node)
        _check_length(self)

    def __str__(self) -> str:
        return self.node

    @property
    def places(self) -> "tuple[PlaceSubject, ...]":
        return (self,)

    @property
    def home(self) -> "PlaceSubject":
        return self


@dataclass(frozen=True, order=True)
class UnitSubject(Subject):
    """A unit of a node, counted from 0."""

    node: str
    unit: int
    kind: ClassVar[str] = "unit"

    def __post_init__(self) -> None:
        check_name(self.node)
        if not 0 <= self.unit < 10**9:
            raise BadInput(f"unit {self.unit} is out of range; units count from 0, nine digits")
        _check_length(self)

    def __str__(self) -> str:
        return f"{self.node}/{self.unit}"

    @property
    def places(self) -> "tuple[PlaceSubject, ...]":
        return (self,)

    @property
    def home(self) -> "PlaceSubject":
        return self


PlaceSubject: TypeAlias = NodeSubject | UnitSubject


@dataclass(frozen=True)
class PairSubject(Subject):
    """Two different units, e.g. a unit and its partner in joint optimization; order counts."""

    first: UnitSubject
    second: UnitSubject
    kind: ClassVar[str] = "pair"

    def __post_init__(self) -> None:
        _check_different(self)
        _check_length(self)

    def __str__(self) -> str:
        return f"{self.first},{self.second}"

    @property
    def places(self) -> tuple[PlaceSubject, ...]:
        return (self.first, self.second)

    @property
    def home(self) -> PlaceSubject:
        return self.first


@dataclass(frozen=True)
class PathSubject(Subject):
    """Two or more different places, in the order in which a value passes them."""

    stops: tuple[PlaceSubject, ...]
    kind: ClassVar[str] = "path"

    def __post_init__(self) -> None:
        if len(self.stops) < 2:
            raise BadInput(f"a path has two places or more, {len(self.stops)} given")
        _check_different(self)
        _check_length(self)

    def __str__(self) -> str:
        return "~".join(map(str, self.stops))

    @property
    def places(self) -> tuple[PlaceSubject, ...]:
        return self.stops

    @property
    def home(self) -> PlaceSubject:
        return self.stops[-1]


@dataclass(frozen=True)
class PictureSubject(Subject):
    """A picture, by the digest under which atlases keep it: 32 lower-case hex digits."""

    digest: str
    kind: ClassVar[str] = "picture"

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.digest):
            raise BadInput(
                f"{short(self.digest)} is no digest of a picture; expected 32 lower-case hex digits"
            )

    def __str__(self) -> str:
        return f"@{self.digest}"

    @property
    def places(self) -> tuple[PlaceSubject, ...]:
        return ()

    @property
    def home(self) -> None:
        return None


@dataclass(frozen=True)
class ClaimSubject(Subject):
    """The claim that some units drive a unit and others hold it back.

    Terms have no order of their own: they are kept sorted.
    """

    unit: UnitSubject
    driven_by: tuple[UnitSubject, ...] = ()
    held_back_by: tuple[UnitSubject, ...] = ()
    kind: ClassVar[str] = "claim"

    def __post_init__(self) -> None:
        object.__setattr__(self, "driven_by", tuple(sorted(self.driven_by)))
        object.__setattr__(self, "held_back_by", tuple(sorted(self.held_back_by)))
        if len(self.places) < 2:
            raise BadInput(
                f"a claim about {self.unit} needs a unit that drives it or holds it back"
            )
        _check_different(self)
        _check_length(self)

    def __str__(self) -> str:
        drive = "+".join(map(str, self.driven_by))
        return f"{self.unit}={drive}" + "".join(f"-{unit}" for unit in self.held_back_by)

    @property
    def places(self) -> tuple[PlaceSubject, ...]:
        return (self.unit, *self.driven_by, *self.held_back_by)

    @property
    def home(self) -> PlaceSubject:
        return self.unit


def subject_at(node: str, unit: int | None) -> PlaceSubject:
    """The unit of a node, or the node as a whole where `unit` is None."""
    return NodeSubject(node) if unit is None else UnitSubject(node, unit)


def place_of(home: PlaceSubject | None) -> tuple[str, int | None]:
    """The reverse of `subject_at`; ("", None) where there is no place."""
    if home is None:
        return "", None
    return home.node, home.unit if isinstance(home, UnitSubject) else None


def _check_length(subject: Subject) -> None:
    if len(text := str(subject)) > LONGEST:
        raise BadInput(
            f"the {subject.kind} {short(text)} is too long; its text has {len(text)} characters, "
            f"{LONGEST} at most"
        )


def _check_different(subject: Subject) -> None:
    if len(set(subject.places)) < len(subject.places):
        raise BadInput(f"the {subject.kind} {short(subject)} names a place twice")


def _parsed(text: str) -> Subject:
    if text.startswith("@"):
        return PictureSubject(text[1:])
    if claim := _CLAIM.fullmatch(text):
        terms = _TERM.findall(claim[2])
        return ClaimSubject(
            _unit(claim[1], text),
            _units((unit for sign, unit in terms if sign != "-"), text),
            _units((unit for sign, unit in terms if sign == "-"), text),
        )
    if "~" in text:
        return PathSubject(tuple(_place(stop, text) for stop in text.split("~")))
    if text.count(",") == 1:
        return PairSubject(*_units(text.split(","), text))
    return _place(text, text)


def _units(texts: Iterable[str], whole: str) -> tuple[UnitSubject, ...]:
    return tuple(_unit(text, whole) for text in texts)


def _unit(text: str, whole: str) -> UnitSubject:
    """Raises BadInput, with the `whole` text, unless it is one."""
    place = _place(text, whole)
    if not isinstance(place, UnitSubject):
        raise BadInput(f"{short(whole)} is no subject: {short(text)} is no unit; {_FORMS}")
    return place


def _place(text: str, whole: str) -> PlaceSubject:
    match = re.fullmatch(rf"({NAME})(?:/({UNIT}))?", text)
    if match is None:
        raise BadInput(f"{short(whole)} is no subject; {_FORMS}")
    return subject_at(match[1], None if match[2] is None else int(match[2]))
