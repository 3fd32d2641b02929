"""A shared link: its picture, what its head says, and what oEmbed answers."""

from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from html_document import Document
from PIL import Image
from web_client import Client

from micrograph.atlas import Library
from micrograph.errors import BadInput
from micrograph.web import create_app
from micrograph.web.proxies import Proxies
from micrograph.web.share_card import HEIGHT, WIDTH, ShareCard, drawn

PAGES = [
    "/models/tinynet",
    "/models/tinynet/mixed1a",
    "/models/tinynet/conv0/1",
    "/compare?here=tinynet&there=tinynet",
    "/claims/tinynet/mixed1a/1=conv0/2",
]


def picture_of(client: Client, page: str) -> Image.Image:
    path, mark, query = page.partition("?")
    answer = client.get(f"{path}.preview.jpg{mark}{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    return Image.open(BytesIO(answer.content))


def metas(client: Client, page: str) -> dict[str, str]:
    found = Document(client.get(page).text).all("meta")
    return {
        str(one.get("property") or one.get("name")): str(one["content"])
        for one in found
        if "content" in one
    }


def path_of(address: str) -> str:
    return "/" + address.split("/", 3)[3]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_something_has_its_picture_and_names_it(client: Client, page: str) -> None:
    picture = picture_of(client, page)
    assert (picture.format, picture.size) == ("JPEG", (WIDTH, HEIGHT))
    said = metas(client, page)
    assert said["twitter:card"] == "summary_large_image"
    there = client.get(path_of(said["og:image"]))
    assert Image.open(BytesIO(there.content)).tobytes() == picture.tobytes()
    assert (said["og:image:width"], said["og:image:height"]) == (str(WIDTH), str(HEIGHT))


def test_the_portrait_of_a_unit_is_the_stored_picture(client: Client) -> None:
    twin = client.get("/models/tinynet/conv0/1.json").json()
    stored = next(v["image"] for v in twin["visualizations"] if v["image"])
    expected = Image.open(BytesIO(client.get(stored).content)).convert("RGB").resize((8, 8))
    shown = picture_of(client, "/models/tinynet/conv0/1").crop((0, 0, HEIGHT, HEIGHT))
    a, b = (list(one.resize((8, 8)).tobytes()) for one in (expected, shown))
    assert sum(abs(x - y) for x, y in zip(a, b, strict=True)) / len(a) < 12


@pytest.mark.parametrize("page", ["/", "/models", "/about", "/claims", "/search?q=x"])
def test_other_pages_say_their_one_address_alone(client: Client, page: str) -> None:
    said = metas(client, page)
    assert "og:image" not in said
    assert said["og:url"].partition("?")[0].endswith(page.partition("?")[0])
    assert client.get(page.partition("?")[0] + ".preview.jpg").status_code == 404


def test_what_a_query_only_shows_otherwise_has_one_address(client: Client) -> None:
    said = metas(client, "/models/tinynet/mixed1a?sort=strong")
    assert said["og:url"].endswith("/models/tinynet/mixed1a")


def test_an_error_has_none(client: Client) -> None:
    answer = client.get("/models/nonesuch")
    assert answer.status_code == 404
    assert "og:" not in answer.text
    assert "canonical" not in answer.text
    assert client.get("/models/nonesuch.preview.jpg").status_code == 404
    assert client.get("/models/tinynet/conv0/99.preview.jpg").status_code == 404
    assert client.get("/models/tinynet/conv0/1.json.preview.jpg").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_oembed_gives_the_figure(client: Client, page: str) -> None:
    links = Document(client.get(page).text).all("link")
    link = next(one["href"] for one in links if one.get("type") == "application/json+oembed")
    found = client.get(path_of(str(link))).json()
    assert (found["version"], found["type"]) == ("1.0", "rich")
    assert (found["width"], found["height"]) == (WIDTH, HEIGHT)
    assert found["thumbnail_url"] in found["html"].replace("&amp;", "&")


def embedded(client: Client, url: str, **more: Any) -> Any:
    return client.get("/oembed?" + urlencode({"url": url, **more}))


def origin_of(client: Client) -> str:
    return metas(client, "/models/tinynet")["og:url"].removesuffix("/models/tinynet")


def test_the_figure_is_as_small_as_is_asked_for(client: Client) -> None:
    url = origin_of(client) + "/models/tinynet/conv0/1"
    found = embedded(client, url, maxwidth=600, maxheight=900).json()
    assert (found["width"], found["height"]) == (600, 315)
    assert 'width="600" height="315"' in found["html"]
    assert embedded(client, url, maxwidth=0).status_code in (400, 422)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://example.org/models/tinynet", 404),
        ("{}/models/nonesuch", 404),
        ("{}/about", 404),
        ("{}/models/tinynet/conv0/1.json", 404),
        ("{}/models/tinynet/conv0/1/live?run=1", 404),
        ("{}nonsense", 404),
        ("http://[", 400),
        ("", 404),
    ],
)
def test_what_is_no_page_with_a_picture_is_refused(client: Client, url: str, status: int) -> None:
    answer = embedded(client, url.replace("{}", origin_of(client)))
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text


