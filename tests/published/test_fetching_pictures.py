"""Fetching a published set from a server of this machine: whole, cut, wrong, interrupted."""

from collections.abc import Iterator
from pathlib import Path

import published_samples as samples
import pytest
from picture_server import Server, serving

from micrograph.errors import Unavailable
from micrograph.published import Copy, copy_of
from micrograph.published.fetching import TOGETHER, fetch_pictures


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    with serving() as server:
        yield server


@pytest.fixture
def copy(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Copy:
    return copy_of(samples.known(monkeypatch, tmp_path / "data", server.address))


def names(copy: Copy) -> list[str]:
    return sorted(path.name for path in copy.wanted_at.iterdir())


ALL = sorted(one.name for one in samples.listing().pictures)


def test_all_pictures_come_verified_and_a_second_time_none(server: Server, copy: Copy) -> None:
    told: list[tuple[int, int]] = []
    found = fetch_pictures(copy, on_step=lambda step, steps: told.append((step, steps)))
    assert (found.fetched, found.before) == (6, 0)
    assert names(copy) == ALL
    assert [copy.read(n) for n in range(6)] == [samples.drawing(n) for n in range(6)]
    assert told == [(n, 6) for n in range(1, 7)]
    assert server.most <= TOGETHER
    found = fetch_pictures(copy)
    assert (found.fetched, found.before) == (0, 6)
    assert len(server.asked) == 6


def test_a_file_that_was_cut_goes_on_where_it_was_cut(server: Server, copy: Copy) -> None:
    name = copy.listing.pictures[3].name
    server.cut = {name}
    fetch_pictures(copy, pause=0.01)
    assert names(copy) == ALL
    half = len(samples.drawing(3)) // 2
    assert [asked for one, asked in server.asked if one == name] == [None, f"bytes={half}-"]


def test_a_wrong_file_is_not_kept_and_the_others_are(server: Server, copy: Copy) -> None:
    name = copy.listing.pictures[2].name
    data = bytearray(server.files[name])
    data[-3] ^= 1
    server.files[name] = bytes(data)
    with pytest.raises(Unavailable, match=r"5 of the 6 pictures .* SHA-256") as error:
        fetch_pictures(copy, pause=0.01)
    assert "\n" not in str(error.value)
    assert "--from FOLDER" in str(error.value)
    assert names(copy) == [one for one in ALL if one != name]
    server.files[name] = samples.drawing(2)
    assert fetch_pictures(copy).fetched == 1


def test_a_larger_file_is_not_kept(server: Server, copy: Copy) -> None:
    name = copy.listing.pictures[2].name
    server.files[name] += b"more"
    with pytest.raises(Unavailable, match="bytes, expected"):
        fetch_pictures(copy, pause=0.01)
    assert name not in names(copy)


def test_a_missing_file_is_named_and_the_others_are_kept(server: Server, copy: Copy) -> None:
    del server.files[copy.listing.pictures[4].name]
    with pytest.raises(Unavailable, match=r"5 of the 6 .*404 Not Found\)"):
        fetch_pictures(copy, pause=0.01)
    assert len(names(copy)) == 5


def test_without_a_network_it_stops_soon_and_says_what_to_do_by_hand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    copy = copy_of(samples.known(monkeypatch, tmp_path / "data"))  # nobody listens at its address
    with pytest.raises(Unavailable, match=r"0 of the 6 .*cannot reach 127\.0\.0\.1") as error:
        fetch_pictures(copy, pause=0.01)
    assert "download https://example.org/drawings on any machine" in str(error.value)
    assert names(copy) == []


def test_interrupted_it_leaves_nothing_half_written_and_goes_on(server: Server, copy: Copy) -> None:
    def stop(step: int, steps: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_pictures(copy, on_step=stop)
    there = [one for one in names(copy) if not one.startswith(".")]
    assert 1 <= len(there) <= TOGETHER + 1
    assert all(copy.has(ALL.index(one)) for one in there)
    assert fetch_pictures(copy).before == len(there)
    assert names(copy) == ALL


def test_another_file_in_its_place_is_replaced(server: Server, copy: Copy) -> None:
    samples.fill(copy.wanted_at)
    path = copy.wanted_at / copy.listing.pictures[0].name
    path.write_bytes(b"something else")
    (copy.wanted_at / "notes.txt").write_text("mine")
    assert fetch_pictures(copy).fetched == 1
    assert path.read_bytes() == samples.drawing(0)
    assert names(copy) == sorted([*ALL, "notes.txt"])


def test_scaled_copies_are_replaced_and_kept_until_then(server: Server, copy: Copy) -> None:
    samples.fill(copy.wanted_at, samples.small)
    del server.files[copy.listing.pictures[1].name]
    with pytest.raises(Unavailable, match="404"):
        fetch_pictures(copy, pause=0.01)
    assert copy.not_as_published() == [1]
    assert copy.read(1) == samples.small(1)
    assert copy.read(0) == samples.drawing(0)
    assert names(copy) == ALL
