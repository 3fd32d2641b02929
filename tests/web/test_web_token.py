"""With a token nothing is shown to those who lack it; read-only nothing is done for anybody."""

import io
from urllib.parse import urlencode

import httpx
import pytest
from PIL import Image
from web_client import Client

from micrograph.atlas import Library
from micrograph.errors import BadInput
from micrograph.web import create_app
from micrograph.web.proxies import Proxies
from micrograph.web.token import COOKIE, Token

SECRET = "correct-horse-battery-staple"
HTML = {"accept": "text/html,*/*"}
PATHS = ("/", "/models.json", "/models/tinynet/conv0/1", "/search?q=cat", "/resolve?q=4c")
PATHS += ("/images/tinynet/" + "0" * 32 + ".png", "/openapi.json", "/nowhere", "/token.json")


@pytest.fixture(scope="module")
def guarded(folder):
    return Client(create_app(Library([folder]), token=Token(SECRET), proxies=Proxies("127.0.0.1")))


def hand_in(client: Client, token: str, **more: str) -> httpx.Response:
    form = {"token": token, "next": "/models"} | more
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": "http://site"} | HTML
    return client.ask("POST", "/token", headers, urlencode(form).encode())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_without_a_token_nothing_is_shown(guarded, path, method):
    answer = guarded.ask(method, path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    if method == "GET":
        assert "Authorization: Bearer" in answer.json()["message"]
        assert "tinynet" not in answer.text


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {SECRET}x",
        f"Basic {SECRET}",
        SECRET,
        f"Bearer {Token(SECRET).cookie}",
        "Bearer \xff\xfe",
    ],
)
def test_what_is_not_the_token_opens_nothing(guarded, header):
    answer = guarded.ask("GET", "/about", {"authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    for cookie in (f"{COOKIE}={SECRET}", f"{COOKIE}=", COOKIE, f"x={Token(SECRET).cookie}", "=;="):
        assert guarded.ask("GET", "/about", {"cookie": cookie}).status_code == 401


def test_the_token_opens_everything_to_programs(guarded):
    headers = {"authorization": f"bearer {SECRET}"}
    assert guarded.ask("GET", "/models.json", headers).json()["models"]
    assert guarded.ask("GET", "/nowhere", headers).status_code == 404


def test_browsers_are_asked_once(guarded):
    asking = guarded.ask("GET", "/models/tinynet?lens=units", HTML)
    assert asking.status_code == 401
    assert 'name="next" value="/models/tinynet?lens=units"' in asking.text
    assert "<input" in asking.text
    given = hand_in(guarded, f" {SECRET}\n", next="/models/tinynet?lens=units")
    assert (given.status_code, given.headers["location"]) == (303, "/models/tinynet?lens=units")
    cookie = given.headers["set-cookie"]
    assert SECRET not in cookie
    for part in ("HttpOnly", "Path=/", "SameSite=lax"):
        assert part in cookie
    assert "Secure" not in cookie
    kept = f"other=1; {cookie.partition(';')[0]}"
    page = guarded.ask("GET", "/models/tinynet", {"cookie": kept})
    assert page.status_code == 200
    assert SECRET not in page.text


def test_what_a_token_opened_is_for_no_shared_cache(guarded):
    bearer = {"authorization": f"Bearer {SECRET}"}
    unit = guarded.ask("GET", "/models/tinynet/conv0/1.json", bearer)
    assert unit.headers["cache-control"] == "private, no-cache"
    picture = guarded.ask("GET", unit.json()["visualizations"][0]["image"], bearer)
    assert picture.headers["cache-control"] == "private, max-age=31536000, immutable"


def test_a_wrong_token_is_told_and_asked_for_again(guarded):
    answer = hand_in(guarded, "x" * 40)
    assert answer.status_code == 401
    assert "That is not the token of this site." in answer.text
    assert "set-cookie" not in answer.headers
    assert "x" * 40 not in answer.text


@pytest.mark.parametrize(
    "next", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "models", "\t//x"]
)
def test_a_token_leads_nowhere_else(guarded, next):
    assert hand_in(guarded, SECRET, next=next).headers["location"] == "/"


def test_tokens_are_taken_from_the_sites_own_page_only(guarded):
    form = urlencode({"token": SECRET}).encode()
    for headers in ({}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert guarded.ask("POST", "/token", headers, form).status_code == 403
    large = guarded.ask("POST", "/token", {"origin": "http://site"}, b"token=" + b"x" * 5000)
    assert large.status_code == 413
    assert guarded.get("/token").status_code == 303


def test_behind_tls_and_under_a_prefix(folder):
    proxies = Proxies("127.0.0.1", "/mg")
    client = Client(create_app(Library([folder]), token=Token(SECRET), proxies=proxies))
    seen = {"x-forwarded-proto": "https", "x-forwarded-host": "lab.example"}
    asking = client.ask("GET", "/mg/models", HTML | seen)
    assert 'action="/mg/token"' in asking.text
    form = urlencode({"token": SECRET, "next": "/mg/models"}).encode()
    given = client.ask("POST", "/mg/token", seen | {"origin": "https://lab.example"}, form)
    assert given.headers["location"] == "/mg/models"
    assert "Path=/mg/" in given.headers["set-cookie"]
    assert "Secure" in given.headers["set-cookie"]
    outside = urlencode({"token": SECRET, "next": "/models"}).encode()
    given = client.ask("POST", "/mg/token", seen | {"origin": "https://lab.example"}, outside)
    assert given.headers["location"] == "/mg/"


def test_health_and_the_sites_own_files_are_open(guarded):
    answer = guarded.get("/health")
    assert answer.json() == {"status": "ok"}
    assert answer.headers["cache-control"] == "no-store"
    sheet = guarded.ask("GET", "/about", HTML).text.split('rel="stylesheet" href="')[1]
    assert guarded.get(sheet.split('"')[0]).status_code == 200


@pytest.mark.parametrize(
    "secret", ["", "short", "x" * 15, "with spaces " * 3, "zwölf" * 5, "a\nb" * 9]
)
def test_a_token_that_is_easy_to_guess_or_cannot_be_sent(secret):
    with pytest.raises(BadInput, match="openssl rand -hex 32"):
        Token(secret)


def test_a_token_is_not_printed():
    assert SECRET not in repr(Token(SECRET)) + str(vars(Token(SECRET)))


def test_read_only_nothing_is_rendered_or_looked_at(folder):
    client = Client(create_app(Library([folder]), writable=folder, read_only=True))
    page = client.get("/models/tinynet/conv0/1.json").json()
    assert not page["render"]["available"]
    assert not page["look"]["available"]
    assert "read-only" in page["render"]["reason"]
    assert "read-only" in page["look"]["reason"]
    own = {"origin": "http://site", "content-type": "application/json"}
    asked = client.ask("POST", page["render"]["url"], own, b"{}")
    assert asked.status_code == 503
    assert "read-only" in asked.json()["message"]
    data = io.BytesIO()
    Image.new("RGB", (32, 32)).save(data, "PNG")
    own["content-type"] = "image/png"
    looked = client.ask("POST", page["look"]["url"], own, data.getvalue())
    assert looked.status_code == 503
    assert "read-only" in looked.json()["message"]
