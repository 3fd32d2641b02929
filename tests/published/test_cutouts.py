"""What a page shows of the reader's own copy."""

from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import published_samples as samples
import pytest
from PIL import Image

from micrograph.cards.preprocessing import Preprocessing
from micrograph.models.pictures import centre
from micrograph.pictures import decode
from micrograph.published import Listing, copy_of
from micrograph.published.cutouts import CutOuts, cutouts

PREP = Preprocessing(size=32, resize=40, mean=(0.5, 0.5, 0.5))


@pytest.fixture
def six(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Listing:
    return samples.known(monkeypatch, tmp_path / "data")


def made(six: Listing, prep: Preprocessing = PREP) -> CutOuts:
    found = cutouts(six, asdict(prep))
    assert found is not None
    return found


def test_it_is_the_middle_that_the_network_saw(six: Listing) -> None:
    samples.fill(copy_of(six).wanted_at)
    digests = made(six).digests(range(10))
    assert sorted(digests) == list(range(6))
    data = made(six).data(digests[4])
    assert data is not None
    shown = np.asarray(Image.open(BytesIO(data)), dtype=float)
    seen = np.asarray(centre(decode(samples.drawing(4), "it"), PREP), dtype=float)
    assert shown.shape == (32, 32, 3)
    assert np.abs(shown - seen).mean() < 6
    other = centre(decode(samples.drawing(5), "it"), PREP)
    assert np.abs(shown - np.asarray(other, dtype=float)).mean() > 30


def test_the_digest_tells_pictures_forms_and_preprocessings_apart(six: Listing) -> None:
    samples.fill(copy_of(six).wanted_at)
    first = made(six).digests(range(6))
    second = made(six, replace(PREP, resize=48)).digests(range(6))
    samples.fill(copy_of(six).wanted_at, samples.small)
    third = made(six).digests(range(6))
    assert len({*first.values(), *second.values(), *third.values()}) == 18
    assert made(six).data(first[0]) is None, "that form is here no longer"
    assert made(six).data(second[0]) is None, "that is of another network"


def test_nothing_is_shown_of_a_file_that_is_another(six: Listing) -> None:
    samples.fill(copy_of(six).wanted_at)
    digest = made(six).digests([1])[1]
    (copy_of(six).wanted_at / six.pictures[1].name).write_bytes(samples.drawing(0))
    assert made(six).digests([1]) == {}
    assert made(six).data(digest) is None


@pytest.mark.parametrize(
    "change",
    [
        {"size": 5000, "resize": 5000},
        {"resize": 100_000},
        {"size": 32.0},
        {"interpolation": "none"},
        {"unheard_of": 1},
        {"size": 64},
        {"mean": None},
    ],
)
def test_what_an_atlas_says_is_not_believed_blindly(
    six: Listing, change: dict[str, object]
) -> None:
    assert cutouts(six, {**asdict(PREP), **change}) is None
