"""The atlas: one SQLite file with a model's graph, its units and what was rendered of them."""

from micrograph.atlas.compact import compact
from micrograph.atlas.copying import Account, copy, verify
from micrograph.atlas.encode import encode
from micrograph.atlas.library import Library, bundled_gallery
from micrograph.atlas.merged import Merged
from micrograph.atlas.outline import Outline, bundled_catalogue
from micrograph.atlas.read import Atlas
from micrograph.atlas.reading import Reading
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
from micrograph.atlas.snapshot import Problem, Snapshot
from micrograph.atlas.whole import LostRow
from micrograph.atlas.write import AtlasWriter

__all__ = [
    "Account",
    "Atlas",
    "AtlasWriter",
    "Count",
    "DatasetRecord",
    "DictionaryRecord",
    "Hit",
    "Library",
    "LostRow",
    "Merged",
    "ModelRecord",
    "NodeRecord",
    "Outline",
    "Picture",
    "Problem",
    "Reading",
    "SampleRecord",
    "Snapshot",
    "Tile",
    "Visualization",
    "bundled_catalogue",
    "bundled_gallery",
    "compact",
    "copy",
    "encode",
    "verify",
]
