"""Whether a dataset is of the world that a model knows: do its labels cover the dataset's classes?

A network that was trained on photographs fires on drawings too, but how strongly says little of its
units: what is judged by a dataset is judged only where the two have words in common.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from micrograph.atlas.reading import Reading
from micrograph.atlas.records import DatasetRecord
from micrograph.atlas.remembered import Remembered

_WORDNET = re.compile(r"n\d{8}[\s_-]*")
_LETTER = re.compile(r"[^\W\d_]")
ENOUGH = 0.5
"""The share of the classes that must be among the labels."""


@dataclass(frozen=True)
class LabelCoverage:
    """Of the `classes` of a dataset that have a name so many are `covered` by the model's labels.
    `foreign`: too few; `said` says so in a sentence, else it is ""."""

    classes: int
    covered: int
    foreign: bool
    said: str


_KNOWN: Remembered[LabelCoverage] = Remembered(256)


def coverage_of(atlas: Reading, dataset: DatasetRecord | None) -> LabelCoverage:
    """As `coverage`, for the labels of a model. Kept: even to look for a thousand labels among the
    keys of a cache takes as long as an example on a page."""
    key = dataset.digest if dataset else None
    return _KNOWN.get(atlas, key, lambda: coverage(atlas.model.labels, dataset))


@lru_cache(maxsize=64)  # a thousand labels take longer than the rest of a page
def coverage(labels: tuple[str, ...], dataset: DatasetRecord | None) -> LabelCoverage:
    """Where either has no names nothing is known, and nothing said."""
    known = {name for label in labels for name in _names(label)}
    named = [names for one in (dataset.classes if dataset else ()) if (names := _names(one))]
    covered = sum(not names.isdisjoint(known) for names in named)
    if dataset is None or not known or not named or covered >= ENOUGH * len(named):
        return LabelCoverage(len(named), covered, False, "")
    return LabelCoverage(
        len(named),
        covered,
        True,
        f"{dataset.name} is of another world than the model's: "
        f"its labels name {covered or 'none'} of the {len(named)} classes",
    )


def _names(label: str) -> set[str]:
    """What a label calls its class: "n02123045 tabby, tabby_cat" is tabby and tabby cat. A number
    or an id is no name."""
    words = _WORDNET.sub("", label.casefold())
    parts = (" ".join(re.split(r"[\s_-]+", part)).strip() for part in words.split(","))
    return {part.removesuffix("s") for part in parts if _LETTER.search(part)}
