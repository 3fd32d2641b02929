"""Requests of readers and caches that have an answer: each encoding of it has a tag of its own."""

import pytest

from micrograph.web.conditional import accepts_gzip, is_known

PAGES = ["/", "/models/tinynet", "/models/tinynet/wide", "/models/tinynet/wide.json", "/about"]
TAKEN = ["identity", "gzip", "br", "gzip, deflate, br", "gzip;q=0", "*;q=0.5", ""]


@pytest.mark.parametrize("path", PAGES)
def test_each_encoding_has_its_own_tag_and_is_not_sent_twice(client, path):
    """As a cache sees it that keeps answers by the encodings that were taken."""
    tags: dict[str, str] = {}
    bodies: dict[str, bytes] = {}
    for taken in TAKEN:
        first = client.get(path, accept_encoding=taken)
        coded = first.headers.get("content-encoding", "identity")
        assert coded == (
            "gzip" if taken in ("gzip", "gzip, deflate, br", "*;q=0.5") else "identity"
        )
        assert first.headers["vary"].lower() == "accept-encoding"
        tag = first.headers["etag"]
        assert tags.setdefault(coded, tag) == tag, "the same bytes, another tag"
        bodies.setdefault(coded, first.content)
        for had in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = client.get(path, accept_encoding=taken, if_none_match=had)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
            assert again.headers["vary"] == first.headers["vary"]
        for had in ('"other"', tag.strip('"'), tag[:-2] + '"', ""):
            assert client.get(path, accept_encoding=taken, if_none_match=had).status_code == 200
    assert len(set(tags.values())) == len(tags) == 2, "a page is sent in two encodings"
    assert bodies["gzip"] == bodies["identity"], "httpx unpacks: the same page"
    for taken, coded in (("gzip", "identity"), ("identity", "gzip")):
        other = client.get(path, accept_encoding=taken, if_none_match=tags[coded])
        assert other.status_code == 200, "the bytes that the reader has are not those it takes now"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip;q=0.001", True),
        ("gzip ; q=0", False),
        ("gzip;q=0.000, *", False),
        ("*", True),
        ("*;q=0", False),
        ("gzipped", False),
        ("br;q=1.0, identity", False),
        ("gzip;q=many", False),
        ("", False),
        (",;,q=", False),
    ],
)
def test_what_may_be_compressed(said, answer):
    assert accepts_gzip(said) is answer


def test_tags_are_compared_whole():
    assert is_known('"a", W/"b-gzip" ,"c"', '"b-gzip"')
    assert not is_known('"xa"', '"a"')
    assert not is_known('"a-gzip"', '"a"')
    assert not is_known("a", '"a"')
    assert is_known(" * ", '"a"')
