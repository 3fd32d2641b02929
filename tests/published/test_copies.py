"""The reader's own copy: only the right bytes leave it, whatever lies in its place."""

import os
from pathlib import Path

import published_samples as samples
import pytest

from micrograph.errors import Conflict, NotFound, Unavailable
from micrograph.published import Listing, copy_of, listing, listing_by_digest, listings


@pytest.fixture
def six(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Listing:
    return samples.known(monkeypatch, tmp_path / "data")


def test_an_empty_copy_says_how_to_get_the_pictures(six: Listing) -> None:
    copy = copy_of(six)
    assert copy.missing() == list(range(samples.COUNT))
    with pytest.raises(Unavailable, match="run `micrograph dataset fetch six-drawings`"):
        copy.read(0)


def test_pictures_are_read_as_they_were_published_or_scaled(six: Listing) -> None:
    copy = copy_of(six)
    samples.fill(copy.wanted_at)
    assert not copy.missing()
    assert [copy.read(n) for n in range(6)] == [samples.drawing(n) for n in range(6)]
    assert not copy.is_other_form(2)
    (copy.wanted_at / six.pictures[2].name).write_bytes(samples.small(2))
    assert copy.read(2) == samples.small(2)
    assert copy.is_other_form(2)


def test_another_file_in_its_place_is_never_read(six: Listing) -> None:
    copy = copy_of(six)
    samples.fill(copy.wanted_at)
    assert copy.has(1)
    path = copy.wanted_at / six.pictures[1].name
    forged = bytearray(path.read_bytes())
    forged[-1] ^= 1  # the same size, another content
    before = path.stat()
    path.write_bytes(forged)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert not copy.has(1)
    with pytest.raises(Conflict, match="another file than the one that is listed"):
        copy.read(1)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as if it had never changed
    with pytest.raises(Conflict):
        copy.read(1)


def test_a_folder_named_in_the_environment_comes_first(
    six: Listing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    samples.fill(tmp_path / "mine" / samples.NAME)
    monkeypatch.setenv("MICROGRAPH_DATASETS", str(tmp_path / "mine"))
    assert not copy_of(six).missing()
    samples.fill(tmp_path / "mine" / samples.NAME, samples.small)
    assert copy_of(six).read(0) == samples.small(0)
    samples.fill(copy_of(six).wanted_at)  # what is as it was published goes before scaled copies
    assert copy_of(six).read(0) == samples.drawing(0)
    assert not copy_of(six).not_as_published()
    for path in copy_of(six).wanted_at.iterdir():
        path.unlink()
    monkeypatch.delenv("MICROGRAPH_DATASETS")
    assert copy_of(six).missing()


def test_sets_are_known_by_name_and_by_digest_in_each_form(six: Listing) -> None:
    assert listing(samples.NAME) is six
    assert len(set(six.digests)) == 2
    assert all(listing_by_digest(digest) is six for digest in six.digests)
    assert listing_by_digest("0" * 64) is None
    with pytest.raises(NotFound, match="imagenet-samples"):
        listing("imagenet-sample")


def test_the_list_of_imagenet_samples_names_a_picture_of_each_class() -> None:
    found = listings()["imagenet-samples"]
    assert len(found) == len(found.classes) == 1000
    assert [one.cls for one in found.pictures] == list(range(1000))
    for number, one in enumerate(found.pictures):
        assert one.name.startswith("n")
        assert one.name.endswith(".JPEG")
        for form in one.editions:
            assert len(bytes.fromhex(form.sha256)) == 32
            assert 1000 < form.size < 2**20
        assert found.url(number).startswith("https://raw.githubusercontent.com/")
        assert "'" not in found.url(number).removeprefix(found.address)
    assert len({form.sha256 for one in found.pictures for form in one.editions}) == 2000
    assert found.pictures[0].name == "n01440764_tench.JPEG"
    assert found.size == 109_576_417
