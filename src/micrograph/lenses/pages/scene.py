"""The place that a page shows, for the page functions of lenses: its typed results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from micrograph.atlas.reading import Reading
from micrograph.atlas.records import DatasetRecord, NodeRecord, SampleRecord, Tile, Visualization
from micrograph.atlas.remembered import Remembered
from micrograph.errors import MicrographError
from micrograph.lenses import lead
from micrograph.lenses.pages.unit_tiles import KeptTiles
from micrograph.lenses.result import Result
from micrograph.parts.parts import Image, Thumb, image, thumb
from micrograph.parts.urls import Urls

if TYPE_CHECKING:
    import numpy as np

Stored = TypeVar("Stored", bound=Result)


@dataclass(frozen=True)
class Shot:
    """One picture a lens gave, with its caption. `variant` and `seed` tell results apart.

    `score` is what was reached, `stored_score` what the picture reaches as it is stored and shown,
    None where that was not measured; `measured` says in words what the number is that is shown.
    """

    variant: str
    title: str
    image: Image
    score: float
    seed: int
    columns: int = 1
    rows: int = 1
    stored_score: float | None = None
    measured: str = ""

    @property
    def shown_score(self) -> float:
        """The number that belongs to the picture."""
        return self.score if self.stored_score is None else self.stored_score


_TILES: Remembered[dict[int, Tile]] = Remembered(8_000, len)
"""Tiles of nodes."""
MOST_TILES = 4096
"""Units of a node whose tiles are read together, for the sake of a few of them."""
_WHOLE: Remembered[list[Visualization]] = Remembered(
    2 << 20, lambda found: sum(len(repr(v.data)) + 1000 for v in found)
)
"""Results about nodes as a whole, which the pages of all their units show a part of: bytes, about,
of what they say."""


@dataclass(frozen=True)
class Scene:
    """What a lens may ask about the place that a page shows. `unit` is None on a node's page;
    `found` are the results about the unit, or about the node as a whole; `options` is the query,
    `others` the atlases of other models. `shown` are the units whose tiles are asked for, None for
    all of the node."""

    atlas: Reading
    node: NodeRecord
    unit: int | None
    urls: Urls
    found: Sequence[Visualization]
    options: Mapping[str, str] = field(default_factory=dict)
    others: Sequence[Reading] = ()
    shown: range | None = None
    _thumbs: dict[tuple[str, str, int], Thumb] = field(default_factory=dict, init=False, repr=False)
    _kept: dict[str, KeptTiles] = field(default_factory=dict, init=False, repr=False)

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
        return whole_results(self.atlas, self.node.id)

    def of(self, lens: str) -> list[Visualization]:
        """The best result of each variant and seed of a lens, in that order."""
        best: dict[tuple[str, int], Visualization] = {}
        for v in self.found:
            if v.technique == lens:
                best.setdefault((v.variant, v.seed), v)
        return list(best.values())

    def results(self, lens: str, kind: type[Stored]) -> list[tuple[Visualization, Stored]]:
        """As `of`, each with its typed result."""
        return [(v, self.read(v, kind)) for v in self.of(lens)]

    def read(self, v: Visualization, kind: type[Stored]) -> Stored:
        """A stored result as its type; its arrays are read from the atlas when they are used."""
        return kind.from_json(v.data, ArraysOf(self.atlas, v))

    def image(self, v: Visualization) -> Image | None:
        return image(self.model, v.picture, self.urls) if v.picture else None

    def samples(self, dataset: str, numbers: Sequence[int]) -> dict[int, SampleRecord]:
        """Pictures of a dataset by number; none where `dataset` is not a digest."""
        if len(dataset) != 64 or set(dataset) - set("0123456789abcdef"):
            return {}
        return self.atlas.samples(dataset, numbers)

    @cached_property
    def _tiles(self) -> dict[int, Tile]:
        """The small pictures of all units of the page's node under the first view, by unit."""
        return tiles_of(self.atlas, self.node.id, *lead(), 64)

    def thumb(self, node: str, unit: int, model: str = "") -> Thumb | None:
        """A unit as a link with its picture where there is one; None where there is no such unit.

        `model` may name one of `others`.
        """
        atlas = self._models.get(model or self.model)
        known = atlas.nodes.get(node) if atlas else None
        if atlas is None or known is None or not 0 <= unit < known.units:
            return None
        id = atlas.model.id
        own = (id, node) == (self.model, self.node.id) and known.units <= MOST_TILES
        if own and unit in self._tiles:
            return thumb(id, node, unit, self._tiles[unit], self.urls)
        return self._load_thumb(id, node, unit)

    @cached_property
    def _models(self) -> dict[str, Reading]:
        return {atlas.model.id: atlas for atlas in (*self.others, self.atlas)}

    def _load_thumb(self, model: str, node: str, unit: int) -> Thumb:
        """A unit of another node, read once: a node's whole grid would be too much to read."""
        key = (model, node, unit)
        if model not in self._kept:
            self._kept[model] = KeptTiles(self._models[model])
        known, tile = self._kept[model].of(node, unit)
        if known:
            return thumb(model, node, unit, tile, self.urls)
        if key not in self._thumbs:
            lens, variant = lead()
            rows = self._rows_of(model, node, unit, lens)
            row = next((v for v in rows if v.variant == variant and v.picture), None)
            picture = image(model, row.picture, self.urls) if row and row.picture else None
            self._thumbs[key] = Thumb(
                unit,
                f"{model}/{node}/{unit}",
                self.urls.unit(model, node, unit),
                picture,
                row.score if row else None,
            )
        return self._thumbs[key]

    def _rows_of(self, model: str, node: str, unit: int, lens: str) -> list[Visualization]:
        """Results of any model; none of another one whose files cannot be read: that is its own
        pages' to say."""
        try:
            return self._models[model].visualizations(node, unit, lens)
        except MicrographError:
            if model == self.model:
                raise
            return []


