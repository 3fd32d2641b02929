"""Redirects, errors, caching and what the site refuses."""

import gzip

import pytest


@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("/models/tinynet/1a", "/models/tinynet/mixed1a"),
        ("/models/tinynet/INCEPTION_1A?sort=weak", "/models/tinynet/mixed1a?sort=weak"),
        ("/models/TinyNet", "/models/tinynet"),
        ("/models/tinynet/1a/3", "/models/tinynet/mixed1a/3"),
        ("/models/tinynet/1a/3.json", "/models/tinynet/mixed1a/3.json"),
        ("/models/tinynet/1a.json?size=s", "/models/tinynet/mixed1a.json?size=s"),
        ("/models/tinynet/mixed1a/007", "/models/tinynet/mixed1a/7"),
        ("/models/tinynet/1a:3", "/models/tinynet/mixed1a/3"),
    ],
)
def test_other_spellings_lead_to_the_canonical_address(client, asked, canonical):
    answer = client.get(asked)
    assert answer.status_code == 307
    assert answer.headers["location"] == canonical
    assert client.get(canonical).status_code == 200


@pytest.mark.parametrize(
    "path", ["/models/", "/models/tinynet/", "/models/tinynet/conv0/", "/models/tinynet/conv0/1/"]
)
def test_trailing_slashes_are_tolerated(client, path):
    answer = client.get(path)
    assert answer.status_code == 307
    assert answer.headers["location"].endswith(path.rstrip("/"))


@pytest.mark.parametrize(
    ("path", "status", "near"),
    [
        ("/models/tinynte", 404, "/models/tinynet"),
        ("/models/tinynet/mixd1a", 404, "/models/tinynet/mixed1a"),
        ("/models/tinynet/conv0/8", 404, "/models/tinynet/conv0/7"),
        ("/models/tinynet/conv0/99999", 404, "/models/tinynet/conv0/7"),
        ("/models/tinynet/conv0/-1", 400, None),
        ("/models/tinynet/conv0/x", 400, None),
        ("/models/tinynet/conv0/1e3", 400, None),
        ("/models/%3Cb%3E", 400, None),
        ("/models/tinynet/conv0?sort=best", 400, None),
        ("/models/tinynet/conv0?size=999", 400, None),
        ("/search?q=" + "x" * 600, 400, None),
        ("/nowhere", 404, None),
        ("/models/tinynet/conv0/1/2/3", 404, None),
    ],
)
def test_errors_are_pages_and_data(client, path, status, near):
    page, mark, query = path.partition("?")
    html, twin = client.get(path), client.get(page + ".json" + mark + query)
    assert html.status_code == twin.status_code == status
    assert html.headers["content-type"].startswith("text/html")
    data = twin.json()
    assert data["status"] == status
    assert data["message"]
    assert "<b>" not in html.text
    if near:
        assert near in [link["url"] for link in data["nearest"]]
        assert f'href="{near}"' in html.text


def test_pictures_are_kept_for_ever(client):
    url = client.get("/models/tinynet/conv0/1.json").json()["visualizations"][0]["image"]
    first = client.get(url)
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = client.get(url, if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


def test_static_files_are_kept_for_ever(client):
    text = client.get("/about").text
    url = text.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = client.get(url)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", ["/models/tinynet/wide", "/models/tinynet/wide.json"])
def test_pages_are_asked_for_again_but_sent_once(client, path):
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(path, if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    packed = client.get(path, accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == client.get(path, accept_encoding="identity").text
    assert len(gzip.compress(packed.content)) < 60_000


@pytest.mark.parametrize(
    "path",
    [
        "/images/tinynet/../../etc/passwd",
        "/images/tinynet/..%2f..%2ftinynet.atlas",
        "/images/tinynet/" + "0" * 32 + ".png",
        "/images/tinynet/" + "0" * 32 + ".exe",
        "/images/nomodel/" + "0" * 32 + ".png",
        "/static/x/../../app.py",
        "/static/%2e%2e/app.py",
    ],
)
def test_nothing_but_pictures_and_own_files_is_served(client, path):
    assert client.get(path).status_code == 404


def test_a_picture_has_one_name(client):
    url = client.get("/models/tinynet/conv0/1.json").json()["visualizations"][0]["image"]
    assert client.get(url.replace(".png", ".webp")).status_code == 404


@pytest.mark.parametrize("path", ["/", "/nowhere", "/models.json", "/models/tinynet/1a"])
def test_every_answer_is_guarded(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_pages_are_only_read(client, method):
    for path in ("/", "/models/tinynet/conv0/1", "/models/tinynet/conv0/1.json"):
        answer = client.ask(method, path)
        assert answer.status_code == 405
        assert answer.headers["allow"]
    twin = client.ask(method, "/models/tinynet/conv0/1.json").json()
    assert twin["message"] == f"{method} does nothing at this address; it answers GET"


@pytest.mark.parametrize("path", ["/", "/models/tinynet/conv0/1.json", "/models/tinynet/1a", "/no"])
def test_head_is_get_without_a_body(client, path):
    asked, got = client.ask("HEAD", path), client.get(path)
    assert (asked.status_code, asked.headers) == (got.status_code, got.headers)
    assert asked.content == b""


@pytest.mark.parametrize(
    "path",
    [
        "/models/{}",
        "/models/tinynet/{}",
        "/models/tinynet/conv0/{}",
        "/{}",
        "/images/tinynet/{}",
        "/models/tinynet/conv0.json?sort={}",
    ],
)
def test_of_what_is_absurdly_long_the_beginning_is_told(client, path):
    answer = client.get(path.format("x" * 5000))
    assert answer.status_code in (400, 404)
    assert len(answer.text.split("<main", 1)[-1]) < 3000


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("1a:3", "/models/tinynet/mixed1a/3"),
        ("tinynet/conv0", "/models/tinynet/conv0"),
        ("tinynet", "/models/tinynet"),
        ("tinynet conv0:2", "/models/tinynet/conv0/2"),
    ],
)
def test_search_goes_straight_to_an_address(client, text, url):
    answer = client.ask("GET", "/search?q=" + text.replace(" ", "+"))
    assert (answer.status_code, answer.headers["location"]) == (303, url)
    assert client.get("/search.json?q=" + text).json()["hits"][0]["url"] == url


def test_search_finds_classes(client):
    hits = client.get("/search.json?q=wild").json()["hits"]
    assert ("wild cat", "/models/tinynet/logits/2") in [(h["text"], h["url"]) for h in hits]


@pytest.mark.parametrize("text", ["", "conv0:99", '"', "a* OR (b", "%00", "💥", "../.."])
def test_search_survives_anything(client, text):
    assert client.get("/search.json?q=" + text).status_code == 200
    assert client.get("/search?q=" + text).status_code == 200
