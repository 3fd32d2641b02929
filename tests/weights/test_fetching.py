"""Downloads from a server of this machine that does what servers do: ranges, cuts, changes."""

import hashlib
import http.server
import json
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from micrograph.cards import registry
from micrograph.cards.model_card import Conversion
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import Conflict, Unavailable
from micrograph.models import ModelCard, WeightsSource, load
from micrograph.weights import downloading, store
from micrograph.weights.downloading import Unreachable, check_address, download
from micrograph.weights.fetching import fetch_weights, file_name, reason_not_fetched
from micrograph.weights.formats import WeightsError

FILE = np.random.default_rng(0).bytes(300_000)
SHA = hashlib.sha256(FILE).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Gives `content`. `cut` are the bytes after which each answer breaks off, one after another;
    `answers` are (status, headers) to give instead, one after another."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.ranges, self.etag = FILE, True, '"one"'
        self.length = True
        self.cut, self.answers, self.asked = [], [], []

    def url(self, name="net.bin"):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.asked.append((self.path, asked, self.headers.get("If-Range")))
        if server.answers:
            status, headers = server.answers.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            return
        start, total = 0, len(server.content)
        fresh = self.headers.get("If-Range") in (None, server.etag)
        if asked and server.ranges and fresh:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= total:
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            self.send_response(200)
        if server.length:
            self.send_header("Content-Length", str(total - start))
        if server.etag:
            self.send_header("ETag", server.etag)
        self.end_headers()
        end = start + server.cut.pop(0) if server.cut else total
        self.wfile.write(server.content[start:end])


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetched(server, tmp_path, sha256=SHA, size=0, **how):
    source = WeightsSource("A source", server.url(), sha256=sha256, size=size)
    target = download(source, tmp_path / "d" / "net.bin", pause=0.01, **how)
    assert target.read_bytes() == server.content
    assert list(target.parent.iterdir()) == [target]
    return target


def starts(server):
    return [int(r.removeprefix("bytes=")[:-1]) if r else 0 for _, r, _ in server.asked]


def test_a_file_and_its_progress(server, tmp_path):
    told = []
    fetched(server, tmp_path, size=len(FILE), on_step=lambda done, size: told.append((done, size)))
    assert told[-1] == (len(FILE), len(FILE))
    assert told == sorted(told)
    fetched(server, tmp_path)  # it is there now
    assert len(server.asked) == 1


def test_cut_connections_go_on_where_they_were_cut(server, tmp_path):
    server.cut = [100_000, 50_000, 0]
    fetched(server, tmp_path, sha256="")
    assert starts(server) == [0, 100_000, 150_000, 150_000]
    assert [validator for _, _, validator in server.asked] == [None, *['"one"'] * 3]


def test_what_was_left_of_an_earlier_run_is_used(server, tmp_path):
    server.cut = [10_000] * downloading.ATTEMPTS
    with pytest.raises(Unreachable, match="broke off after 50000 of 300000 bytes"):
        fetched(server, tmp_path)
    server.asked.clear()
    fetched(server, tmp_path)
    assert starts(server) == [50_000]


def test_without_ranges_it_starts_again(server, tmp_path):
    server.ranges, server.cut = False, [100_000]
    fetched(server, tmp_path)
    assert starts(server) == [0, 100_000]


def test_without_version_and_digest_it_never_goes_on(server, tmp_path):
    for etag in ("", 'W/"weak"'):
        server.etag, server.cut, server.asked = etag, [100_000], []
        fetched(server, tmp_path, sha256="").unlink()
        assert starts(server) == [0, 0]
    server.cut, server.asked = [100_000], []
    fetched(server, tmp_path)  # the digest will tell
    assert starts(server) == [0, 100_000]


def test_a_file_that_changed_in_between_starts_again(server, tmp_path):
    server.cut = [100_000] + [0] * (downloading.ATTEMPTS - 1)
    with pytest.raises(Unreachable):
        fetched(server, tmp_path, sha256="")
    server.content, server.etag = FILE[::-1], '"two"'
    fetched(server, tmp_path, sha256="")


def test_what_was_there_of_another_file_is_thrown_away(server, tmp_path):
    server.etag = ""  # the server cannot tell that it changed
    server.content, server.cut = FILE[::-1], [100_000] + [0] * (downloading.ATTEMPTS - 1)
    with pytest.raises(Unreachable):
        fetched(server, tmp_path)
    server.content, server.asked = FILE, []
    fetched(server, tmp_path)
    assert starts(server) == [100_000, 0]


def test_without_a_length_the_digest_tells(server, tmp_path):
    server.length = False
    fetched(server, tmp_path)


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"size": 5}, {"sha256": "", "size": 5}])
def test_another_file_is_not_kept(server, tmp_path, wrong):
    with pytest.raises(WeightsError, match="expected"):
        fetched(server, tmp_path, **wrong)
    assert list((tmp_path / "d").iterdir()) == []


