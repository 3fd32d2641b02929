"""Under a path of another site: no link leaves it, and proxies say what the reader sees."""

import re
from collections import Counter

import httpx
import pytest
from crawling import asking, crawl
from starlette.applications import Starlette
from starlette.routing import Mount
from web_client import Client

from micrograph.atlas import Library, bundled_catalogue, bundled_gallery
from micrograph.errors import BadInput
from micrograph.web import create_app
from micrograph.web.proxies import Proxies

PREFIX = "/lab/micrograph"


def pages(path: str) -> bool:
    """All that is read: of a page with options one at a time, of a list of units the first, of each
    node some units, and few of the pictures."""
    if "%2C" in path:
        return False
    if re.match(r"/images/[^/]+/(?!0)|/models/[^/]+/wide[?.]", path):
        return False
    plain, _, query = path.partition("?")
    parts = plain.removesuffix(".json").split("/")
    many = len(parts) == 5 and parts[1] == "models" and parts[4] not in ("0", "7")
    asks = ("map", "look", "render", "on-picture", "compare")  # of a picture, of two models
    return not many and "&" not in query and parts[-1] not in asks


class Few:
    """As `pages`, but of each model at most `most` nodes with each option: there are thousands of
    nodes, and their options are the same."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._met: Counter[tuple[str, str]] = Counter()

    def __call__(self, path: str) -> bool:
        plain, _, query = path.partition("?")
        parts = plain.split("/")
        if not pages(path) or len(parts) != 4 or parts[1] != "models" or not query:
            return pages(path)
        option = (parts[2], query.partition("=")[0])
        self._met[option] += 1
        return self._met[option] <= self._most


@pytest.fixture(scope="module")
def under(folder):
    return Client(create_app(Library([folder]), proxies=Proxies("127.0.0.1", PREFIX)))


def test_no_link_of_a_small_site_leaves_the_prefix(under):
    with asking(under.app) as get:
        found = crawl(get, PREFIX + "/", PREFIX, pages)
    assert len(found) > 150
    for part in ("/static/", "/images/tinynet/", "/openapi.json", "/models/tinynet/conv0/0.json"):
        assert any(part in one for one in found)


def test_no_link_leaves_the_place_within_another_application(lensed):
    def without_options(url: str) -> bool:
        return "?" not in url and pages(url)

    with asking(Starlette(routes=[Mount(PREFIX, lensed.app)])) as get:
        assert len(crawl(get, PREFIX + "/", PREFIX, without_options)) > 50


@pytest.fixture(scope="module")
def demo():
    """What `micrograph demo` begins with."""
    library = Library([bundled_gallery()], bundled_catalogue())
    return Client(create_app(library, proxies=Proxies("", PREFIX)))


def test_no_link_of_the_demo_leaves_the_prefix(demo):
    with asking(demo.app) as get:
        for path in ("/", "/models", "/about", "/search?q=dog", "/models/toytown_vit"):
            crawl(get, PREFIX + path, PREFIX, lambda url: url.endswith(".json"))


@pytest.mark.nightly
def test_no_link_of_the_whole_demo_leaves_the_prefix(demo):
    with asking(demo.app) as get:
        assert len(crawl(get, PREFIX + "/", PREFIX, Few(40))) > 5000


@pytest.mark.parametrize("cut", [True, False], ids=["cut off by the proxy", "left"])
def test_pages_are_the_same_whether_or_not_a_proxy_cuts_the_prefix_off(under, cut):
    path = "/models/tinynet/conv0/1"
    answer = under.get(path if cut else PREFIX + path)
    assert answer.status_code == 200
    assert answer.content == under.get(PREFIX + path).content
    assert f'href="{PREFIX}/models/tinynet/conv0"' in answer.text


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/models/tinynet/1a/3?x=1", "/models/tinynet/mixed1a/3?x=1"),
        ("/models/TinyNet.json", "/models/tinynet.json"),
        ("/search?q=1a:3", "/models/tinynet/mixed1a/3"),
        ("/models/tinynet/", "/models/tinynet"),
        ("/search?q=http://site" + PREFIX + "/models/tinynet/conv0/2", "/models/tinynet/conv0/2"),
        ("/search?q=" + PREFIX + "/models/tinynet/conv0/2", "/models/tinynet/conv0/2"),
    ],
)
def test_redirects_stay_under_the_prefix(under, asked, leads_to):
    answer = under.get(PREFIX + asked)
    assert answer.status_code in (303, 307)
    assert httpx.URL(answer.headers["location"]).raw_path.decode() == PREFIX + leads_to


def test_the_prefix_alone_leads_to_the_start(under):
    answer = under.get(PREFIX)
    assert answer.is_redirect
    assert httpx.URL(answer.headers["location"]).path == PREFIX + "/"


def test_what_programs_are_told_has_the_prefix(under):
    assert under.get(PREFIX + "/openapi.json").json()["servers"] == [{"url": PREFIX}]
    told = under.get(PREFIX + "/resolve?q=tinynet/conv0/2").json()
    assert (told["address"], told["url"]) == ("tinynet/conv0/2", PREFIX + "/models/tinynet/conv0/2")
    unit = under.get(PREFIX + "/models/tinynet/conv0/1.json").json()
    assert unit["render"]["url"] == PREFIX + "/models/tinynet/conv0/1/render"
    near = under.get(PREFIX + "/models/tinynte.json").json()
    assert near["nearest"][0]["url"] == PREFIX + "/models/tinynet"


def link_of(answer: httpx.Response) -> str:
    """The permanent link that a unit's page offers to copy."""
    return next(c["text"] for c in answer.json()["citations"] if c["name"] == "Link")


