"""Pictures that others publish and that we may not pass on: lists of them by digest ship with us,
the pictures are read from the reader's own copy. No torch in here, so that the site may use it."""

from micrograph.published.copies import (
    Copy,
    State,
    are_unchanged,
    copy_of,
    data_folder,
    noted_files,
)
from micrograph.published.lists import Listed, Listing, listing, listing_by_digest, listings

__all__ = [
    "Copy",
    "Listed",
    "Listing",
    "State",
    "are_unchanged",
    "copy_of",
    "data_folder",
    "listing",
    "listing_by_digest",
    "listings",
    "noted_files",
]