def test_a_file_killed_between_its_last_byte_and_its_name(server, tmp_path):
    part = tmp_path / "d" / "net.bin.part"
    part.parent.mkdir()
    part.write_bytes(FILE)
    note = {"url": server.url(), "version": '"one"', "size": len(FILE)}
    part.with_name("net.bin.part.json").write_text(json.dumps(note))
    fetched(server, tmp_path)
    assert server.asked == []


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"url": 3}', '{"url": "x", "version": "y"}'])
def test_a_note_that_says_nothing(server, tmp_path, note):
    part = tmp_path / "d" / "net.bin.part"
    part.parent.mkdir()
    part.write_bytes(b"something else")
    part.with_name("net.bin.part.json").write_text(note)
    fetched(server, tmp_path, sha256="")
    assert starts(server) == [0]


def test_servers_in_trouble_are_asked_again(server, tmp_path):
    server.answers = [(503, {}), (429, {})]
    fetched(server, tmp_path)
    server.answers = [(404, {})]
    with pytest.raises(Unreachable, match="answers 404"):
        fetched(server, tmp_path / "again")
    assert not list((tmp_path / "again" / "d").iterdir())


def test_redirects_are_followed_as_far_as_allowed(server, tmp_path):
    server.answers = [(302, {"Location": server.url("elsewhere")})]
    fetched(server, tmp_path)
    assert [path for path, _, _ in server.asked] == ["/net.bin", "/elsewhere"]
    for where in ("file:///etc/passwd", "ftp://127.0.0.1/x", "http://example.org/x", "data:,x"):
        server.answers = [(302, {"Location": where})]
        with pytest.raises(Unreachable):
            fetched(server, tmp_path / "again")
    server.answers = [(302, {"Location": server.url()})] * 50
    with pytest.raises(Unreachable, match="302"):
        fetched(server, tmp_path / "again")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://a/b",
        "gs://a/b.pb",
        "http://a.org/b",
        "https://",
        "x",
        "",
        "http://[",
    ],
)
def test_addresses_that_are_never_opened(url, tmp_path):
    with pytest.raises(Unreachable):
        download(WeightsSource("A source", url), tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_plain_http_is_a_choice():
    check_address("http://a.org/b", True)
    check_address("https://a.org/b", False)
    assert "gsutil" in reason_not_fetched(WeightsSource("", "gs://a/b.pb"))
    assert reason_not_fetched(WeightsSource("", "http://a.org/b.pb"))
    assert not reason_not_fetched(WeightsSource("", "http://a.org/b.pb", sha256=SHA))
    assert "of a page" in reason_not_fetched(WeightsSource("", "https://github.com/a/b"))
    assert reason_not_fetched(WeightsSource("")) == "it has no address"
    assert file_name("https://a/b/..%2f.x y.pb?download=1") == "_2f.x_y.pb"


def test_no_room(server, tmp_path, monkeypatch):
    full = type("Usage", (), {"free": 400_000})
    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda path: full)
    with pytest.raises(Unavailable, match="has room for 0 MB"):
        fetched(server, tmp_path)


def test_a_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "d").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="cannot write"):
        fetched(server, tmp_path)


def test_two_at_once(server, tmp_path):
    other = downloading._PartialFile(tmp_path / "d" / "net.bin", server.url())
    other.path.parent.mkdir()
    with other.alone(), pytest.raises(Conflict, match="another process"):
        fetched(server, tmp_path)
    fetched(server, tmp_path)


# A model's weights


def convert(given):
    return {"weight": given.take("theirs/w"), "bias": given.take("theirs/b")}


@pytest.fixture
def tiny(no_weights, monkeypatch, server, tmp_path):
    """A model whose original file the server gives, and the values in it."""
    values = {"theirs/w": torch.randn(2, 3), "theirs/b": torch.randn(2)}
    np.savez(tmp_path / "original.npz", **{n: t.numpy() for n, t in values.items()})
    server.content = (tmp_path / "original.npz").read_bytes()
    sha = hashlib.sha256(server.content).hexdigest()
    card = ModelCard(
        id="tiny",
        title="Tiny",
        summary="",
        build=lambda: torch.nn.Linear(3, 2),
        preprocessing=Preprocessing(size=8, resize=8),
        sources=(WeightsSource("The original", server.url("original.npz"), sha),),
        conversions=(Conversion("npz", convert, "theirs/w"),),
    )

    def known(**changes):
        changed = replace(card, **changes)
        monkeypatch.setitem(registry._cards, "tiny", changed)
        return changed

    known()
    return known, values


