"""Records to rows and back."""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from micrograph.address import Address
from micrograph.atlas import columns
from micrograph.atlas.records import (
    Count,
    DatasetRecord,
    ModelRecord,
    NodeRecord,
    Picture,
    SampleRecord,
    Tile,
    Visualization,
)
from micrograph.graph import Coverage
from micrograph.recipe import VIEW, StoredRecipe
from micrograph.subject import Subject

if TYPE_CHECKING:
    import numpy as np

_COVERAGE = "coverage"
MOST_UNITS = 1_000_000
"""A page lists every unit of a node: a file that claims more is damaged or means harm."""
MOST_PARENTS = 10_000
MODEL_COLUMNS = (
    "name",
    "digest",
    "title",
    "summary",
    "parameters",
    "labels",
    "preprocessing",
    "paper",
    "paper_url",
    "licence",
    "lineage",
    "source",
)
NODE_COLUMNS = (
    "name",
    "position",
    "kind",
    "units",
    "shape",
    "field_size",
    "field_stride",
    "field_start",
    "field_status",
    "parents",
    "aliases",
    "worth",
)


def dump(value: Mapping[str, Any] | Iterable[Any]) -> str:
    """Compact JSON; raises ValueError for NaN and infinities, which JSON has not."""
    plain = dict(value) if isinstance(value, Mapping) else list(value)
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def model_row(model: ModelRecord) -> tuple[Any, ...]:
    """Values of MODEL_COLUMNS. What is not covered is a key beside those of the preprocessing, so
    that the columns are those of every version."""
    said = {} if model.coverage is None else {_COVERAGE: model.coverage.to_json()}
    return (
        model.id,
        model.digest,
        model.title,
        model.summary,
        model.parameters,
        dump(model.labels),
        dump({**model.preprocessing, **said}),
        model.paper,
        model.paper_url,
        model.licence,
        model.lineage,
        model.source,
    )


def model_record(row: tuple[Any, ...]) -> ModelRecord:
    """The reverse of `model_row`. Raises ValueError or BadInput for what is none."""
    values = dict(zip(MODEL_COLUMNS, row, strict=True))
    preprocessing = columns.mapping(values.pop("preprocessing"))
    found: dict[str, Any] = {
        "parameters": columns.whole(values.pop("parameters")),
        "labels": columns.texts(values.pop("labels")),
        "coverage": Coverage.from_json(preprocessing.pop(_COVERAGE, None)),
        "preprocessing": preprocessing,
        "id": columns.text(values.pop("name")),
    }
    Address(found["id"])  # raises what cannot be part of an address
    return ModelRecord(**(found | {name: columns.text(value) for name, value in values.items()}))


def node_row(node: NodeRecord) -> tuple[Any, ...]:
    """Values of NODE_COLUMNS."""
    return (
        node.id,
        node.index,
        node.kind,
        node.units,
        dump(node.shape),
        node.field_size,
        node.field_stride,
        node.field_start,
        node.field_status,
        dump(node.parents),
        dump(node.aliases),
        None if node.worth is None else int(node.worth),
    )


def node_record(row: tuple[Any, ...]) -> NodeRecord:
    """The reverse of `node_row`. Raises ValueError or BadInput for what is none."""
    values = dict(zip(NODE_COLUMNS, row, strict=True))
    shape, worth = columns.parsed(values["shape"]), values["worth"]
    if not isinstance(shape, list) or not all(type(n) is int for n in shape):
        raise ValueError(f"{str(shape)[:40]} is no shape")
    Address("model", columns.text(values["name"]))
    return NodeRecord(
        id=values["name"],
        index=columns.whole(values["position"]),
        kind=columns.text(values["kind"]),
        units=columns.whole(values["units"], 0, MOST_UNITS),
        shape=tuple(shape),
        field_size=columns.whole(values["field_size"]),
        field_stride=columns.whole(values["field_stride"]),
        field_start=columns.whole(values["field_start"]),
        field_status=columns.text(values["field_status"]),
        parents=_few(columns.texts(values["parents"])),
        aliases=columns.texts(values["aliases"]),
        worth=None if worth is None else bool(columns.whole(worth, 0, 1)),
    )


