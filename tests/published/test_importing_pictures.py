"""Taking pictures from a folder by their digests."""

from pathlib import Path

import published_samples as samples
import pytest

from micrograph.errors import BadInput
from micrograph.published import Copy, copy_of
from micrograph.published.importing import import_pictures


@pytest.fixture
def copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Copy:
    return copy_of(samples.known(monkeypatch, tmp_path / "data"))


def test_names_folders_and_links_do_not_matter(copy: Copy, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    (folder / "deep").mkdir(parents=True)
    elsewhere.mkdir()
    for number in range(3):
        (folder / "deep" / f"{number}.bin").write_bytes(samples.drawing(number))
    (elsewhere / "x").write_bytes(samples.drawing(3))
    (folder / "link.jpg").symlink_to(elsewhere / "x")
    (elsewhere / "more").mkdir()
    (elsewhere / "more" / "y").write_bytes(samples.drawing(4))
    (folder / "linked").symlink_to(elsewhere / "more")
    (folder / "deep" / "round").symlink_to(folder)  # leads back up
    (folder / "broken").symlink_to(tmp_path / "nowhere")
    (folder / "other.jpg").write_bytes(samples.drawing(99))
    found = import_pictures(copy, folder)
    assert (found.taken, found.before, found.others) == (5, 0, 1)
    assert copy.missing() == [5]
    assert copy.read(3) == samples.drawing(3)
    assert not (copy.wanted_at / copy.listing.pictures[3].name).is_symlink()


def test_the_published_form_replaces_a_scaled_one_and_not_the_other_way(
    copy: Copy, tmp_path: Path
) -> None:
    small = samples.fill(tmp_path / "small", samples.small)
    whole = samples.fill(tmp_path / "whole")
    assert import_pictures(copy, small).taken == 6
    assert copy.is_other_form(0)
    again = import_pictures(copy, whole)
    assert (again.taken, again.before) == (6, 6)
    assert not copy.is_other_form(0)
    assert import_pictures(copy, small).taken == 0
    assert copy.read(0) == samples.drawing(0)


def test_a_folder_without_any_is_refused(copy: Copy, tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "a.jpg").write_bytes(samples.drawing(77))
    with pytest.raises(BadInput, match=r"none of the pictures of six-drawings \(1 other files\)"):
        import_pictures(copy, tmp_path / "some")
    with pytest.raises(BadInput, match="is no folder"):
        import_pictures(copy, tmp_path / "absent")
    assert not copy.wanted_at.exists()