def test_fetched_weights_are_converted_and_the_original_deleted(tiny, no_weights):
    _, values = tiny
    found = fetch_weights("tiny")
    assert (found.form, found.source.title, found.original) == ("npz", "The original", None)
    assert found.path == no_weights / "tiny.safetensors"
    assert [p for p in no_weights.rglob("*") if p.is_file()] == [found.path]
    assert torch.equal(load("tiny").module.weight, values["theirs/w"])


def test_what_is_here_is_not_fetched_again(tiny, server):
    fetch_weights("tiny")
    again = fetch_weights("tiny")
    assert (again.source, len(server.asked)) == (None, 1)


def test_the_original_can_be_kept_and_is_used_again(tiny, server):
    found = fetch_weights("tiny", keep=True)
    assert found.original.read_bytes() == server.content
    found.path.unlink()
    fetch_weights("tiny")
    assert len(server.asked) == 1
    assert not found.original.exists()


def test_what_killed_fetches_left_goes(tiny, server, no_weights):
    """Killed after the import; and of a source that broke off, where another one gave the file."""
    known, _ = tiny
    card = known()
    fetch_weights("tiny")
    coming = no_weights / "downloads" / ".tiny"
    for name in ("original.npz", "original.npz.part", "original.npz.part.json"):
        coming.mkdir(parents=True, exist_ok=True)
        (coming / name).write_bytes(b"half")
    assert fetch_weights("tiny").source is None
    assert not coming.exists()
    (no_weights / "tiny.safetensors").unlink()
    cut = WeightsSource("Cut", server.url("cut.npz"), sha256="0" * 64)
    known(sources=(cut, *card.sources))
    server.cut = [9] * 5
    assert fetch_weights("tiny", pause=0).source.title == "The original"
    assert [p.name for p in no_weights.rglob("*") if p.is_file()] == ["tiny.safetensors"]


def test_sources_are_tried_in_turn(tiny, server):
    known, _ = tiny
    card = known()
    others = (
        WeightsSource("No address"),
        WeightsSource("A bucket", "gs://bucket/x.pb"),
        WeightsSource("Gone", "http://127.0.0.1:9/x.npz"),
        WeightsSource("Another file", server.url("x.npz"), sha256="0" * 64),
    )
    known(sources=(*others, *card.sources))
    assert fetch_weights("tiny", pause=0.01).source.title == "The original"
    assert [path for path, _, _ in server.asked] == ["/x.npz", "/original.npz"]


def test_where_nothing_can_be_fetched_one_message_says_what_to_do(tiny, no_weights):
    known, _ = tiny
    sources = (
        WeightsSource("Gone", "http://127.0.0.1:9/net.caffemodel"),
        WeightsSource("A bucket", "gs://bucket/x.pb"),
    )
    known(sources=sources)
    with pytest.raises(Unavailable) as caught:
        fetch_weights("tiny", pause=0.01)
    message = str(caught.value)
    for part in (
        "Gone: cannot reach 127.0.0.1 (Connection refused)",
        "A bucket: gs:// addresses need",
        "download http://127.0.0.1:9/net.caffemodel or gs://bucket/x.pb",
        "`micrograph weights import tiny net.caffemodel`",
    ):
        assert part in message
    assert "\n" not in message
    known(sources=())
    with pytest.raises(Unavailable, match=r"names no source.*put tiny\.safetensors into"):
        fetch_weights("tiny")


def test_a_file_of_another_model_is_not_imported_but_stays(tiny, server, no_weights):
    known, _ = tiny
    known(conversions=(), digest="")
    with pytest.raises(Unavailable, match="is not for tiny"):
        fetch_weights("tiny")
    assert not (no_weights / "tiny.safetensors").exists()


def test_weights_that_were_never_released(tiny):
    known, _ = tiny
    known(unreleased="the authors kept them")
    for ask in (fetch_weights, load):
        with pytest.raises(Unavailable, match="tiny has no weights: the authors kept them"):
            ask("tiny")


def test_extra_files_come_along(tiny, server, no_weights):
    known, _ = tiny
    data = server.content
    digest = hashlib.sha256(data).hexdigest()
    extra = WeightsSource("A list", server.url("words.txt"), digest, size=len(data))
    known(extras=(extra,))
    assert fetch_weights("tiny").extras == (no_weights / "words.txt",)
    assert (no_weights / "words.txt").read_bytes() == data
    assert fetch_weights("tiny").extras == ()
    (no_weights / "words.txt").unlink()
    known(extras=(replace(extra, sha256="0" * 64),))
    with pytest.raises(Unavailable, match=r"the weights of tiny are here, but not words\.txt"):
        fetch_weights("tiny")
    assert store.status(registry.card("tiny")).path is not None