def _few(parents: tuple[str, ...]) -> tuple[str, ...]:
    if len(parents) > MOST_PARENTS:
        raise ValueError(f"a node with more than {MOST_PARENTS} parents")
    return parents


def unit_column(unit: int | None) -> int:
    """A unit as the tables have it: -1 for the node as a whole."""
    return -1 if unit is None else unit


def unit(column: Any) -> int | None:
    """The reverse of `unit_column`. Raises ValueError for what is none."""
    return None if columns.whole(column, -1, MOST_UNITS) < 0 else int(column)


def full_recipe(text: str, technique: str, variant: str, seed: int) -> StoredRecipe:
    """A recipe from its columns: what its variant is called is no part of the text, and what is
    asked for by a column is what is shown. Raises ValueError for what is no JSON object."""
    if isinstance(text, str) and len(text) <= _SHORT_RECIPE:
        return _parsed_recipe(text, technique, variant, seed)
    return _parse_recipe(text, technique, variant, seed)


_SHORT_RECIPE = 4096
"""Characters of a recipe that is worth keeping: thousands of results share a few."""


@lru_cache(maxsize=256, typed=True)
def _parsed_recipe(text: str, technique: str, variant: str, seed: int) -> StoredRecipe:
    return _parse_recipe(text, technique, variant, seed)


def _parse_recipe(text: str, technique: str, variant: str, seed: int) -> StoredRecipe:
    named = {
        "technique": columns.text(technique),
        VIEW: columns.text(variant),
        "seed": columns.whole(seed),
    }
    return StoredRecipe(sorted((columns.mapping(text) | named).items()))


def picture_record(values: Iterable[Any]) -> Picture | None:
    """From digest, mime, width, height and colour, without bytes; None where there is none. Raises
    ValueError for what is none."""
    digest, mime, width, height, color = values
    if not digest:  # hex(NULL) is an empty text
        return None
    return Picture(
        columns.digest(digest),
        sys.intern(columns.text(mime)),  # thousands say the same
        columns.whole(width, 1, columns.WIDEST),
        columns.whole(height, 1, columns.WIDEST),
        columns.color(color),
    )


def tile_record(row: Iterable[Any]) -> Tile:
    """From the columns of queries.TILES. Raises ValueError for what is none."""
    unit, digest, mime, width, height, color, score, seed = row
    picture = (digest, mime, width, height, color)
    shown = picture_record(picture)
    if shown is None:
        raise ValueError("a picture without a digest")
    return Tile(
        columns.whole(unit, 0, MOST_UNITS),
        shown.digest,
        shown.mime,
        shown.width,
        shown.height,
        shown.color,
        columns.real(score),
        columns.whole(seed),
    )


def sample_record(row: Iterable[Any]) -> SampleRecord:
    """From the columns of queries.SAMPLES. Raises ValueError for what is none."""
    number, name, cls, *picture = row
    return SampleRecord(
        columns.whole(number, 0),
        columns.text(name),
        columns.whole(cls, -1),
        picture_record(picture),
    )


def sample_class(row: Iterable[Any]) -> tuple[int, int]:
    """Number and class of a sample. Raises ValueError for what is none."""
    number, cls = row
    return columns.whole(number, 0), columns.whole(cls, -1)


def count_record(row: Iterable[Any]) -> Count:
    """From the columns of queries.COUNTS. Raises ValueError for what is none."""
    node, technique, variant, units, whole = row
    return Count(
        columns.text(node),
        columns.text(technique),
        columns.text(variant),
        columns.whole(units, 0),
        bool(whole),
    )


