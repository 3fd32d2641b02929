"""What an index keeps of the nearest units: pages show the same as after a search of everything."""

from pathlib import Path

import numpy as np
import pytest
from profile_samples import NUMBERS, floats, quantized, row, write

from micrograph.atlas import Atlas
from micrograph.lenses.similar import nearest, neighbours, profiles
from micrograph.lenses.similar.neighbours import Neighbours, by_profile
from micrograph.lenses.similar.profiles import Profiles

NODES = {"conv0": 8, "mixed1a_1x1": 6, "mixed1a": 16, "wide": 1024}
ALL = sum(NODES.values())


def atlas_of(folder: Path, twins: int) -> Atlas:
    """Units of four nodes; the first `twins` of `wide` fire alike, one of `conv0` always."""
    values = {node: floats(units, 7 + units) for node, units in NODES.items()}
    values["mixed1a"][:6] = values["mixed1a_1x1"]
    values["wide"][:twins] = values["wide"][0]
    values["conv0"][3] = 0.5
    rows = [row("a", node, quantized(floats, NUMBERS)) for node, floats in values.items()]
    write(folder, "a", rows)
    return Atlas.open(folder / "a.atlas")


def found(atlas: Atlas, count: int) -> list[list[Neighbours]]:
    places = [(node, unit) for node, units in NODES.items() for unit in range(min(units, 40))]
    return [by_profile(atlas, *place, (), count) for place in places]


def keep(monkeypatch: pytest.MonkeyPatch, atlas: Atlas) -> None:
    """As if an index knew the file."""
    kept = nearest.unpack(nearest.pack(atlas))
    monkeypatch.setattr(neighbours, "nearest_of", lambda _: kept)


@pytest.mark.parametrize("twins", [1, 5, 30])
def test_equals_a_search_of_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twins: int
) -> None:
    atlas = atlas_of(tmp_path, twins)
    counts = (1, 12, 20, 100)
    monkeypatch.setattr(profiles, "_CACHE", profiles._Cache())
    expected = [found(atlas, count) for count in counts]
    assert [not groups for groups in expected[1]].count(True) == 1, (
        "the unit that is always the same"
    )
    keep(monkeypatch, atlas)
    assert [found(atlas, count) for count in counts] == expected


def test_a_row_of_a_page_reads_no_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atlas = atlas_of(tmp_path, 1)
    keep(monkeypatch, atlas)
    monkeypatch.setattr(neighbours, "profiles_of", None)
    assert len(found(atlas, 12)[0][0].units) == 12


def test_what_is_kept_too_little_of_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas = atlas_of(tmp_path, 30)
    keep(monkeypatch, atlas)
    searched: list[Profiles] = []
    products = Profiles.products
    monkeypatch.setattr(
        Profiles, "products", lambda self, *a: searched.append(self) or products(self, *a)
    )
    by_profile(atlas, "wide", 0, (), 12)
    assert searched, "thirty units are equally near"


def test_too_many_units_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atlas = atlas_of(tmp_path, 1)
    monkeypatch.setattr(nearest, "MOST_PRODUCTS", ALL * ALL * 200 - 1)
    assert [*nearest.unpack(nearest.pack(atlas)).values()] == [None]
    monkeypatch.setattr(nearest, "MOST_PRODUCTS", ALL * ALL * 200)
    assert all(nearest.unpack(nearest.pack(atlas)).values())


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    """An index is read as what anybody may have written."""
    packed = nearest.pack(atlas_of(tmp_path, 1))
    at = len(packed) - ALL * nearest.DEPTH * 8
    there_is_not = packed[:at] + np.int32(ALL).tobytes() + packed[at + 4 :]
    with pytest.raises(ValueError, match="near to one that there is not"):
        nearest.unpack(there_is_not)
    with pytest.raises(ValueError, match="one after another"):
        nearest.unpack(packed.replace(b'"conv0": [0, 8]', b'"conv0": [1, 8]'))
    for broken in (packed[:-1], packed + b"x", b"", b"[1]\n", b"\0" * 99):
        with pytest.raises((ValueError, TypeError)):
            nearest.unpack(broken)
