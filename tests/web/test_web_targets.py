"""Addresses as objects: read, written again, and made into pages without HTTP."""

import json
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_client import Client

from micrograph.atlas import Library
from micrograph.errors import BadInput, NotFound
from micrograph.parts.urls import Urls
from micrograph.web.build import PAGES, build
from micrograph.web.context import Context
from micrograph.web.live import Live
from micrograph.web.pages.node_view import OBJECTIVES, SIGNS, SIZES, NodeView
from micrograph.web.pages.sort import SORTS
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.redirects import Redirect
from micrograph.web.site import Site
from micrograph.web.target import Target
from micrograph.web.targets import (
    TARGETS,
    AboutTarget,
    ClaimsTarget,
    ClaimTarget,
    CompareTarget,
    ModelTarget,
    NodeTarget,
    SearchTarget,
    StartTarget,
    UnitTarget,
    parse,
)
from micrograph.web.writers import to_html, to_json

NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,8}", fullmatch=True).filter(
    lambda name: not name.endswith(".json")
)
WORDS = st.text(max_size=12)
CLAIMS = ("m/a/0=-b/1", "m/a.json/1=b.json/2", "M-1/a/3=b.c/7:below+x-y/2-z/3")
VIEWS = st.builds(
    NodeView,
    objective=st.sampled_from([*OBJECTIVES]),
    sign=st.sampled_from([*SIGNS]),
    sort=st.sampled_from([*SORTS]),
    size=st.sampled_from([*SIZES]),
    lens=st.sampled_from(["feature_vis", "tuning", "unit_map"]),
    variant=WORDS,
)
SOME = st.one_of(
    st.builds(SearchTarget, q=WORDS, twin=st.booleans()),
    st.builds(CompareTarget, here=WORDS, there=WORDS, twin=st.booleans()),
    st.builds(ClaimsTarget, text=WORDS, twin=st.booleans()),
    st.builds(
        ClaimTarget,
        claim=st.sampled_from(CLAIMS),
        twin=st.booleans(),
    ),
    st.builds(ModelTarget, model=NAMES, lens=WORDS, picture=WORDS, open=WORDS, twin=st.booleans()),
    st.builds(NodeTarget, model=NAMES, node=NAMES, view=VIEWS, picture=WORDS, twin=st.booleans()),
    st.builds(UnitTarget, model=NAMES, node=NAMES, unit=NAMES, dataset=WORDS, twin=st.booleans()),
)


def read(url: str) -> Target:
    path, _, query = url.partition("?")
    return parse(path, query)


@given(SOME)
def test_a_target_is_read_from_its_own_url(target: Target) -> None:
    assert read(target.url) == target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/", StartTarget()),
        ("/.json", StartTarget(twin=True)),
        ("/about.json", AboutTarget(twin=True)),
        ("/models/toytown.json?open=all", ModelTarget(model="toytown", open="all", twin=True)),
        ("/models/m/n?sort=weak&x=1", NodeTarget(model="m", node="n", view=NodeView(sort="weak"))),
        ("/models/m/n/007?dataset=a+b", UnitTarget(model="m", node="n", unit="007", dataset="a b")),
        ("/search?q=a&q=b", SearchTarget(q="b")),
    ],
)
def test_what_addresses_mean(url: str, target: Target) -> None:
    assert read(url) == target


def test_options_as_usual_are_left_out() -> None:
    assert read("/models/m/n?sort=unit&size=s&lens=feature_vis").url == "/models/m/n?size=s"
    assert read("/models/m?lens=units&picture=").url == "/models/m"


@pytest.mark.parametrize("path", ["/nowhere", "/models/m/n/1/2", "/models//n", "", "models"])
def test_paths_of_no_page(path: str) -> None:
    with pytest.raises(NotFound, match="there is no page"):
        parse(path)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("/compare?here=a", "there: Field required"),
        ("/search?q=" + "x" * 501, "at most 500"),
        ("/compare?here=a&there=" + "x" * 201, "at most 200"),
        ("/models/m/n?sort=best", "sort='best' is not understood"),
        ("/models/m/n?lens=attribution", "lens='attribution' is not understood"),
    ],
)
def test_options_that_cannot_be(url: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read(url)


def test_every_target_has_one_handler_that_makes_its_kind_of_page() -> None:
    assert [route.target for route in PAGES] == list(TARGETS)
    for route in PAGES:
        hints = get_type_hints(route.handler)
        assert hints["target"] is route.target
        assert route.page in (hints["return"], *getattr(hints["return"], "__args__", ()))


@pytest.fixture(scope="module")
def context(folder: Path) -> Context:
    urls = Urls("v")
    site = Site(Library([folder]), Live(None, urls), urls, "1", PictureQuestions())
    return Context(site, "http://site")


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/models",
        "/about",
        "/search?q=zzz",
        "/models/tinynet?lens=units",
        "/models/tinynet/mixed1a?sort=strong",
        "/models/tinynet/mixed1a/3",
    ],
)
def test_a_page_is_built_and_written_without_http(
    context: Context, client: Client, url: str
) -> None:
    path, mark, query = url.partition("?")
    page = build(context, read(url))
    assert not isinstance(page, Redirect)
    served = client.get(path + ".json" + mark + query).json()
    written = json.loads(to_json(page))
    if url == "/about":
        served.pop("version")
        assert written.pop("version") == "1"
    assert written == served
    assert to_html(context, page, url).startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("url", "there", "status"),
    [
        ("/models/TinyNet/1a?sort=weak&x=1", "/models/tinynet/mixed1a?sort=weak&x=1", 307),
        ("/models/tinynet/1a/003.json", "/models/tinynet/mixed1a/3.json", 307),
        ("/models/tinynet/1a:3", "/models/tinynet/mixed1a/3", 307),
        (
            "/models/tinynet/mixed1a_0/3?models.op.technique=feature_vis",
            "/models/tinynet/mixed1a/3#feature_vis",
            307,
        ),
        ("/search?q=tinynet/conv0", "/models/tinynet/conv0", 303),
    ],
)
def test_where_a_page_is_instead(context: Context, url: str, there: str, status: int) -> None:
    assert build(context, read(url)) == Redirect(there, status)


def test_the_twin_of_a_search_is_no_redirect(context: Context) -> None:
    assert not isinstance(build(context, read("/search.json?q=tinynet/conv0")), Redirect)
