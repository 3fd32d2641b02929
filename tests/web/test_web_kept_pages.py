"""A page is written once for each state of what it shows, and never shown for another state."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from web_client import Client
from web_samples import MODEL, NODES, picture, visualization

import micrograph.lenses as registry
from micrograph.atlas import AtlasWriter, Library
from micrograph.web import create_app, requests
from micrograph.web.kept_pages import KeptPages, Written
from micrograph.web.known import Known

PAGES = ("/", "/models", "/models/own", "/models/own/mixed1a", "/models/own/mixed1a/3", "/about")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "own.atlas"
    add(path, 0)
    return path


def add(path: Path, seed: int) -> None:
    with AtlasWriter.open(path, replace(MODEL, id="own"), NODES) as writer:
        writer.put([visualization("mixed1a", 3, seed=seed, shared=picture(seed))])


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The targets whose pages were made."""
    found: list[object] = []
    build = requests.build

    def counted(context, target):
        found.append(target)
        return build(context, target)

    monkeypatch.setattr(requests, "build", counted)
    return found


def test_a_page_is_made_once(path: Path, built: list[object]) -> None:
    client = Client(create_app(Library([path.parent])))
    for page in PAGES:
        first, again = client.get(page), client.get(page)
        assert first.content == again.content
        assert first.headers["etag"] == again.headers["etag"]
        other = client.get(page, accept_encoding="identity")
        assert other.content == first.content
        held = client.get(page, if_none_match=first.headers["etag"])
        assert (held.status_code, held.content) == (304, b"")
    assert len(built) == len(PAGES)
    assert client.get("/models/own.json").headers["content-type"] == "application/json"
    assert client.get("/models/own").headers["content-type"].startswith("text/html")


def test_what_changes_in_an_atlas_is_shown(path: Path) -> None:
    client = Client(create_app(Library([path.parent])))
    before = client.get("/models/own/mixed1a/3.json")
    add(path, 1)
    after = client.get("/models/own/mixed1a/3.json", if_none_match=before.headers["etag"])
    assert after.status_code == 200
    assert len(after.json()["visualizations"]) == len(before.json()["visualizations"]) + 1


def test_what_changes_outside_of_atlases_is_shown(path: Path) -> None:
    state = Known("missing", ["micrograph weights fetch own"])
    app = create_app(Library([path.parent]), writable=path.parent, known=lambda model: state)
    client = Client(app)
    for page in ("/models/own.json", "/models/own/mixed1a.json", "/models/own/mixed1a/3.json"):
        state = Known("missing", ["micrograph weights fetch own"])
        missing = client.get(page).json()
        assert missing["look"]["reason"]
        state = Known("here", ["micrograph render own"])
        assert client.get(page).json()["look"]["reason"] == ""


def test_addresses_and_queries_are_pages_of_their_own(path: Path, built: list[object]) -> None:
    client = Client(create_app(Library([path.parent])))
    small = client.get("/models/own/mixed1a?size=s").text
    assert client.get("/models/own/mixed1a?size=l").text != small
    assert client.get("/models/own/mixed1a?size=s").text == small
    assert len(built) == 2


def test_errors_and_redirects_are_not_kept(path: Path, built: list[object]) -> None:
    client = Client(create_app(Library([path.parent])))
    for _ in range(2):
        assert client.get("/models/own/nowhere").status_code == 404
        assert client.get("/models/OWN").status_code == 307
    assert len(built) == 4


def test_only_so_many_bytes_are_kept(path: Path) -> None:
    library = Library([path.parent]).snapshot()
    pages = KeptPages(most=1000)
    for number in range(10):
        pages.put(library, number, Written(bytes(200)))
    assert [n for n in range(10) if pages.get(library, n)] == [6, 7, 8, 9]
    pages.put(library, "large", Written(bytes(5000)))
    assert pages.get(library, "large") is not None
    assert pages.get(library, 9) is None
    other = Library([path.parent]).snapshot()
    assert pages.get(other, "large") is None


def test_bytes_are_packed_once() -> None:
    written = Written(b"x" * 5000)
    assert gzip.decompress(written.packed) == written.body
    assert written.packed is written.packed


def test_a_page_with_a_part_that_failed_is_made_again(path: Path, built: list[object], monkeypatch):
    client = Client(create_app(Library([path.parent])))

    def failing(*_: object) -> None:
        raise MemoryError

    changed = replace(registry.page("feature_vis"), section=failing)
    with monkeypatch.context() as patched:
        patched.setitem(registry._pages, "feature_vis", changed)
        assert "cannot be shown here" in client.get("/models/own/mixed1a/3").text
    assert "cannot be shown here" not in client.get("/models/own/mixed1a/3").text
    assert len(built) == 2