def visualization_record(
    node: str, unit: int | None, row: Iterable[Any], about: Subject | None = None
) -> Visualization:
    """From the columns of queries.VISUALIZATIONS. Raises ValueError where they make no sense."""
    technique, variant, recipe, seed, score, *picture, data, maker, created, seconds = row
    return Visualization(
        node=node,
        unit=unit,
        recipe=full_recipe(recipe, technique, variant, seed),
        score=columns.real(score),
        picture=picture_record(picture),
        data=columns.mapping(data),
        made_with=columns.named_texts(maker),
        created=to_iso(columns.whole(created)),
        seconds=columns.real(seconds),
        about=about,
    )


def rendered_place(row: Iterable[Any]) -> tuple[str, str, str, int | None]:
    """From the columns of queries.RENDERED. Raises ValueError for what is none."""
    node, technique, variant, column = row
    return columns.text(node), columns.text(technique), columns.text(variant), unit(column)


KINDS = ("model", "node", "label")
"""What a search can find, in the order in which it is given."""


def search_row(row: Iterable[Any]) -> tuple[str, tuple[str | None, int | None, str]]:
    """Kind, then node, unit and text, of a row of the search table. Raises ValueError for what is
    none."""
    kind, node, unit, text = row
    if kind not in KINDS:
        raise ValueError(f"a search has no {str(kind)[:40]!r}")
    return kind, (
        None if node is None else columns.text(node),
        None if unit is None else columns.whole(unit, 0, MOST_UNITS),
        columns.text(text),
    )


DATASET_COLUMNS = ("name", "digest", "title", "pictures", "size", "licence", "classes")
DTYPES = ("uint8", "int16", "int32", "float16", "float32")
"""What an array in an atlas is made of; little-endian, row by row."""


def dataset_row(dataset: DatasetRecord) -> tuple[Any, ...]:
    """Values of DATASET_COLUMNS."""
    return (
        dataset.name,
        bytes.fromhex(dataset.digest),
        dataset.title,
        dataset.pictures,
        dataset.size,
        dataset.licence,
        dump(dataset.classes),
    )


def dataset_record(row: tuple[Any, ...]) -> DatasetRecord:
    """From DATASET_COLUMNS, the digest as hex digits. Raises ValueError for what is none."""
    name, digest, title, pictures, size, licence, classes = row
    return DatasetRecord(
        name=columns.text(name),
        digest=columns.digest(digest),
        title=columns.text(title),
        pictures=columns.whole(pictures, 0),
        size=columns.whole(size, 0),
        licence=columns.text(licence),
        classes=columns.texts(classes),
    )


def array_row(array: "np.ndarray") -> tuple[str, str, bytes, bytes]:
    """dtype, shape, bytes and their SHA-256.

    Raises ValueError for a dtype that atlases do not have.
    """
    if array.dtype.name not in DTYPES:
        raise ValueError(f"an array of {array.dtype}; expected one of {', '.join(DTYPES)}")
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    data = little.tobytes()
    return array.dtype.name, dump(array.shape), data, hashlib.sha256(data).digest()


def array(dtype: str, shape: str, data: bytes, digest: bytes | None) -> "np.ndarray":
    """The reverse of `array_row`; atlases before version 3 have no digest of an array. Raises
    ValueError for what is none, and for bytes that changed since they were written."""
    import numpy as np

    if dtype not in DTYPES:
        raise ValueError(f"array of {dtype!r}")
    if digest is not None and hashlib.sha256(columns.data(data)).digest() != digest:
        raise ValueError("the bytes of an array changed since it was written")
    whole = np.frombuffer(columns.data(data), np.dtype(dtype).newbyteorder("<"))
    return whole.reshape(columns.parsed(shape))


def to_seconds(created: str) -> int:
    """ISO 8601 to Unix seconds; an empty text means now."""
    moment = datetime.fromisoformat(created) if created else datetime.now(UTC)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def to_iso(seconds: int) -> str:
    """Unix seconds to ISO 8601 in UTC, e.g. 2026-11-21T23:12:33Z. Raises ValueError off range."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError) as error:
        raise ValueError(f"{seconds} is no time") from error