def test_other_forms_are_not_written(client: Client) -> None:
    url = origin_of(client) + "/models/tinynet"
    assert embedded(client, url, format="xml").status_code == 501


def test_under_a_prefix_all_addresses_have_it(folder: Path) -> None:
    client = Client(create_app(Library([folder]), proxies=Proxies(prefix="/lab")))
    said = metas(client, "/lab/models/tinynet/conv0/1")
    assert "/lab/models/tinynet/conv0/1.preview.jpg" in said["og:image"]
    assert client.get(path_of(said["og:image"])).headers["content-type"] == "image/jpeg"
    found = client.get("/lab/oembed?" + urlencode({"url": said["og:url"]})).json()
    assert "/lab/models" in found["html"]


@pytest.mark.parametrize("url", ["https://Lab.example:8443", "https://lab.example/micrograph/"])
def test_links_that_last_begin_with_the_public_address(folder: Path, url: str) -> None:
    proxies = Proxies(public_url=url)
    client = Client(create_app(Library([folder]), proxies=proxies))
    site = url.lower().rstrip("/")
    page = f"{proxies.prefix}/models/tinynet/conv0/1"
    said = metas(client, page)
    assert said["og:url"] == f"{site}/models/tinynet/conv0/1"
    assert said["og:image"] == f"{site}/models/tinynet/conv0/1.preview.jpg"
    cited = client.get(page + ".json").json()["citations"]
    assert next(c["text"] for c in cited if c["name"] == "Link") == said["og:url"]
    found = client.get(f"{proxies.prefix}/oembed?" + urlencode({"url": said["og:url"]})).json()
    assert said["og:image"] in found["html"]


@pytest.mark.parametrize(
    "url",
    [
        *(
            "lab.example",
            "ftp://lab.example",
            "https://",
            "https://a b",
            "https://lab.example/?x=1",
        ),
        *("https://me@lab.example", "https://lab.example:port", "https://[", "https://x/models"),
    ],
)
def test_what_is_no_address_of_a_site_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match=r"--(public-url|root-path)"):
        Proxies(public_url=url)


def test_two_paths_are_refused() -> None:
    assert Proxies(prefix="/lab", public_url="https://x.example/lab").prefix == "/lab"
    with pytest.raises(BadInput, match="different paths"):
        Proxies(prefix="/lab", public_url="https://x.example/other")


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 9, 16, 40])
def test_a_card_has_room_for_any_number_of_pictures(count: int) -> None:
    pictures = [Image.new("RGB", (20 + k, 30), (200, 10, 10)) for k in range(count)]
    card = ShareCard("a.very_long.name.of_a_node/" * 9, "犬" * 99, ["word " * 99] * 9, pictures)
    shown = Image.open(BytesIO(drawn(card)))
    assert shown.size == (WIDTH, HEIGHT)
    red = shown.getpixel((HEIGHT // 8, HEIGHT // 8))
    assert isinstance(red, tuple)
    assert (red[0] > 150) == (count > 0)
