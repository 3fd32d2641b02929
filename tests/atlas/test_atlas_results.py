"""Results without a picture, arrays, datasets and samples; results about any subject."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from samples import MODEL, NODES, picture

from micrograph.atlas import Atlas, AtlasWriter, DatasetRecord, Merged, SampleRecord, Visualization
from micrograph.errors import BadInput, NotFound
from micrograph.subject import (
    ClaimSubject,
    NodeSubject,
    PairSubject,
    PathSubject,
    PictureSubject,
    Subject,
    UnitSubject,
    place_of,
)

TOWN = DatasetRecord("town", "cd" * 32, "Town", 10, 32, "CC0", ("car", "bus"))


def result(
    unit: int | None = 3, seed: int = 0, variant: str = "town", created: str = "", **more: object
) -> Visualization:
    fields = {"score": 1.5, "data": {"top": [[4, 0, 1.5]]}} | more
    return Visualization(
        "mixed1a",
        unit,
        {
            "technique": "dataset_examples",
            "variant": variant,
            "view": variant,
            "seed": seed,
            "key": str(created),
        },
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
    assert {unit: v.score for unit, v in found.items()} == {None: 4.0, 3: 2.0, 5: 3.0}
    assert found[None].unit is None


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
    assert {unit: v.score for unit, v in found.items()} == {None: 1.5, 3: 3.0, 4: 2.0}
    assert both.arrays("1a", None, "dataset_examples", "town")["profile"].shape == (16, 2)
    assert both.datasets() == [TOWN]
    assert both.samples(TOWN.digest, [1])[1].picture is not None
    assert len(both.visualizations("1a", 3)) == 2


A, B = UnitSubject("mixed1a", 3), UnitSubject("mixed1b", 7)
PAIR, BACK = PairSubject(A, B), PairSubject(B, A)
PATH = PathSubject((NodeSubject("conv0"), A))
CLAIM = ClaimSubject(A, (B,), (UnitSubject("conv0", 1),))
PICTURE = PictureSubject(picture(1).digest)
OTHERS = (PAIR, BACK, PATH, CLAIM, PICTURE)


def about(subject: Subject, seed: int = 0, **more: object) -> Visualization:
    node, unit = place_of(subject.home)
    recipe = {"technique": "joint", "view": "both", "seed": seed}
    return Visualization(node, unit, recipe, 1.0, picture(seed), about=subject, **more)


def test_results_about_any_subject_are_kept_under_it(tmp_path: Path) -> None:
    path = tmp_path / "a.atlas"
    array = {"weights": np.arange(6, dtype=np.float32).reshape(2, 3)}
    put = [about(s, seed) for s in OTHERS for seed in (1, 0)]
    put[-1] = about(PICTURE, arrays=array)
    atlas = write(path, *put, result(3))
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        assert writer.put(put) == 0, "a repeat is a no-op"
    for subject in OTHERS:
        found = atlas.about(subject)
        assert [(v.subject, v.seed) for v in found] == [(subject, 0), (subject, 1)]
        assert atlas.about(subject, "feature_vis") == []
    assert atlas.subjects() == sorted(OTHERS, key=str)
    assert atlas.subjects("1a") == sorted((PAIR, PATH, CLAIM), key=str)
    assert atlas.subjects("mixed1b", "joint") == [BACK]
    assert atlas.subjects(technique="feature_vis") == []
    np.testing.assert_array_equal(
        atlas.arrays_about(PICTURE, "joint", "both")["weights"], array["weights"]
    )
    assert atlas.arrays_about(PAIR, "joint", "both") == {}


def test_they_are_no_results_of_the_unit_or_the_node(tmp_path: Path) -> None:
    atlas = write(tmp_path / "a.atlas", *(about(s) for s in OTHERS), result(3))
    assert [v.technique for v in atlas.visualizations("1a", 3)] == ["dataset_examples"]
    assert atlas.results("1a", "joint", "both") == {}
    assert atlas.tiles("1a", "joint", "both") == []
    assert atlas.arrays("1a", 3, "joint", "both") == {}
    assert [(c.node, c.technique, c.units) for c in atlas.counts()] == [
        ("mixed1a", "dataset_examples", 1)
    ]
    assert atlas.rendered() == {("mixed1a", "dataset_examples", "town", 3)}
    with AtlasWriter.open(atlas.path, MODEL, NODES) as writer:
        assert writer.missing("mixed1a", [3], about(PAIR).recipe) == [3]


def test_a_node_and_a_unit_are_subjects_too(tmp_path: Path) -> None:
    arrays = {"profile": np.zeros((16, 2), np.uint8)}
    atlas = write(tmp_path / "a.atlas", result(3), result(None, arrays=arrays))
    for both in (atlas, Merged([atlas])):
        assert both.about(A) == both.visualizations("mixed1a", 3)
        assert both.about(NodeSubject("mixed1a")) == both.visualizations("mixed1a", None)
        assert both.about(A)[0].subject == A
        found = both.arrays_about(NodeSubject("mixed1a"), "dataset_examples", "town")
        assert found.keys() == {"profile"}
        assert both.subjects() == []


@pytest.mark.parametrize(
    ("subject", "error", "says"),
    [
        (PairSubject(A, UnitSubject("mixed9z", 1)), NotFound, "mixed9z"),
        (PairSubject(A, UnitSubject("mixed1b", 12)), BadInput, "0-11"),
        (ClaimSubject(UnitSubject("mixed1a", 16), (B,)), BadInput, "0-15"),
    ],
)
def test_subjects_with_places_that_are_not_there_are_refused(
    tmp_path: Path, subject: Subject, error: type[Exception], says: str
) -> None:
    with (
        AtlasWriter.open(tmp_path / "a.atlas", MODEL, NODES) as writer,
        pytest.raises(error, match=says),
    ):
        writer.put([about(PAIR), about(subject)])
    assert Atlas.open(tmp_path / "a.atlas").subjects() == []


@pytest.mark.parametrize("subject", [A, NodeSubject("mixed1a"), PAIR])
def test_a_result_is_kept_at_the_home_of_its_subject(subject: Subject) -> None:
    with pytest.raises(BadInput, match="expected its home") as told:
        Visualization("mixed1b", 3, {}, 1.0, None, about=subject)
    assert "\n" not in str(told.value)


def test_merged_atlases_have_the_subjects_of_all(tmp_path: Path) -> None:
    array = {"weights": np.ones(2, np.float32)}
    one = write(tmp_path / "1.atlas", about(PAIR, 1), about(PICTURE))
    two = write(tmp_path / "2.atlas", about(PAIR, 0, arrays=array), about(PAIR, 1), about(CLAIM))
    both = Merged([one, two])
    assert both.subjects() == sorted((PAIR, PICTURE, CLAIM), key=str)
    assert both.subjects("1a") == sorted((PAIR, CLAIM), key=str)
    assert [v.seed for v in both.about(PAIR)] == [0, 1]
    assert both.arrays_about(PAIR, "joint", "both").keys() == {"weights"}


def test_a_text_that_is_no_subject_costs_its_row(tmp_path: Path) -> None:
    atlas = write(tmp_path / "a.atlas", about(PAIR), about(CLAIM))
    with closing(sqlite3.connect(atlas.path)) as connection, connection:
        connection.execute(
            "UPDATE visualization SET subject = '../' || subject WHERE subject = ?", (str(PAIR),)
        )
    assert atlas.subjects() == [CLAIM]
