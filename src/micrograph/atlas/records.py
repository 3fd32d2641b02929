"""What an atlas holds, as plain objects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from micrograph import recipe as recipes
from micrograph.errors import BadInput, short
from micrograph.graph import Coverage
from micrograph.plain import plain_record, small_record
from micrograph.recipe import Recipe
from micrograph.subject import Subject, place_of, subject_at

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class ModelRecord:
    """The model an atlas was made of. `digest` is the digest of its weights."""

    id: str
    title: str
    digest: str
    summary: str = ""
    parameters: int = 0
    labels: tuple[str, ...] = ()
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    paper: str = ""
    paper_url: str = ""
    licence: str = ""
    lineage: str = ""
    source: str = ""
    coverage: Coverage | None = None
    """How much of the network has no node, where something has none and the engine said so."""


@dataclass(frozen=True)
class NodeRecord:
    """A node of the model's graph; fields as in `micrograph.models.node.Node`.

    `worth` says whether the node is worth a picture, as the engine decided; None where nobody did
    (atlases before version 3, nodes of others).
    """

    id: str
    index: int
    kind: str
    units: int
    shape: tuple[int, ...]
    field_size: int
    field_stride: int
    field_start: int
    field_status: str
    parents: tuple[str, ...]
    aliases: tuple[str, ...]
    worth: bool | None = None


@dataclass(frozen=True)
class DictionaryRecord:
    """The dictionary that makes a node: `digest` (64 hex digits) identifies it, `about` holds facts
    about it (activation, title, l0, ...), as plain JSON."""

    node: str
    digest: str
    about: Mapping[str, Any] = field(default_factory=dict)


@plain_record
class Picture:
    """An encoded image. `digest` is the SHA-256 of `data` (first 32 hex digits), the key it is
    stored and served under; `color` is its mean colour, "#rrggbb"."""

    digest: str
    mime: str
    width: int
    height: int
    color: str
    data: bytes = b""


@dataclass(frozen=True)
class DatasetRecord:
    """Pictures that lenses looked at. `digest` identifies the pictures and their order.

    `digest` has 64 hex digits; `pictures` is their number, `classes` the names of their classes
    (empty if they have none), `size` the side in pixels at which they were shown to the network.
    """

    name: str
    digest: str
    title: str
    pictures: int
    size: int
    licence: str = ""
    classes: tuple[str, ...] = ()


@small_record
class SampleRecord:
    """One picture of a dataset: its `number` in it from 0, its `name` there, its class or -1.

    `picture` is None where the atlas does not hold it; its `data` is empty in listings.
    """

    number: int
    name: str
    cls: int = -1
    picture: Picture | None = None


STORED_SCORE = "stored_score"
"""Under this key of a result's data stands the score of its picture as it is stored."""


@dataclass(frozen=True)
class Visualization(recipes.FromRecipe):
    """What a recipe gave of a unit, of a node as a whole (`unit` is None), or of another subject.

    `about` is None but for another subject; `node` and `unit` are its home then (`Subject.home`),
    and `node` is "" for a picture, which has none.
    `recipe` is the home of `technique`, `variant` and `seed`. `score` is the target's activation on
    the finished picture (fp32), or what its lens says. `picture` is None for a lens that
    gives data alone; its `data` is empty in listings. `arrays` are larger results, kept as binary;
    listings leave them out. `made_with` states package and torch version and device. `created` is
    ISO 8601 in UTC. `seconds` is the time spent on it (its share of the batch).
    """

    node: str
    unit: int | None
    recipe: Recipe
    score: float
    picture: Picture | None
    data: Mapping[str, Any] = field(default_factory=dict)
    made_with: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    seconds: float = 0.0
    arrays: Mapping[str, "np.ndarray"] = field(default_factory=dict)
    about: Subject | None = None

    def __post_init__(self) -> None:
        if self.about is not None:
            home = self.about.home
            if self.about == home or (self.node, self.unit) != place_of(home):
                raise BadInput(
                    f"a result about {short(self.about)} cannot be kept at {self.node!r}, unit "
                    f"{self.unit}; expected its home, and a subject that is neither node nor unit"
                )

    @property
    def stored_score(self) -> float | None:
        """The score of the picture as it is stored, after compression; None where that was not
        measured. `score` is that of the picture before."""
        found = self.data.get(STORED_SCORE) if isinstance(self.data, Mapping) else None
        if not isinstance(found, int | float) or isinstance(found, bool) or self.picture is None:
            return None
        return float(found) if abs(found) < 1e30 else None  # NaN compares false

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return subject_at(self.node, self.unit) if self.about is None else self.about


@small_record
class Tile:
    """One unit's picture in a grid."""

    unit: int
    digest: str
    mime: str
    width: int
    height: int
    color: str
    score: float
    seed: int = 0


@dataclass(frozen=True)
class Count:
    """How many units of `node` have a result of this lens and variant; `whole`: the node as a whole
    has one too, which is not counted among them."""

    node: str
    technique: str
    variant: str
    units: int
    whole: bool = False


@dataclass(frozen=True)
class Hit:
    """Something a search found. `kind` is "model", "node" or "label"; `text` is what to show.

    A label's hit has the address of its output unit, where the graph has a node of that many units.
    """

    kind: str
    model: str
    node: str | None
    unit: int | None
    text: str
