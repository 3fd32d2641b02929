"""Requests made up at random from what a site has: its own table of routes and the names in its
atlases. Each is the same for the same seed and number."""

import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from asked import Asked
from PIL import Image

from micrograph.atlas import Snapshot

MARK = "<x>"
"""What no page may say as it was sent: a page that does would take a script as well."""
ODD = (
    "",
    " ",
    ".",
    "..",
    "../..",
    "/",
    "//",
    "\\",
    "\0",
    "%",
    "%zz",
    "%00",
    "-1",
    "-0",
    "+1",
    "1.0",
    "1e3",
    "0x1",
    "٣",
    "007",
    "9" * 25,
    str(1 << 31),
    str(1 << 63),
    str(1 << 64),
    "nan",
    "inf",
    "null",
    "true",
    "[]",
    "{}",
    "'",
    '"',
    "';--",
    '" onload="',
    MARK,
    f"{MARK}.json",
    f"\"{MARK}'",
    "javascript:alert(1)",
    "{{7*7}}",
    "${7*7}",
    "%s%n",
    "*",
    "a:b",
    "http://evil.example/",
    "//evil.example",
    "\r\nx-injected: 1",
    "a\tb",
    "ß\u0130ﬀ",
    "\u202e\u2066",
    "\ud7ff\ue000",
    "é",
    "💥",
    "a" * 300,
    "ä" * 3000,
    ".json",
    "x.json.json",
    "nosuch",
    "models.op.technique=feature_vis",
)
RAW = ("%", "%zz", "%ff", "%c0%ae", "%ed%a0%80", "%2e%2e", "%2F", "%00", "%3Cx%3E", "%25", "+", ";")
"""Pieces of addresses that are not encoded again."""
METHODS = ("GET",) * 12 + (
    "HEAD",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "X",
)
HEADERS: dict[str, tuple[str, ...]] = {
    "accept": (
        "*/*",
        "text/html",
        "application/json",
        "application/x-ndjson",
        "image/avif",
        ";",
        "",
    ),
    "accept-encoding": ("gzip", "identity", "br", "gzip;q=0", "*", "identity;q=0", ""),
    "accept-language": ("en", "*", MARK),
    "range": (
        "bytes=0-1",
        "bytes=5-1",
        "bytes=-1",
        "bytes=0-",
        "bytes=x",
        "bytes=0-1,3-4",
        "lines=1",
    ),
    "if-range": ('"x"', "Sat, 28 Nov 2026 22:00:00 GMT"),
    "if-none-match": ("*", '"x"', "W/*", '""', '"' + "0" * 40 + '"', MARK),
    "if-modified-since": ("Sat, 28 Nov 2026 22:00:00 GMT", "x"),
    "host": ("localhost", "127.0.0.1:8000", "[::1]", "evil.example", "[", "", "a b", "@", "ä"),
    "origin": ("http://localhost", "http://evil.example", "null", "http://[", "", "x"),
    "sec-fetch-site": ("same-origin", "cross-site", "none", "same-site", "x"),
    "referer": ("http://evil.example/", MARK),
    "cookie": ("a=b", MARK, "a" * 4000),
    "content-type": (
        "application/json",
        "image/png",
        "image/x",
        "application/octet-stream",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "text/plain",
        "IMAGE/PNG; x=y",
        ";",
        "",
    ),
    "content-length": ("0", "-1", "5", "99999999999", "x", "1_0", "²"),
    "transfer-encoding": ("chunked", "gzip", "x"),
    "expect": ("100-continue", "x"),
    "upgrade": ("websocket", "h2c"),
    "x-forwarded-host": ("evil.example", MARK),
    "x-forwarded-prefix": ("/x", MARK),
    "x-forwarded-proto": ("https", "javascript"),
    "x-http-method-override": ("DELETE",),
}


@dataclass(frozen=True)
class Route:
    """A path with {names}, the methods that it answers, and the options that it reads."""

    path: str
    methods: frozenset[str]
    options: tuple[str, ...]


def routes_of(app: Any) -> list[Route]:
    """The routes of an application, as it has them itself."""
    found = []
    for one in app.routes:
        described = getattr(one, "dependant", None)
        options = tuple(p.name for p in described.query_params) if described else ()
        path = one.path if hasattr(one, "methods") else one.path + "/{file}"
        path = path.replace(":path}", "}")
        found.append(Route(path, frozenset(getattr(one, "methods", {"GET"})), options))
    return found


