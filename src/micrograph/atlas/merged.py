"""Several atlases of one model read as one."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from micrograph.address import find_node
from micrograph.atlas.keeping import AtlasIndex
from micrograph.atlas.known_samples import stored_samples
from micrograph.atlas.outline import Outline
from micrograph.atlas.own_copies import with_own_pictures
from micrograph.atlas.read import Atlas, aliases_of
from micrograph.atlas.records import (
    Count,
    DatasetRecord,
    Hit,
    Picture,
    SampleRecord,
    Tile,
    Visualization,
)
from micrograph.atlas.rows import unit_column
from micrograph.atlas.scan import State
from micrograph.recipe import canonical
from micrograph.subject import NodeSubject, Subject, UnitSubject, place_of

if TYPE_CHECKING:
    import numpy as np


class Merged:
    """Atlases of the same weights, in order of precedence; reads like one `Atlas`.

    Where several have the same unit by the same recipe, the first wins. `outline` adds names from
    the catalogue, which may be newer than an atlas. `states` are the states in which a library
    found the files, `index` is the index of that library.
    """

    def __init__(
        self,
        parts: Sequence[Atlas],
        outline: Outline | None = None,
        states: Mapping[Path, State] = MappingProxyType({}),
        index: AtlasIndex | None = None,
    ) -> None:
        self.parts = tuple(parts)
        self.states = states
        self.index = index
        self._counts: list[Count] | None = None
        self._datasets: list[DatasetRecord] | None = None
        self._digests: list[set[str]] | None = None
        self._with_results: list[set[str]] | None = None
        self.model = parts[0].model
        nodes = {id: node for part in reversed(parts) for id, node in part.nodes.items()}
        self.dictionaries = {
            id: made for part in reversed(parts) for id, made in part.dictionaries.items()
        }
        self.nodes = dict(sorted(nodes.items(), key=lambda item: item[1].index))
        further = outline.aliases.items() if outline else ()
        self.aliases = {name: id for name, id in further if id in nodes} | aliases_of(self.nodes)

    def _parts_with(self, node: str) -> list[Atlas]:
        """The parts that have the node."""
        return [part for part in self.parts if node in part.nodes]

    def _parts_with_results(self, node: str) -> list[Atlas]:
        """Those that have something of the node, or of one of its units."""
        if not self.states:
            return self._parts_with(node)
        if self._with_results is None:  # as with counts
            self._with_results = [part.nodes_with_results() for part in self.parts]
        pairs = zip(self.parts, self._with_results, strict=True)
        return [part for part, nodes in pairs if node in nodes]

    def tiles(
        self,
        node: str,
        technique: str,
        variant: str,
        seed: int | None = None,
        min_width: int | None = None,
        units: range | None = None,
        most: int | None = None,
    ) -> list[Tile]:
        """As `Atlas.tiles`; among equals in width and seed the first atlas wins."""
        node = find_node(node, self.aliases, self.model.id)
        best: dict[int, Tile] = {}
        for part in self._parts_with(node):
            for tile in part.tiles(node, technique, variant, seed, min_width, units, most):
                known = best.get(tile.unit)
                if known is None or _rank(tile, min_width) < _rank(known, min_width):
                    best[tile.unit] = tile
        return [best[unit] for unit in sorted(best)[:most]]

    def visualizations(
        self, node: str, unit: int | None, technique: str | None = None
    ) -> list[Visualization]:
        """As `Atlas.visualizations`."""
        node = find_node(node, self.aliases, self.model.id)
        return _in_order(
            part.visualizations(node, unit, technique) for part in self._parts_with_results(node)
        )

    def about(self, subject: Subject, technique: str | None = None) -> list[Visualization]:
        """As `Atlas.about`."""
        if isinstance(subject, NodeSubject | UnitSubject):
            return self.visualizations(*place_of(subject), technique)
        return _in_order(part.about(subject, technique) for part in self.parts)

    def subjects(self, node: str | None = None, technique: str | None = None) -> list[Subject]:
        """As `Atlas.subjects`."""
        parts = self.parts
        if node is not None:
            parts = tuple(self._parts_with(node := find_node(node, self.aliases, self.model.id)))
        found = {subject for part in parts for subject in part.subjects(node, technique)}
        return sorted(found, key=str)

    def results(
        self, node: str, technique: str, variant: str, units: range | None = None
    ) -> dict[int | None, Visualization]:
        """As `Atlas.results`; among equal seeds the first atlas wins."""
        node = find_node(node, self.aliases, self.model.id)
        best: dict[int | None, Visualization] = {}
        for part in self._parts_with(node):
            for unit, found in part.results(node, technique, variant, units).items():
                if unit not in best or found.seed < best[unit].seed:
                    best[unit] = found
        return dict(sorted(best.items(), key=lambda item: unit_column(item[0])))

    def arrays(
        self, node: str, unit: int | None, technique: str, variant: str
    ) -> dict[str, "np.ndarray"]:
        """As `Atlas.arrays`, from the first atlas that has any."""
        node = find_node(node, self.aliases, self.model.id)
        found = (part.arrays(node, unit, technique, variant) for part in self._parts_with(node))
        return next((arrays for arrays in found if arrays), {})

    def arrays_about(
        self, subject: Subject, technique: str, variant: str
    ) -> dict[str, "np.ndarray"]:
        """As `Atlas.arrays_about`, from the first atlas that has any."""
        if isinstance(subject, NodeSubject | UnitSubject):
            return self.arrays(*place_of(subject), technique, variant)
        found = (part.arrays_about(subject, technique, variant) for part in self.parts)
        return next((arrays for arrays in found if arrays), {})

    def datasets(self) -> list[DatasetRecord]:
        """As `Atlas.datasets`, each once."""
        if not self.states:
            return self._each_dataset()
        if self._datasets is None:  # as with counts
            self._datasets = self._each_dataset()
        return list(self._datasets)

    def _each_dataset(self) -> list[DatasetRecord]:
        return list({d.digest: d for part in self.parts for d in part.datasets()}.values())

    def samples(self, dataset: str, numbers: Iterable[int]) -> dict[int, SampleRecord]:
        """As `Atlas.samples`; one with its picture wins."""
        numbers = list(numbers)
        found: dict[int, SampleRecord] = {}
        for part in self._parts_about(dataset):
            for number, sample in self._samples_of(part, dataset, numbers).items():
                if number not in found or found[number].picture is None:
                    found[number] = sample
        return found

    def _samples_of(
        self, part: Atlas, dataset: str, numbers: Collection[int]
    ) -> dict[int, SampleRecord]:
        state = self.states.get(part.path)
        if state is None:
            return part.samples(dataset, numbers)
        found = stored_samples(part, state, dataset, numbers)
        return with_own_pictures(part.model.preprocessing, dataset, found)

    def _parts_about(self, dataset: str) -> Sequence[Atlas]:
        """The parts that may name pictures of a dataset. Raises ValueError as `Atlas.samples`."""
        digest = bytes.fromhex(dataset).hex()
        if not self.states:
            return self.parts
        if self._digests is None:  # as with counts
            self._digests = [part.dataset_digests() for part in self.parts]
        pairs = zip(self.parts, self._digests, strict=True)
        return [part for part, digests in pairs if digest in digests]

    def picture(self, digest: str) -> Picture | None:
        """As `Atlas.picture`."""
        pictures = (part.picture(digest) for part in self.parts)
        return next((p for p in pictures if p is not None), None)

    def counts(self) -> list[Count]:
        """As `Atlas.counts`; a unit that several atlases have counts once."""
        if not self.states:
            return self._counted()
        if self._counts is None:  # a library makes another object when a file changes
            self._counts = self._counted()
        return list(self._counts)

    def _counted(self) -> list[Count]:
        if len(self.parts) == 1:
            return self.parts[0].counts()
        there = set().union(*(part.rendered() for part in self.parts))
        whole = {(node, lens, variant) for node, lens, variant, unit in there if unit is None}
        units = Counter(
            (node, lens, variant) for node, lens, variant, unit in there if unit is not None
        )
        return [Count(*key, units[key], key in whole) for key in sorted(whole | units.keys())]

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """As `Atlas.search`."""
        hits = dict.fromkeys(hit for part in self.parts for hit in part.search(text, limit))
        return list(hits)[:limit]


def _in_order(lists: Iterable[list[Visualization]]) -> list[Visualization]:
    """Each recipe's first result, in the order of `Atlas.visualizations`."""
    found: dict[str, Visualization] = {}
    for listed in lists:
        for v in listed:
            found.setdefault(canonical(v.recipe), v)
    newest_first = sorted(found.values(), key=lambda v: v.created, reverse=True)
    return sorted(
        newest_first,
        key=lambda v: (v.technique, v.variant, v.seed, -(v.picture.width if v.picture else 0)),
    )


def _rank(tile: Tile, min_width: int | None) -> tuple[bool, int, int]:
    """The order of `Atlas.tiles`, best first."""
    wide = min_width is not None and tile.width >= min_width
    return (not wide, tile.width if wide else -tile.width, tile.seed)


def differing_node(one: Atlas, other: Atlas) -> str:
    """A node that both have, made by different dictionaries; "" if there is none."""
    made = [{id: d.digest for id, d in atlas.dictionaries.items()} for atlas in (one, other)]
    return next(
        (
            node
            for node in [*made[0], *made[1]]
            if node in one.nodes and node in other.nodes and made[0].get(node) != made[1].get(node)
        ),
        "",
    )
