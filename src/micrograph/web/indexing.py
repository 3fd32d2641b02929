"""What the site wants an index to keep of each atlas."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from micrograph.index import Elsewhere, Index, Maker, places_for
from micrograph.lenses.pages import unit_tiles
from micrograph.lenses.similar import nearest, profiles
from micrograph.web import class_search
from micrograph.web.pages import model_cards

MAKERS: Mapping[str, Maker] = {
    profiles.KEPT_AS: profiles.pack,
    nearest.KEPT_AS: nearest.pack,
    profiles.DATASETS_KEPT_AS: nearest.pack_datasets,
    class_search.KEPT_AS: class_search.pack,
    unit_tiles.KEPT_AS: unit_tiles.pack,
    model_cards.KEPT_AS: model_cards.pack_facts,
}
"""Beside words for searches: the nearest units of each, profiles for units of other models, the
classes of datasets for units by class, the pictures that stand for units, and what cards of models
show."""


def index_of(folders: Iterable[Path], elsewhere: Elsewhere | None = None) -> Index:
    """The index of the atlases in `folders`, for a library of the same."""
    return Index(places_for(folders), MAKERS, elsewhere)