class Names:
    """What stands in the place of a {name} or of an option: what there is, in any model."""

    def __init__(self, library: Snapshot, routes: Sequence[Route], files: Sequence[str]) -> None:
        self.library = library
        self.known: dict[str, list[str]] = {"file": [*files], "model": [], "node": [], "name": []}
        self.known["unit"] = ["0", "1", "3", "7", "15", "1023", "1024"]
        self.known["dataset"], self.known["variant"] = [], []
        self.known["page"], self.known["number"] = ["1", "2"], ["0", "1", "47"]
        self.known["caricature"] = ["true", "false", "1", "0"]
        self.known["claim"] = [
            f"{id}/{[*reading.nodes][-1]}/0={next(iter(reading.nodes))}/{sources}"
            for id, reading in library.readings.items()
            for sources in ("0", "1-0", "9999", "0:inside")
            if reading.nodes
        ]
        for id, reading in library.readings.items():
            self.known["model"].append(id)
            self.known["node"] += reading.aliases
            self.known["variant"] += {count.variant for count in reading.counts()}
            self.known["dataset"] += [v for d in reading.datasets() for v in (d.name, d.digest)]
            for node in list(reading.nodes)[:8]:
                for tile in reading.tiles(node, "feature_vis", "channel")[:3]:
                    self.known["name"].append(f"{tile.digest}.{tile.mime.partition('/')[2]}")
        self.known["here"] = self.known["there"] = self.known["model"]
        self.known["picture"] = self.known["variant"]
        self.known["q"] = [*self.known["model"], *self.known["node"], "car", "1a:3", "wild"]
        for name, values in {
            "lens": (
                "units",
                "feature_vis",
                "dataset_examples",
                "unit_map",
                "caricature",
                "similar",
            ),
            "objective": ("channel", "neuron"),
            "sign": ("positive", "negative"),
            "sort": ("unit", "strong", "weak", "colour"),
            "size": ("s", "m", "l"),
            "open": ("all", *self.known["node"][:3]),
        }.items():
            self.known[name] = [*values]
        self.options = tuple(dict.fromkeys(o for route in routes for o in route.options))

    def pick(self, name: str, draw: random.Random) -> str:
        """A value for a name: mostly one that is there, or nearly."""
        there = self.known.get(name) or ["x"]
        value = draw.choice(there)
        turn = draw.random()
        if turn < 0.6:
            return value
        if turn < 0.7:
            return _nearly(value, draw)
        return draw.choice(ODD)


def _nearly(value: str, draw: random.Random) -> str:
    place = draw.randrange(len(value) + 1)
    return draw.choice(
        [
            value.upper(),
            value + draw.choice(ODD),
            draw.choice(ODD) + value,
            value[:place] + value[place + 1 :],
            value[:place] + chr(draw.choice([0, 10, 60, 0x301, 0xFEFF, 0x1F4A5])) + value[place:],
            f" {value} ",
            value * draw.choice([2, 40]),
        ]
    )


def request(seed: int, number: int, routes: Sequence[Route], names: Names) -> Asked:
    """The request of a seed and a number."""
    draw = random.Random(f"{seed}/{number}")
    route = draw.choice(routes)
    path = "/".join(
        _piece(names.pick(part[1:].partition("}")[0], draw), draw) + part.partition("}")[2]
        if part.startswith("{")
        else part
        for part in route.path.split("/")
    )
    for _ in range(draw.choice([0, 0, 0, 0, 0, 0, 1, 2])):
        place = draw.randrange(len(path) + 1)
        path = path[:place] + draw.choice([*RAW, "/", "//", "/./", "/../", ".json"]) + path[place:]
    path = "/" + path.removeprefix("/") if draw.random() < 0.98 else path or "/"
    method = draw.choice(METHODS) if draw.random() < 0.4 else draw.choice(sorted(route.methods))
    headers, body = _headers(draw), b""
    if method == "POST" or draw.random() < 0.03:
        headers, body = _sent(draw, headers)
    return Asked(method, path + _query(route, names, draw), tuple(headers.items()), body)


