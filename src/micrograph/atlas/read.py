"""Reading one atlas."""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from micrograph.address import find_node
from micrograph.atlas import columns, queries, rows
from micrograph.atlas.dictionaries import read_dictionaries
from micrograph.atlas.format import check, reading
from micrograph.atlas.graph import read_graph
from micrograph.atlas.keeping import Row
from micrograph.atlas.own_copies import own_picture, with_own_pictures
from micrograph.atlas.records import (
    Count,
    DatasetRecord,
    DictionaryRecord,
    Hit,
    ModelRecord,
    NodeRecord,
    Picture,
    SampleRecord,
    Tile,
    Visualization,
)
from micrograph.atlas.tables import check_tables
from micrograph.atlas.versions import version_of
from micrograph.errors import BadInput, DamagedAtlas
from micrograph.recipe import digest
from micrograph.subject import NodeSubject, Subject, UnitSubject, place_of

if TYPE_CHECKING:
    import numpy as np

_WIDEST = 1 << 31
"""Wider than any picture."""

_DIGEST = re.compile(r"[0-9a-f]{32}\Z")
_LOG = logging.getLogger("micrograph.atlas")
T = TypeVar("T")


@lru_cache(maxsize=1024)
def _tell_once(line: str) -> None:
    _LOG.warning(" ".join(line.split()))


MOST_RESULTS = 10_000
"""Of a unit, of a node as a whole, or of another subject: a page reads all of them, and shows them
in pages."""
MOST_SUBJECTS = 100_000
"""That are neither nodes nor units."""