def tiles_of(
    atlas: Reading, node: str, lens: str, variant: str, width: int, units: range | None = None
) -> dict[int, Tile]:
    """The pictures of a node's units (of all, if not given) under a view, for tiles of `width` px,
    by unit."""
    return _TILES.get(
        atlas,
        (node, lens, variant, width, units),
        lambda: {t.unit: t for t in atlas.tiles(node, lens, variant, min_width=width, units=units)},
    )


def whole_results(atlas: Reading, node: str) -> list[Visualization]:
    """The results about a node as a whole."""
    return _WHOLE.get(atlas, node, lambda: atlas.visualizations(node, None))


def _bytes(arrays: Mapping[str, "np.ndarray"]) -> int:
    return sum(one.nbytes for one in arrays.values()) + 1000


_ARRAYS: Remembered[dict[str, "np.ndarray"]] = Remembered(4 << 20, _bytes)
"""Bytes of arrays of nodes as a whole: the page of a unit shows a row of each."""


def whole_arrays(
    atlas: Reading, node: str, technique: str, variant: str
) -> Mapping[str, "np.ndarray"]:
    """The arrays that a lens left of a node as a whole."""
    return _ARRAYS.get(
        atlas, (node, technique, variant), lambda: atlas.arrays(node, None, technique, variant)
    )


class ArraysOf(Mapping[str, "np.ndarray"]):
    """The arrays of a stored result by name, read when the first is needed."""

    def __init__(self, atlas: Reading, v: Visualization) -> None:
        self._atlas, self._v = atlas, v

    @cached_property
    def _arrays(self) -> Mapping[str, "np.ndarray"]:
        v = self._v
        if v.unit is None and v.about is None:
            return whole_arrays(self._atlas, v.node, v.technique, v.variant)
        return self._atlas.arrays(v.node, v.unit, v.technique, v.variant)

    def __getitem__(self, name: str) -> "np.ndarray":
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)
