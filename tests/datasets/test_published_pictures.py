"""A published set as a dataset, from the reader's own copy."""

from pathlib import Path

import numpy as np
import published_samples as samples
import pytest

from micrograph.datasets import open_dataset
from micrograph.errors import BadInput, Conflict, Unavailable
from micrograph.pictures import decode
from micrograph.published import Listing, copy_of
from micrograph.published.digests import digest_of_pictures


@pytest.fixture
def six(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Listing:
    return samples.known(monkeypatch, tmp_path / "data")


def test_it_is_the_pictures_of_the_copy_with_their_classes(six: Listing) -> None:
    samples.fill(copy_of(six).wanted_at)
    found = open_dataset(samples.NAME)
    assert (found.name, found.title, len(found)) == (samples.NAME, "6 drawings", 6)
    assert found.published
    assert [found.classes[entry.cls] for entry in found.entries] == list(samples.CLASSES) * 2
    for number in range(6):
        right = decode(samples.drawing(number), "it")
        assert np.array_equal(np.asarray(found.picture(number)), np.asarray(right))


def test_its_digest_is_that_of_its_files_in_whatever_form(six: Listing) -> None:
    samples.fill(copy_of(six).wanted_at)
    assert open_dataset(samples.NAME).digest == six.digest
    rows = ((p.name, p.cls, p.published.sha256) for p in six.pictures)
    assert six.digest == digest_of_pictures(samples.CLASSES, rows)
    samples.fill(copy_of(six).wanted_at, samples.small)
    scaled = open_dataset(samples.NAME)
    assert scaled.digest == six.digests[1] != six.digest
    assert scaled.title == "6 drawings, scaled copies"


def test_an_incomplete_or_changed_copy_is_refused(six: Listing) -> None:
    with pytest.raises(Unavailable, match="6 of the 6 pictures"):
        open_dataset(samples.NAME)
    folder = samples.fill(copy_of(six).wanted_at)
    found = open_dataset(samples.NAME)
    (folder / six.pictures[3].name).write_bytes(b"another")
    with pytest.raises(Conflict, match="another file"):
        found.picture(3)
    with pytest.raises(Unavailable, match="1 of the 6 pictures"):
        open_dataset(samples.NAME)


def test_a_folder_of_that_name_wins_and_other_names_list_what_is_known(
    six: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    samples.fill(tmp_path / samples.NAME)
    assert open_dataset(samples.NAME).title == f"folder {samples.NAME}"
    with pytest.raises(BadInput, match="imagenet-samples"):
        open_dataset("imagenet-sample")
