"""Samples of atlases that pages named before: those of all units of a model show the same few
pictures."""

from collections.abc import Collection

from micrograph.atlas.kept import Kept
from micrograph.atlas.read import Atlas
from micrograph.atlas.records import SampleRecord
from micrograph.atlas.scan import State

MOST = 6_000
"""Samples, of all files together: 4 MB."""
_KNOWN: Kept[dict[int, SampleRecord | None]] = Kept(MOST, lambda known: len(known) + 10)
"""By number, None where the file has none; by file, its state, and dataset."""


def stored_samples(
    atlas: Atlas, state: State, dataset: str, numbers: Collection[int]
) -> dict[int, SampleRecord]:
    """As `Atlas.stored_samples`, of a file that is in this state."""
    key = (atlas.path, state, dataset)
    known = _KNOWN.find(key)
    if known is None:
        known = {}
    wanted = set(numbers)
    lacking = wanted - known.keys()
    if lacking:
        found = atlas.stored_samples(dataset, lacking)
        known.update((number, found.get(number)) for number in lacking)
        _KNOWN.put(key, known)
    return {n: sample for n in sorted(wanted) if (sample := known[n]) is not None}
