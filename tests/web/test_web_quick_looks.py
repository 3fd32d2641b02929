"""Kept pages are answered on the event loop, as long as looking whether they are right is quick."""

import shutil
import threading
from pathlib import Path

import pytest
from web_client import Client

from micrograph.atlas import Library
from micrograph.web import create_app, quick_routes
from micrograph.web.quick_looks import REST, SLOW, QuickLooks

PAGE = "/models/tinynet/conv0/1"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_after_a_slow_look_there_is_none_for_a_while() -> None:
    clock = Clock()
    looks = QuickLooks(clock)

    def look(seconds: float) -> int:
        clock.now += seconds
        return 7

    assert looks.quick(lambda: look(SLOW / 2)) == 7
    assert looks.quick(lambda: look(2 * SLOW)) == 7
    assert looks.quick(lambda: look(0)) is None
    clock.now += REST + 1
    assert looks.quick(lambda: look(0)) == 7


def test_a_look_that_fails_slowly_counts_too() -> None:
    clock = Clock()
    looks = QuickLooks(clock)

    def look() -> None:
        clock.now += 2 * SLOW
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        looks.quick(look)
    assert looks.quick(lambda: 7) is None


@pytest.fixture
def made_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that pages were asked of, other than the event loop's."""
    found: list[str] = []
    before = quick_routes.page_answer

    def noted(*args: object) -> object:
        found.append(threading.current_thread().name)
        return before(*args)

    monkeypatch.setattr(quick_routes, "page_answer", noted)
    return found


def test_a_kept_page_needs_no_thread_until_a_file_changes(
    folder: Path, tmp_path: Path, made_by: list[str]
) -> None:
    copied = Path(shutil.copytree(folder, tmp_path / "atlases"))
    client = Client(create_app(Library([copied])))
    first = client.get(PAGE)
    assert len(made_by) == 1
    again = client.get(PAGE)
    known = client.get(PAGE, if_none_match=first.headers["etag"])
    assert len(made_by) == 1
    assert again.content == first.content
    assert dict(again.headers) == dict(first.headers)
    assert known.status_code == 304
    assert client.get(PAGE + "?x=1").content != b""
    assert len(made_by) == 2
    for one in copied.glob("*.atlas"):
        one.write_bytes(one.read_bytes())  # another state of the same
    assert client.get(PAGE).content == first.content
    assert len(made_by) == 3
    for one in copied.glob("*.atlas"):
        one.unlink()
    assert client.get(PAGE).status_code == 404


def test_what_is_wrong_is_the_same_on_either_way(folder: Path, made_by: list[str]) -> None:
    client = Client(create_app(Library([folder])))
    client.get(PAGE)
    for address in ("/models/tinynet/conv0/999", "/models/nonesuch", "/models?page=x"):
        first = client.get(address)
        assert first.status_code in (400, 404), address
        assert client.get(address).content == first.content
