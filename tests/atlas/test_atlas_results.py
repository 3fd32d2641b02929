"""Results without a picture, arrays, datasets and samples."""

from pathlib import Path

import numpy as np
import pytest
from samples import MODEL, NODES, picture

from micrograph.atlas import Atlas, AtlasWriter, DatasetRecord, Merged, SampleRecord, Visualization
from micrograph.errors import BadInput

TOWN = DatasetRecord("town", "cd" * 32, "Town", 10, 32, "CC0", ("car", "bus"))


def result(
    unit: int | None = 3, seed: int = 0, variant: str = "town", created: str = "", **more: object
) -> Visualization:
    fields = {"score": 1.5, "data": {"top": [[4, 0, 1.5]]}} | more
    return Visualization(
        "mixed1a",
        unit,
        "dataset_examples",
        variant,
        {"variant": variant, "seed": seed, "key": str(created)},
        seed,
        picture=None,
        created=created,
        **fields,
    )


def write(path: Path, *results: Visualization) -> Atlas:
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        writer.put(results)
    return Atlas.open(path)


def test_a_result_without_a_picture_comes_back_and_has_no_tile(tmp_path: Path) -> None:
    atlas = write(tmp_path / "a.atlas", result())
    (found,) = atlas.visualizations("mixed1a", 3)
    assert found.picture is None
    assert found.data == {"top": [[4, 0, 1.5]]}
    assert atlas.tiles("mixed1a", "dataset_examples", "town") == []
    assert [(c.node, c.units) for c in atlas.counts()] == [("mixed1a", 1)]


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "profile": rng.integers(0, 255, (16, 10), dtype=np.uint8),
        "low": rng.normal(size=16).astype(np.float32),
        "half": rng.normal(size=(2, 3)).astype(np.float16).T,
        "big-endian": np.arange(5, dtype=">i4"),
    }
    atlas = write(tmp_path / "a.atlas", result(None, arrays=arrays), result(None, seed=1))
    found = atlas.arrays("1a", None, "dataset_examples", "town")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype.name == array.dtype.name
    assert atlas.arrays("mixed1b", None, "dataset_examples", "town") == {}


def test_arrays_of_other_types_are_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    with AtlasWriter.open(tmp_path / "a.atlas", MODEL, NODES) as writer:
        with pytest.raises(BadInput, match=r"array of object.*expected one of uint8"):
            writer.put([result(arrays={"bad": np.array([{}])})])
        assert writer.missing("mixed1a", [3], result().recipe) == [3]


def test_results_gives_one_per_unit_the_lowest_seed_then_the_newest(tmp_path: Path) -> None:
    old, new = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
    atlas = write(
        tmp_path / "a.atlas",
        result(3, 1, created=new, score=9.0),
        result(3, 0, created=old, score=1.0),
        result(3, 0, created=new, score=2.0),
        result(5, 2, score=3.0),
        result(None, score=4.0),
        result(6, variant="other"),
    )
    found = atlas.results("1a", "dataset_examples", "town")
    assert {unit: v.score for unit, v in found.items()} == {-1: 4.0, 3: 2.0, 5: 3.0}
    assert found[-1].unit is None


def test_samples_are_stored_once_and_gain_their_picture_later(tmp_path: Path) -> None:
    path = tmp_path / "a.atlas"
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        writer.put_samples(TOWN, [SampleRecord(4, "four"), SampleRecord(5, "five", 1, picture(5))])
        writer.put_samples(TOWN, [SampleRecord(4, "four", -1, picture(4)), SampleRecord(5, "five")])
        with pytest.raises(BadInput, match="pictures 0-9; picture 10"):
            writer.put_samples(TOWN, [SampleRecord(6, "six"), SampleRecord(10, "ten")])
    atlas = Atlas.open(path)
    assert atlas.datasets() == [TOWN]
    found = atlas.samples(TOWN.digest, [5, 4, 6, 99])
    assert found.keys() == {4, 5}
    assert found[5].cls == 1
    for number, sample in found.items():
        assert sample.picture is not None
        assert sample.picture.digest == picture(number).digest
        assert atlas.picture(sample.picture.digest) == picture(number)


def test_merged_atlases_answer_together(tmp_path: Path) -> None:
    array = {"profile": np.zeros((16, 2), np.uint8)}
    one = write(tmp_path / "1.atlas", result(3, seed=1, score=1.0), result(4, score=2.0))
    two = write(tmp_path / "2.atlas", result(3, score=3.0), result(None, arrays=array))
    for part, sample in ((one, SampleRecord(1, "a")), (two, SampleRecord(1, "a", -1, picture(1)))):
        with AtlasWriter.open(part.path, MODEL, NODES) as writer:
            writer.put_samples(TOWN, [sample])
    both = Merged([one, two])
    found = both.results("1a", "dataset_examples", "town")
    assert {unit: v.score for unit, v in found.items()} == {-1: 1.5, 3: 3.0, 4: 2.0}
    assert both.arrays("1a", None, "dataset_examples", "town")["profile"].shape == (16, 2)
    assert both.datasets() == [TOWN]
    assert both.samples(TOWN.digest, [1])[1].picture is not None
    assert len(both.visualizations("1a", 3)) == 2
