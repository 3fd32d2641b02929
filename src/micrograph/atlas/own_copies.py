"""Pictures of published sets, which an atlas names without holding them, from the reader's copy."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from micrograph.atlas.records import Picture, SampleRecord

_COLOR = "#808080"
"""Stands in until a picture has loaded."""


def with_own_pictures(
    preprocessing: Mapping[str, Any], dataset: str, samples: Mapping[int, SampleRecord]
) -> dict[int, SampleRecord]:
    """`samples` of the dataset of that digest; those without a picture have that of the reader's
    copy, if there is one, as a model with this preprocessing saw it."""
    from micrograph.published import listing_by_digest

    found = dict(samples)
    listed = listing_by_digest(dataset)
    if listed is None or all(sample.picture for sample in found.values()):
        return found
    from micrograph.published.cutouts import MIME, cutouts

    cut = cutouts(listed, preprocessing)
    if cut is None:
        return found
    lacking = [number for number, sample in samples.items() if sample.picture is None]
    for number, digest in cut.digests(lacking).items():
        picture = Picture(digest, MIME, cut.size, cut.size, _COLOR)
        found[number] = replace(samples[number], picture=picture)
    return found


def own_picture(preprocessing: Mapping[str, Any], digest: str) -> Picture | None:
    """The picture that `with_own_pictures` gave this digest, with its bytes."""
    from micrograph.published import listings
    from micrograph.published.cutouts import MIME, cutouts

    for listed in listings().values():
        cut = cutouts(listed, preprocessing)
        data = cut.data(digest) if cut else None
        if cut and data is not None:
            return Picture(digest, MIME, cut.size, cut.size, _COLOR, data)
    return None
