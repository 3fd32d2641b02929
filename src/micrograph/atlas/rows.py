"""Records to rows and back."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from micrograph.address import Address
from micrograph.atlas.records import DatasetRecord, ModelRecord, NodeRecord, Picture, Visualization
from micrograph.graph import Coverage
from micrograph.recipe import VIEW
from micrograph.subject import Subject

if TYPE_CHECKING:
    import numpy as np

_COVERAGE = "coverage"
MOST_UNITS = 1_000_000
"""A page lists every unit of a node: a file that claims more is damaged or means harm."""
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


def _texts(text: str) -> tuple[str, ...]:
    """A JSON list of texts. Raises ValueError for anything else."""
    value = json.loads(text)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{text[:40]} is no list of texts")
    return tuple(value)


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
    """The reverse of `model_row`. Raises TypeError, ValueError or BadInput for what is none."""
    values = dict(zip(MODEL_COLUMNS, row, strict=True))
    values["id"] = values.pop("name")
    values["labels"] = _texts(values["labels"])
    values["preprocessing"] = json.loads(values["preprocessing"])
    if not isinstance(values["preprocessing"], dict):
        raise ValueError("preprocessing is no JSON object")
    values["coverage"] = Coverage.from_json(values["preprocessing"].pop(_COVERAGE, None))
    Address(values["id"])  # raises what cannot be part of an address
    return ModelRecord(**values)


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
    """The reverse of `node_row`. Raises TypeError, ValueError or BadInput for what is none."""
    values = dict(zip(NODE_COLUMNS, row, strict=True))
    values["id"] = values.pop("name")
    values["index"] = values.pop("position")
    values["shape"] = tuple(json.loads(values["shape"]))
    values["parents"], values["aliases"] = _texts(values["parents"]), _texts(values["aliases"])
    if not 0 <= values["units"] <= MOST_UNITS or not all(type(n) is int for n in values["shape"]):
        raise ValueError(f"{values['units']} units over {list(values['shape'])}")
    if values["worth"] is not None:
        values["worth"] = bool(values["worth"])
    Address("model", values["id"])
    return NodeRecord(**values)


def unit_column(unit: int | None) -> int:
    """A unit as the tables have it: -1 for the node as a whole."""
    return -1 if unit is None else unit


def unit(column: int) -> int | None:
    """The reverse of `unit_column`."""
    return None if column < 0 else column


def full_recipe(text: str, technique: str, variant: str, seed: int) -> dict[str, Any]:
    """A recipe from its columns: what its variant is called is no part of the text, and what is
    asked for by a column is what is shown. Raises ValueError for what is no JSON object."""
    recipe = json.loads(text)
    if not isinstance(recipe, dict):
        raise ValueError("a recipe is no JSON object")
    named = {"technique": technique, VIEW: variant, "seed": seed}
    return dict(sorted((recipe | named).items()))


def picture_record(columns: Iterable[Any]) -> Picture | None:
    """From digest, mime, width, height and colour, without bytes; None where there is none."""
    digest, *rest = columns
    return Picture(digest, *rest) if digest else None  # hex(NULL) is an empty text


def visualization_record(
    node: str, unit: int | None, row: Iterable[Any], about: Subject | None = None
) -> Visualization:
    """From the columns of queries.VISUALIZATIONS. Raises TypeError or ValueError where they make no
    sense."""
    technique, variant, recipe, seed, score, *picture, data, maker, created, seconds = row
    return Visualization(
        node=node,
        unit=unit,
        recipe=full_recipe(recipe, technique, variant, seed),
        score=score,
        picture=picture_record(picture),
        data=_json_object(data),
        made_with=_json_object(maker),
        created=to_iso(created),
        seconds=seconds,
        about=about,
    )


def _json_object(text: str) -> dict[str, Any]:
    """The JSON object of a column that must hold one; empty for other JSON, which has no keys."""
    value = json.loads(text)
    return value if isinstance(value, dict) else {}


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
    values = dict(zip(DATASET_COLUMNS, row, strict=True))
    values["classes"] = _texts(values["classes"])
    return DatasetRecord(**values)


def array_row(array: "np.ndarray") -> tuple[str, str, bytes, bytes]:
    """dtype, shape, bytes and their SHA-256.

    Raises ValueError for a dtype that atlases do not have.
    """
    if array.dtype.name not in DTYPES:
        raise ValueError(f"an array of {array.dtype}; expected one of {', '.join(DTYPES)}")
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    data = little.tobytes()
    return array.dtype.name, dump(array.shape), data, hashlib.sha256(data).digest()


def array(dtype: str, shape: str, data: bytes) -> "np.ndarray":
    """The reverse of `array_row`, but for the digest. Raises ValueError for what is none."""
    import numpy as np

    if dtype not in DTYPES:
        raise ValueError(f"array of {dtype!r}")
    return np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).reshape(json.loads(shape))


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
