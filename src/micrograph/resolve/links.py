"""Links in a text: to OpenAI Microscope, to its picture store, to galleries, to a site like ours."""

import re
from urllib.parse import unquote

from micrograph.resolve.asked import Asked
from micrograph.resolve.galleries import GALLERIES, PageReader
from micrograph.resolve.signs import URL
from micrograph.resolve.views import asset_view, view_of

# Every quantifier below is bounded or followed by what it cannot match: time is linear.
_OLD = re.compile(
    rf"(?:https?:/{{1,3}})?(?:www\.)?\bmicroscope[a-z0-9\-]{{0,30}}\.openai\.com\b(?::\d{{1,5}})?"
    rf"(?P<rest>[/?#]{URL}*)?",
    re.I,
)
_OURS = re.compile(
    r"(?:https?://(?:[A-Za-z0-9.\-_]{1,255}|\[[0-9a-f:.]{2,50}\])(?::\d{1,5})?/"
    r"|(?<![^\s<(\[\"'`=])/|\A(?=models/))"
    rf"(?P<rest>models(?:[/?#]{URL}*|(?=[\s.,;:!?)\]>\"']|\Z)))",
    re.I,
)
_ASSET = re.compile(
    rf"(?:/|\A|\s)(?P<model>[A-Za-z0-9_.\-]{{1,60}})/lucid\.(?P<lens>[a-z_]{{1,40}})/(?P<rest>{URL}+)",
    re.I,
)
_ANY = re.compile(rf"\bhttps?:/{{1,3}}{URL}*", re.I)
_TAIL = ".,;:!?'\"*~…"
_OWN_ENDS = ("render", "look", "map")


def links(text: str) -> tuple[list[Asked], str]:
    """The places that links in `text` name, each once, and the text without any links."""
    if re.search(r"(openai\.com|googleapis\.com|distill\.pub)%(25)*2F", text, re.I):
        # A link inside another one, quoted once or more often.
        for quoted, mark in (
            ("%(25)+", "%"),
            *(("%3A", ":"), ("%2F", "/"), ("%3F", "?"), ("%3D", "="), ("%26", "&"), ("%23", "#")),
        ):
            text = re.sub(quoted, mark, text, flags=re.I)
    found: dict[Asked, None] = {}

    def take(match: re.Match[str]) -> str:
        found[_asset(match) if match.re is _ASSET else page(match["rest"] or "")] = None
        return " "

    text = _ASSET.sub(take, text)
    for gallery, read in GALLERIES:

        def take_page(match: re.Match[str], read: PageReader = read) -> str:
            asked = read(match)
            if asked is not None:
                found[asked] = None
            return " "

        text = gallery.sub(take_page, text)
    for pattern in (_OLD, _OURS):
        text = pattern.sub(take, text)
    return list(found), _ANY.sub(" ", text)


def page(rest: str) -> Asked:
    """What a URL asks for, from the part behind its host."""
    rest, _, fragment = _cut(rest).partition("#")
    path, _, query = rest.partition("?")
    view = view_of(_parameters(query), fragment)
    path = path.partition("&")[0]  # of a link around this one
    parts = [part for piece in path.split("/") if (part := unquote(piece).strip().strip(_TAIL))]
    if parts and parts[0].lower() == "models":
        parts = parts[1:]
    if len(parts) == 1:  # its slashes quoted
        parts = [part for part in parts[0].split("/") if part]
    if parts and parts[-1] in _OWN_ENDS:
        parts = parts[:-1]
    if parts:
        parts[-1] = re.sub(r"\.(?:json|html?)\Z", "", parts[-1], flags=re.I)
    if len(parts) <= 3:
        model, node, unit = (*parts, "", "", "")[:3]
        return Asked(model, node, unit, view)
    # The name of a tensor with its slashes: image_block_4/5/Add_6:0. Its parts never are numbers
    # twice, as they would be where something is behind the unit.
    *name, last = parts[1:]
    if re.fullmatch(r"\d{1,9}", last) and not re.fullmatch(r"\d+", name[-1]):
        return Asked(parts[0], "/".join(name), last, view)
    return Asked(parts[0], "/".join(parts[1:]), "", view)


def _asset(match: re.Match[str]) -> Asked:
    """From the path of a file in the store, whose folder is a list of parameters, quoted."""
    rest = _cut(match["rest"]).rstrip(_TAIL)
    for _ in range(3):
        rest = unquote(rest)
    folder, _, name = rest.rpartition("/")
    query = _parameters(folder.partition("/")[2])
    view = asset_view(match["lens"].lower(), query)
    node = query.get("op", "")
    file = re.match(r"(?:channel|text|neuron|unit)[-_](\d{1,9})(?:_\d{1,9})?\.\w{1,5}\Z", name)
    if not file:
        return Asked(match["model"], node, "", view, f"{name[:60]!r} names no unit")
    start, stop = (
        int(n) if (n := query.get(k, "")).isdecimal() and len(n) < 10 else None
        for k in ("start", "stop")
    )
    unit = int(file[1])
    if (start is not None and unit < start) or (stop is not None and unit >= stop):
        wrong = f"{name[:60]!r} does not lie in units {start} to {stop}, of which the folder is"
        return Asked(match["model"], node, "", view, wrong)
    return Asked(match["model"], node, file[1], view)


def _cut(rest: str) -> str:
    """The link without what a broken page appended to it: a quoted quotation mark or bracket."""
    return re.split(r"%22|%27|%3C|%3E|%60", rest, maxsplit=1, flags=re.I)[0]


def _parameters(query: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in query[:4000].split("&"))
    return {unquote(k): unquote(v).strip(_TAIL) for k, mark, v in pairs if mark}