def _piece(value: str, draw: random.Random) -> str:
    """A value as it stands in a path, with slashes encoded or not."""
    text = quote(value, safe="/" if draw.random() < 0.1 else "", errors="surrogatepass")
    return text + (draw.choice(RAW) if draw.random() < 0.05 else "")


def _query(route: Route, names: Names, draw: random.Random) -> str:
    asked = [o for o in route.options if draw.random() < (0.9 if o in "dataset number q" else 0.35)]
    asked += [draw.choice(names.options) for _ in range(draw.choice([0, 0, 0, 1]))]
    asked += [draw.choice(asked)] if asked and draw.random() < 0.15 else []
    asked += [draw.choice(["x", "", "_", MARK, "page[]", "Q"])] if draw.random() < 0.15 else []
    parts = [
        f"{quote_plus(o)}={quote_plus(names.pick(o, draw), errors='surrogatepass')}"
        if draw.random() < 0.95
        else draw.choice([o, f"{o}=", f"{quote_plus(o)}={draw.choice(RAW)}", f"{o}==", "&&"])
        for o in asked
    ]
    text = draw.choice(["&"] * 9 + [";"]).join(parts).replace("<", "%3C").replace(">", "%3E")
    return f"?{text}" if text or draw.random() < 0.05 else ""


def _headers(draw: random.Random) -> dict[str, str]:
    found = {"host": "localhost:8000"}
    for _ in range(draw.choice([0, 0, 1, 1, 2, 4])):
        name = draw.choice([*HEADERS])
        value = draw.choice(HEADERS[name]) if draw.random() < 0.9 else draw.choice(ODD)
        found[name] = value.encode("utf-8", "replace").decode("latin-1")
    if draw.random() < 0.9:
        found["host"] = "localhost:8000"
    return found


def _sent(draw: random.Random, headers: dict[str, str]) -> tuple[dict[str, str], bytes]:
    """Headers and a body for what is posted: mostly such as pass the first checks."""
    own = {"origin": "http://localhost:8000", "sec-fetch-site": "same-origin"}
    body = draw.choice(BODIES)()
    kind = draw.choice(["image/png", "application/json", "application/octet-stream"])
    if body.startswith(b"--"):
        kind = "multipart/form-data; boundary=b"
    if draw.random() < 0.8:
        headers = {**headers, **own, "content-type": kind}
    if draw.random() < 0.7:
        headers = {"content-length": str(len(body)), **headers}
    return headers, body


def _picture(kind: str = "PNG", size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, 1).save(stream, kind)
    return stream.getvalue()


def _multipart(*lines: bytes) -> bytes:
    return b"\r\n".join(lines)


PART = b'Content-Disposition: form-data; name="picture"; filename="<x>.png"'
BODIES: tuple[Callable[[], bytes], ...] = (
    lambda: b"",
    lambda: b"{}",
    lambda: b'{"a": ' * 2000,
    lambda: json.dumps({"model": MARK, "unit": 1e400}).encode(),
    lambda: MARK.encode() * 50,
    lambda: bytes(range(256)),
    _picture,
    lambda: _picture("JPEG"),
    lambda: _picture("GIF", mode="P"),
    lambda: _picture("PNG", (1, 1), "1"),
    lambda: _picture("PNG", (3000, 1), "L"),
    lambda: _picture()[:40],
    lambda: _picture()[:-1],
    lambda: _picture() + b"x" * 1000,
    lambda: _picture().replace(b"IHDR\x00\x00\x00\x08", b"IHDR\x7f\xff\xff\xff"),
    lambda: _picture("BMP"),
    lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    lambda: b"II*\x00" + b"\xff" * 64,
    lambda: b"RIFF\xff\xff\xff\xffWEBPVP8 " + b"\xff" * 64,
    lambda: _multipart(b"--b", PART, b"Content-Type: image/png", b"", _picture(), b"--b--", b""),
    lambda: _multipart(b"--b", PART, b"", _picture()[:20]),
    lambda: _multipart(b"--c", PART, b"", b"x", b"--c--", b""),
    lambda: _multipart(b"--b", b"Content-Disposition: form-data", b"", b"x", b"--b--", b""),
    lambda: _multipart(b"--b", b"x" * 20000, b"", b"x", b"--b--"),
    lambda: _multipart(*[b"--b", PART, b"", b"x"] * 500, b"--b--"),
    lambda: b"--b--",
)
