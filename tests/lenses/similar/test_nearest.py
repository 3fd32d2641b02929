"""What an index keeps of the nearest units: pages show the same as after a search of everything."""

from pathlib import Path

import numpy as np
import pytest
from profile_samples import NUMBERS, floats, quantized, row, write

from micrograph.atlas import Atlas
from micrograph.lenses.similar import nearest, profiles
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
    kept = profiles.unpack(profiles.pack(atlas))
    monkeypatch.setattr(profiles._CACHE, "profiles", lambda *_: kept)
    assert [found(atlas, count) for count in counts] == expected


def test_a_row_of_a_page_searches_no_profiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas = atlas_of(tmp_path, 1)
    kept = profiles.unpack(profiles.pack(atlas))
    monkeypatch.setattr(profiles._CACHE, "profiles", lambda *_: kept)
    searched: list[Profiles] = []
    monkeypatch.setattr(Profiles, "products", lambda self, _: searched.append(self))
    assert len(found(atlas, 12)[0][0].units) == 12
    assert searched == []


def test_too_many_units_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atlas = atlas_of(tmp_path, 1)
    monkeypatch.setattr(nearest, "MOST_PRODUCTS", ALL * ALL * 200 - 1)
    kept = profiles.unpack(profiles.pack(atlas))
    (nodes,) = kept.values()
    assert {block.whole and block.whole.nearest for block in nodes.values()} == {None}
    monkeypatch.setattr(nearest, "MOST_PRODUCTS", ALL * ALL * 200)
    (nodes,) = profiles.unpack(profiles.pack(atlas)).values()
    assert all(block.whole and block.whole.nearest for block in nodes.values())


def test_a_place_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index is read as what anybody may have written."""
    atlas = atlas_of(tmp_path, 1)
    packed = bytearray(profiles.pack(atlas))
    at = len(packed) - ALL * nearest.DEPTH * 8
    packed[at : at + 4] = np.int32(ALL).tobytes()
    with pytest.raises(ValueError, match="near to one that there is not"):
        profiles.unpack(bytes(packed))
