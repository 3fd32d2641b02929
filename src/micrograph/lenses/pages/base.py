"""What a lens is to the site: its words, and how its results become parts of pages.

Each file of this package is one lens. A result is a row of the atlas (`Visualization`) whose `data`
the lens knows how to read; what it cannot read it leaves out, because atlases come from anywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from micrograph.atlas.reading import Reading
from micrograph.atlas.records import DatasetRecord, NodeRecord, SampleRecord, Visualization
from micrograph.parts.parts import Image, Thumb, image, thumb
from micrograph.parts.urls import Urls


@dataclass(frozen=True)
class View:
    """One way to look through a lens: a variant as the atlas names it, in words for people."""

    variant: str
    objective: str
    sign: str
    title: str
    meaning: str


@dataclass(frozen=True)
class Lens:
    """A technique as a reader meets it: its question, how to read the answer, how that misleads.

    `level` is where its results are shown: "unit" or "node". `under` is the lens in whose section
    it stands, "" for a section of its own. `options` are what its command needs beside the place.
    """

    technique: str
    title: str
    question: str
    explanation: str
    reading: str
    caution: str
    views: tuple[View, ...] = ()
    level: str = "unit"
    under: str = ""
    options: str = ""


@dataclass(frozen=True)
class Shot:
    """One picture a lens gave, with its caption. `variant` and `seed` tell results apart."""

    variant: str
    title: str
    image: Image
    score: float
    seed: int
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True)
class Scene:
    """What a lens may ask about the place that a page shows. `unit` is None on a node's page;
    `found` are the results about the unit, or about the node as a whole; `options` is the query,
    `others` the atlases of other models."""

    atlas: Reading
    node: NodeRecord
    unit: int | None
    urls: Urls
    found: Sequence[Visualization]
    options: Mapping[str, str] = field(default_factory=dict)
    others: Sequence[Reading] = ()
    _thumbs: dict[tuple[str, str, int], Thumb] = field(default_factory=dict, init=False, repr=False)

    @property
    def model(self) -> str:
        return self.atlas.model.id

    @cached_property
    def datasets(self) -> dict[str, DatasetRecord]:
        """By digest."""
        return {d.digest: d for d in self.atlas.datasets()}

    @cached_property
    def whole(self) -> list[Visualization]:
        """The results about the node as a whole."""
        return self.atlas.visualizations(self.node.id, None)

    def of(self, technique: str) -> list[Visualization]:
        """The best result of each variant and seed of a technique, in that order."""
        best: dict[tuple[str, int], Visualization] = {}
        for v in self.found:
            if v.technique == technique:
                best.setdefault((v.variant, v.seed), v)
        return list(best.values())

    def image(self, v: Visualization) -> Image | None:
        return image(self.model, v.picture, self.urls) if v.picture else None

    def samples(self, dataset: str, numbers: Sequence[int]) -> dict[int, SampleRecord]:
        """Pictures of a dataset by number; none for a digest that is none."""
        if len(dataset) != 64 or set(dataset) - set("0123456789abcdef"):
            return {}
        return self.atlas.samples(dataset, numbers)

    @cached_property
    def tiles(self) -> dict[int, Thumb]:
        """The small pictures of all units of the page's node under the first view, by unit."""
        found = self.atlas.tiles(self.node.id, "feature_vis", "channel", min_width=64)
        return {t.unit: thumb(self.model, self.node.id, t.unit, t, self.urls) for t in found}

    def thumb(self, node: str, unit: int, model: str = "") -> Thumb | None:
        """A unit as a link with its picture where there is one; None where there is no such unit.

        `model` may name one of `others`.
        """
        atlas = self._models.get(model or self.model)
        known = atlas.nodes.get(node) if atlas else None
        if atlas is None or known is None or not 0 <= unit < known.units:
            return None
        id = atlas.model.id
        if (id, node) == (self.model, self.node.id) and unit in self.tiles:
            return self.tiles[unit]
        return self._asked(id, node, unit)

    @cached_property
    def _models(self) -> dict[str, Reading]:
        return {atlas.model.id: atlas for atlas in (*self.others, self.atlas)}

    def _asked(self, model: str, node: str, unit: int) -> Thumb:
        """A unit of another node, asked for once: a node's whole grid would be too much to read."""
        key = (model, node, unit)
        if key not in self._thumbs:
            rows = self._models[model].visualizations(node, unit, "feature_vis")
            row = next((v for v in rows if v.variant == "channel" and v.picture), None)
            picture = image(model, row.picture, self.urls) if row and row.picture else None
            self._thumbs[key] = Thumb(
                unit,
                f"{model}/{node}/{unit}",
                self.urls.unit(model, node, unit),
                picture,
                row.score if row else None,
            )
        return self._thumbs[key]


@dataclass(frozen=True)
class Option:
    """A setting of a lens as the tile of a node's page: the value in the query, and in words."""

    value: str
    text: str


@dataclass(frozen=True)
class Plugin:
    """A lens with its functions; a page part it has none for is left out.

    `section(scene)` makes the part of a unit's (or, for lenses of nodes, a node's) page, a
    dataclass whose `form` names its template; None where there is nothing to show.
    `variants(scene, there)` lists which of the variants that are there can be a node page's tiles,
    `tiles(scene, variant, width)` makes them. `sweep`: one command does all units of a node.
    """

    lens: Lens
    section: Callable[[Scene], Any] | None = None
    variants: Callable[[Scene, Sequence[str]], list[Option]] | None = None
    tiles: Callable[[Scene, str, int], dict[int, Thumb]] | None = None
    sweep: bool = False


def number(value: Any, otherwise: float = 0.0) -> float:
    """`value` where it is a finite number, of data that somebody else may have written."""
    fine = isinstance(value, int | float) and abs(value) < 1e30  # NaN compares false
    return float(value) if fine else otherwise


def pairs(value: Any, length: int = 2) -> list[list[Any]]:
    """The items of `value` that are lists of at least `length`."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, list) and len(item) >= length]


def dicts(value: Any) -> list[dict[str, Any]]:
    """The items of `value` that are objects."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key, "")
    return value if isinstance(value, str) else ""


__all__ = [
    "Lens",
    "Option",
    "Plugin",
    "Scene",
    "Shot",
    "View",
    "dicts",
    "number",
    "pairs",
    "texts",
]