class Atlas:
    """One atlas file, for reading, from any thread, also while a writer fills it.

    `model`, `nodes` (by id, in graph order), `aliases` (every accepted spelling to node id) and
    `dictionaries` (by the node they made) are read once; everything else is read from the file when
    asked for.
    """

    def __init__(
        self,
        path: Path,
        model: ModelRecord,
        nodes: Mapping[str, NodeRecord],
        dictionaries: Mapping[str, DictionaryRecord],
    ) -> None:
        self.path = path
        self.model = model
        self.nodes = nodes
        self.dictionaries = dictionaries
        self.aliases = aliases_of(nodes)

    @classmethod
    def open(cls, path: Path | str) -> "Atlas":
        """Open and check the file at `path`, of this version of the format or an older one.

        Nothing in it is changed, and nothing beside it where it was closed by its writer. Raises
        NotFound where there is none, Unavailable without access, and BadInput for a file that is
        no atlas, of a newer version, damaged or cut short.

        >>> from micrograph.atlas import Atlas, bundled_gallery
        >>> atlas = Atlas.open(bundled_gallery() / "inceptionv1_caffe.atlas")
        >>> atlas.model.id, len(atlas.nodes), atlas.aliases["4c"]
        ('inceptionv1_caffe', 83, 'inception_4c')
        """
        path = Path(path)
        check(path)
        with reading(path) as connection:
            check_tables(connection, version_of(connection))
            model, nodes = read_graph(connection, path)
            dictionaries = read_dictionaries(connection, path)
        return cls(path, model, nodes, dictionaries)

    def __enter__(self) -> "Atlas":
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing to close: connections live as long as one question."""

    def __repr__(self) -> str:
        return f"Atlas({str(self.path)!r}, model={self.model.id!r})"

    def _sound(
        self, found: Iterable[tuple[Any, ...]], record: Callable[[tuple[Any, ...]], T]
    ) -> Iterator[T]:
        """The records of the rows that make sense: one that does not costs itself, nothing else,
        and is told in the log once."""
        for row in found:
            try:
                yield record(row)
            except (TypeError, ValueError, RecursionError, BadInput) as error:
                _tell_once(f"a row of {self.path} is left out: {error}")

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
        """The best picture of each unit of `node`, in order of units; units without are left out.
        `units` are those to ask for, one by one upwards, None for all; at most `most` are given.

        `node` is an id or an alias. `seed` asks for that seed only. With `min_width` (pixels) a
        unit's best picture is the smallest at least that wide, or else the largest; without, the
        largest. Among equals the lowest seed, then the newest. Raises NotFound for an unknown node.

        >>> from micrograph.atlas import Atlas, bundled_gallery
        >>> atlas = Atlas.open(bundled_gallery() / "inceptionv1_caffe.atlas")
        >>> grid = atlas.tiles("inception_4c", "feature_vis", "channel", min_width=64)
        >>> len(grid), grid[447].unit, grid[447].mime
        (512, 447, 'image/avif')
        """
        given = {
            "node": find_node(node, self.aliases, self.model.id),
            "technique": technique,
            "variant": variant,
            "seed": seed,
            "width": _WIDEST if min_width is None else min(min_width, _WIDEST),
            "most": -1 if most is None else most,
            **_ends(units),
        }
        with reading(self.path) as ask:
            return list(self._sound(ask.execute(queries.TILES, given), rows.tile_record))

    def first_pictures(self, technique: str, variant: str) -> list[tuple[str, Tile]]:
        """Of each unit with a picture its node and the picture that comes first in
        `visualizations`, in order of nodes and units."""
        given = {"technique": technique, "variant": variant}
        with reading(self.path) as ask:
            found = ask.execute(queries.FIRST_PICTURES, given)
            return list(
                self._sound(found, lambda row: (columns.text(row[0]), rows.tile_record(row[1:])))
            )

    def visualizations(
        self, node: str, unit: int | None, technique: str | None = None
    ) -> list[Visualization]:
        """All there is of a unit (or, with None, of the node as a whole), without image bytes and
        arrays.

        `node` is an id or an alias; `technique` asks for that lens only. Ordered by technique,
        variant, seed, then the largest and newest first. A unit that the node does not have has
        nothing. Raises NotFound for an unknown node.

        >>> from micrograph.atlas import Atlas, bundled_gallery
        >>> atlas = Atlas.open(bundled_gallery() / "inceptionv1_caffe.atlas")
        >>> [v.variant for v in atlas.visualizations("4c", 447, "feature_vis")]
        ['channel']
        """
        node = find_node(node, self.aliases, self.model.id)
        given = {"node": node, "unit": rows.unit_column(unit), "technique": technique}
        with reading(self.path) as ask:
            found = ask.execute(queries.VISUALIZATIONS.format(at=queries.AT_PLACE), given)
            listed = found.fetchmany(MOST_RESULTS + 1)
            if len(listed) > MOST_RESULTS:
                raise ValueError(f"more than {MOST_RESULTS} results of one place")
            return list(self._sound(listed, lambda row: rows.visualization_record(node, unit, row)))

    def nodes_with_results(self) -> set[str]:
        """The nodes of which there is something, or of one of their units."""
        with reading(self.path) as ask:
            found = ask.execute(queries.NODES_WITH_RESULTS)
            return set(self._sound(found, lambda row: columns.text(row[0]))) & self.nodes.keys()

    def missing(
        self, node: str, units: Sequence[int | None], recipe: Mapping[str, Any]
    ) -> list[int | None]:
        """Those of `units` (None is the node as a whole), in their order, that the atlas does not
        have by `recipe`."""
        given: dict[str, Any] = {"node": node, "digest": bytes.fromhex(digest(recipe))}
        with reading(self.path) as ask:
            there = {rows.unit(unit) for (unit,) in ask.execute(queries.BY_RECIPE, given)}
        return [unit for unit in units if unit not in there]

    def about(self, subject: Subject, technique: str | None = None) -> list[Visualization]:
        """All there is of any subject, as `visualizations` has it of a node or a unit.

        Its places are node ids. A subject of which nothing is stored, also one with places that
        the model does not have, has nothing; but NotFound is raised for an unknown node or unit.
        """
        if isinstance(subject, NodeSubject | UnitSubject):
            return self.visualizations(*place_of(subject), technique)
        given = {"subject": str(subject), "technique": technique}
        with reading(self.path) as ask:
            found = ask.execute(queries.VISUALIZATIONS.format(at=queries.ABOUT), given)
            listed = found.fetchmany(MOST_RESULTS + 1)
            if len(listed) > MOST_RESULTS:
                raise ValueError(f"more than {MOST_RESULTS} results about one subject")
            home = place_of(subject.home)
            return list(
                self._sound(listed, lambda row: rows.visualization_record(*home, row, subject))
            )

    def subjects(self, node: str | None = None, technique: str | None = None) -> list[Subject]:
        """The subjects with results that are neither nodes nor units, in order of their texts.

        With `node` (an id or an alias) those whose home is there, with `technique` those of that
        lens. Raises NotFound for an unknown node.
        """
        if node is not None:
            node = find_node(node, self.aliases, self.model.id)
        with reading(self.path) as ask:
            found = ask.execute(queries.SUBJECTS, {"node": node, "technique": technique})
            listed = found.fetchmany(MOST_SUBJECTS + 1)
            if len(listed) > MOST_SUBJECTS:
                raise ValueError(f"more than {MOST_SUBJECTS} subjects")
            return list(self._sound(listed, lambda row: Subject.parse(columns.text(row[0]))))

    def results(
        self, node: str, technique: str, variant: str, units: range | None = None
    ) -> dict[int | None, Visualization]:
        """What a lens gave for every unit of `node`, by unit; None is the node as a whole and
        comes first. `units` are those to ask for beside it, None for all.

        `node` is an id or an alias. Of several seeds the lowest, of several recipes the newest.
        Raises NotFound for an unknown node.

        >>> from micrograph.atlas import Atlas, bundled_gallery
        >>> atlas = Atlas.open(bundled_gallery() / "inceptionv1_caffe-lenses.atlas")
        >>> found = atlas.results("inception_4c", "dataset_examples", "toytown")
        >>> len(found), found[None].unit, len(found[447].data["top"])
        (513, None, 8)
        """
        node = find_node(node, self.aliases, self.model.id)
        given = {"node": node, "technique": technique, "variant": variant, **_ends(units)}
        with reading(self.path) as ask:
            found = ask.execute(queries.RESULTS, given)
            listed = self._sound(
                found, lambda row: rows.visualization_record(node, rows.unit(row[0]), row[1:])
            )
            return {v.unit: v for v in listed}

    def arrays(
        self, node: str, unit: int | None, technique: str, variant: str
    ) -> dict[str, "np.ndarray"]:
        """The arrays that a lens left at a unit (or, with None, at the node as a whole), by
        name; empty if there are none.

        `node` is an id or an alias. Of several results with arrays the lowest seed's newest. Shapes
        and meanings are the lens's. Raises NotFound for an unknown node.

        >>> from micrograph.atlas import Atlas, bundled_gallery
        >>> atlas = Atlas.open(bundled_gallery() / "inceptionv1_caffe-lenses.atlas")
        >>> found = atlas.arrays("inception_4c", None, "dataset_examples", "toytown")
        >>> found["profile"].shape, found["profile"].dtype
        ((512, 400), dtype('uint8'))
        """
        given = {
            "node": find_node(node, self.aliases, self.model.id),
            "unit": rows.unit_column(unit),
            "technique": technique,
            "variant": variant,
        }
        return self._arrays(queries.AT_PLACE, given)

    def arrays_about(
        self, subject: Subject, technique: str, variant: str
    ) -> dict[str, "np.ndarray"]:
        """The arrays that a lens left of any subject, as `arrays` has them of a place."""
        if isinstance(subject, NodeSubject | UnitSubject):
            return self.arrays(*place_of(subject), technique, variant)
        given = {"subject": str(subject), "technique": technique, "variant": variant}
        return self._arrays(queries.ABOUT, given)

    def _arrays(self, at: str, given: Mapping[str, Any]) -> dict[str, "np.ndarray"]:
        with reading(self.path) as ask:
            found = ask.execute(queries.ARRAYS.format(at=at), given)
            return dict(
                self._sound(found, lambda row: (columns.text(row[0]), rows.array(*row[1:])))
            )

    def datasets(self) -> list[DatasetRecord]:
        """The datasets that lenses looked at, in the order in which they came."""
        with reading(self.path) as ask:
            return list(self._sound(ask.execute(queries.DATASETS), rows.dataset_record))

    def dataset_digests(self) -> set[str]:
        """Those of the datasets of which the atlas may name pictures."""
        with reading(self.path) as ask:
            found = ask.execute(queries.DATASET_DIGESTS)
            return set(self._sound(found, lambda row: columns.text(row[0])))

    def samples(self, dataset: str, numbers: Iterable[int]) -> dict[int, SampleRecord]:
        """Pictures of a dataset (by its digest, 64 hex digits), without image bytes, by number;
        numbers that the atlas does not hold are left out. Raises ValueError for no hex digits.

        What an atlas may not hold of a published set (docs/datasets.md), the reader's own copy
        shows, where there is one.

        >>> from micrograph.atlas import Atlas, bundled_gallery
        >>> atlas = Atlas.open(bundled_gallery() / "inceptionv1_caffe-lenses.atlas")
        >>> examples = atlas.visualizations("inception_4c", 447, "dataset_examples")[0].data
        >>> best, *_ = examples["top"][0]
        >>> sample = atlas.samples(examples["dataset"], [best])[best]
        >>> sample.picture.width, len(atlas.picture(sample.picture.digest).data) > 0
        (224, True)
        """
        found = self.stored_samples(dataset, numbers)
        return with_own_pictures(self.model.preprocessing, dataset, found)

    def stored_samples(self, dataset: str, numbers: Iterable[int]) -> dict[int, SampleRecord]:
        """As `samples`, but only what stands in the atlas."""
        given = {"dataset": bytes.fromhex(dataset), "numbers": json.dumps(sorted(set(numbers)))}
        with reading(self.path) as ask:
            rows_found = self._sound(ask.execute(queries.SAMPLES, given), rows.sample_record)
            return {sample.number: sample for sample in rows_found}

    def sample_classes(self, dataset: str) -> dict[int, int]:
        """The class of each picture of a dataset that the atlas names, by number; -1 for none.
        Raises ValueError for no hex digits."""
        given = (bytes.fromhex(dataset),)
        with reading(self.path) as ask:
            return dict(self._sound(ask.execute(queries.SAMPLE_CLASSES, given), rows.sample_class))

    def picture(self, digest: str) -> Picture | None:
        """The picture of that digest (32 lower-case hex digits) with its bytes, or None.

        Raises DamagedAtlas where the bytes are not those that have this digest.

        >>> from micrograph.atlas import Atlas, bundled_gallery
        >>> atlas = Atlas.open(bundled_gallery() / "inceptionv1_caffe.atlas")
        >>> tile = atlas.tiles("inception_4c", "feature_vis", "channel")[447]
        >>> atlas.picture(tile.digest).data[4:12]
        b'ftypavif'
        """
        if not _DIGEST.match(digest):
            return None
        with reading(self.path) as ask:
            row = ask.execute(queries.PICTURE, (bytes.fromhex(digest),)).fetchone()
            if row is not None:
                data = columns.data(row[4])
                found = rows.picture_record((digest, *row[:4]))
                if found is None or hashlib.sha256(data).hexdigest()[:32] != digest:
                    raise ValueError(f"the bytes of picture {digest} changed since it was written")
                return replace(found, data=data)
        return own_picture(self.model.preprocessing, digest)

    def counts(self) -> list[Count]:
        """How many units each node has of each lens and variant, in order of their names, and
        whether there is something of the node as a whole; only what is there.

        Subjects that are neither nodes nor units are not counted.

        >>> from micrograph.atlas import Atlas, bundled_gallery
        >>> atlas = Atlas.open(bundled_gallery() / "inceptionv1_caffe.atlas")
        >>> atlas.counts()[0]
        Count(node='conv2_3x3', technique='feature_vis', variant='channel', units=192, whole=False)
        """
        with reading(self.path) as ask:
            return list(self._sound(ask.execute(queries.COUNTS), rows.count_record))

    def of_lenses(self) -> dict[str, tuple[int, int]]:
        """How many results there are of each lens, whatever they are about; of how many nodes."""
        with reading(self.path) as ask:
            return {
                str(lens): (count, nodes) for lens, count, nodes in ask.execute(queries.OF_LENSES)
            }

    def rendered(self) -> set[tuple[str, str, str, int | None]]:
        """Every (node, technique, variant, unit) there is; unit None stands for the node itself."""
        with reading(self.path) as ask:
            return set(self._sound(ask.execute(queries.RENDERED), rows.rendered_place))

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """What has every word of `text`, or a word that begins with it: the model, then nodes, then
        labels; at most `limit`. Nothing is found where `text` has no word.

        >>> from micrograph.atlas import Atlas, bundled_gallery
        >>> atlas = Atlas.open(bundled_gallery() / "inceptionv1_caffe.atlas")
        >>> [(hit.kind, hit.node, hit.unit) for hit in atlas.search("tench")]
        [('label', 'loss3_classifier', 0)]
        """
        query = match_query(text)
        if not query:
            return []
        with reading(self.path) as ask:
            found = self._sound(ask.execute(queries.SEARCH, (query, limit)), rows.search_row)
            return [
                Hit(kind, self.model.id, node, unit, shown.partition("\n")[0])
                for kind, (node, unit, shown) in found
            ]

    @cached_property
    def search_damage(self) -> str:
        """What is wrong with the index that `search` reads, as far as reading each of its pages and
        finding its first and last row tells; "" where nothing is."""
        try:
            with reading(self.path) as ask:
                for question in queries.SEARCH_PAGES:
                    ask.execute(question).fetchall()
                for id, text in ask.execute(queries.SEARCH_ENDS).fetchall():
                    query = match_query(columns.text(text))
                    if query and not ask.execute(queries.SEARCH_ROW, (query, id)).fetchone():
                        return "it does not find what it holds"
        except DamagedAtlas as error:
            return " ".join(str(error.__cause__ or error).split())[:200]
        return ""

    def searchable(self) -> list[tuple[str, Row]]:
        """Everything that `search` looks through, each with its kind."""
        with reading(self.path) as ask:
            found = ask.execute("SELECT kind, node, unit, text FROM search ORDER BY rowid")
            return list(self._sound(found, rows.search_row))


def _ends(units: range | None) -> dict[str, int]:
    """The first and the last of the units that a question is about, None for all."""
    asked = range(rows.MOST_UNITS) if units is None else units
    return {"first": asked.start, "last": asked.stop - 1}


def match_query(text: str) -> str:
    """What finds rows with every word of `text` in a full-text index; "" where there is none."""
    return " ".join(f'"{word}"*' for word in re.findall(r"[^\W_]+", text)[:8])


def aliases_of(nodes: Mapping[str, NodeRecord]) -> dict[str, str]:
    """Every accepted spelling, node ids included, to the node id; ids win over aliases."""
    spelled = {alias: node.id for node in nodes.values() for alias in node.aliases}
    return spelled | {name: name for name in nodes}
