"""Samples that pages named before: the same as the file says, and the file is not asked again."""

import pytest

from micrograph.atlas import Atlas, Library, bundled_gallery
from micrograph.atlas import known_samples as known
from micrograph.atlas.kept import Kept

MODEL, DATASET = "inceptionv1_caffe", "toytown"


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "_KNOWN", Kept(200, lambda one: len(one) + 10))


@pytest.mark.usefixtures("fresh")
def test_are_those_of_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Library([bundled_gallery()]).model(MODEL)
    digest = next(d.digest for d in reading.datasets() if d.name == DATASET)
    part = Atlas.open(bundled_gallery() / f"{MODEL}-lenses.atlas")
    asked: list[set[int]] = []
    stored = Atlas.stored_samples

    def noted(self: Atlas, dataset: str, numbers: set[int]) -> object:
        asked.append(set(numbers))
        return stored(self, dataset, numbers)

    expected = {n: part.samples(digest, n) for n in ((3, 5, 8), (5, 8, 13), (10**9, 3))}
    monkeypatch.setattr(Atlas, "stored_samples", noted)
    assert {n: reading.samples(digest, n) for n in expected} == expected
    assert 3 in expected[3, 5, 8]
    assert 10**9 not in expected[10**9, 3]
    assert set.union(*asked) == {3, 5, 8, 13, 10**9}
    assert sum(map(len, asked)) == 5, "none of them twice"
    asked.clear()
    reading.samples(digest, [13, 3, 10**9])
    assert asked == []


@pytest.mark.usefixtures("fresh")
def test_are_few() -> None:
    reading = Library([bundled_gallery()]).model(MODEL)
    for dataset in reading.datasets():
        reading.samples(dataset.digest, range(150))
    kept = known._KNOWN
    assert kept._taken <= kept._most
    assert kept._kept