UNIT = "/models/tinynet/conv0/1.json"
FORWARDED = {
    "x-forwarded-proto": "https",
    "x-forwarded-host": "lab.example",
    "x-forwarded-prefix": "/mg",
    "x-forwarded-for": "203.0.113.7",
}


def ask(folder, headers, trusted, prefix="", path=UNIT):
    app = create_app(Library([folder]), proxies=Proxies(trusted, prefix))
    return Client(app).ask("GET", path, headers)


@pytest.mark.parametrize(
    ("more", "trusted", "prefix", "link"),
    [
        ({}, "127.0.0.1", "", "https://lab.example/mg/models/tinynet/conv0/1"),
        ({}, "10.0.0.1, 127.0.0.0/8", "", "https://lab.example/mg/models/tinynet/conv0/1"),
        ({}, "*", "/set", "https://lab.example/set/models/tinynet/conv0/1"),
        ({}, "10.0.0.1", "", "http://site/models/tinynet/conv0/1"),
        ({}, "", "/set", "http://site/set/models/tinynet/conv0/1"),
        (
            {"x-forwarded-host": "evil.example, lab.example:8443"},  # the proxy appends
            "127.0.0.1",
            "",
            "https://lab.example:8443/mg/models/tinynet/conv0/1",
        ),
        (
            {"x-forwarded-prefix": "", "x-forwarded-proto": "http"},
            "127.0.0.1",
            "",
            "http://lab.example/models/tinynet/conv0/1",
        ),
    ],
)
def test_links_are_those_that_the_reader_sees(folder, more, trusted, prefix, link):
    answer = ask(folder, FORWARDED | more, trusted, prefix)
    assert link_of(answer) == link
    here = re.sub(r"https?://[^/]+|/models.*", "", link)
    assert answer.json()["model"]["url"] == here + "/models/tinynet"


def test_pages_of_several_prefixes_are_kept_apart(folder):
    client = Client(create_app(Library([folder]), proxies=Proxies("*")))
    seen = {}
    for prefix in ["/a", "/b", "", "/a", "/c", "/d", "/e", "/f", "/a", ""]:
        answer = client.ask("GET", "/models", {"x-forwarded-prefix": prefix})
        assert f'href="{prefix}/models/tinynet"' in answer.text
        assert seen.setdefault(prefix, answer.headers["etag"]) == answer.headers["etag"]
    assert len(set(seen.values())) == len(seen)


@pytest.mark.parametrize("said", ["/a b", "//evil.example", "/../x", "/models", "evil", '/"><b>'])
def test_a_prefix_that_no_proxy_would_say_is_refused(folder, said):
    answer = ask(folder, FORWARDED | {"x-forwarded-prefix": said}, "127.0.0.1", path="/models")
    assert answer.status_code == 400
    assert answer.text.count("\n") == 1
    assert "<b>" not in answer.headers.get("content-type", "")


@pytest.mark.parametrize("given", ["lab", "/a//b", "/..", "/a b", "/models/x", "/static", "/about"])
def test_a_root_path_that_cannot_be(given):
    with pytest.raises(BadInput, match="--root-path"):
        Proxies(prefix=given)


@pytest.mark.parametrize("given", ["/", "", "/micrograph/", "/a/b.c/~d"])
def test_a_root_path_that_can(given):
    assert Proxies(prefix=given).prefix == given.rstrip("/")


@pytest.mark.parametrize("given", ["lab.example", "1.2.3", "10.0.0.0/40", "*, 1.2.3.4"])
def test_a_proxy_that_has_no_address(given):
    with pytest.raises(BadInput, match="--forwarded-allow-ips"):
        Proxies(given)


MAP = "/models/tinynet/conv0/1/map?dataset=x&number=0"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://lab.example", 400),  # let through: the dataset is no digest
        ("https://lab.example:443", 400),
        ("https://site", 403),
        ("https://evil.example", 403),
        ("https://lab.example:8443", 403),
    ],
)
def test_an_origin_is_judged_by_the_name_that_the_reader_sees(folder, origin, status):
    answer = ask(folder, FORWARDED | {"origin": origin}, "127.0.0.1", path=MAP)
    assert answer.status_code == status


def loopback(headers: dict[str, str], hosts: tuple[str, ...] = ()) -> int:
    """The status of a request that came to this machine's own address."""
    client = Client(create_app(Library([]), hosts=hosts, proxies=Proxies("127.0.0.1")))
    inner = client.app

    async def app(scope, receive, send):
        await inner({**scope, "server": ("127.0.0.1", 8000)}, receive, send)

    return Client(app).ask("GET", "/about", headers).status_code


def test_over_loopback_both_names_have_to_be_known():
    lab = {"host": "lab.example"}
    assert loopback({"host": "localhost"}) == 200
    assert loopback(lab) == 403
    assert loopback(lab, ("lab.example",)) == 200
    seen = {"x-forwarded-host": "lab.example"}
    assert loopback({"host": "127.0.0.1:8000", **seen}) == 403
    assert loopback({"host": "127.0.0.1:8000", **seen}, ("lab.example",)) == 200
    # A page of another site, whose name leads here, may say whatever it likes beside its name.
    assert loopback({"host": "evil.example", "x-forwarded-host": "localhost"}) == 403
