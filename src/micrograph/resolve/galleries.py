"""Links to what was there before and beside OpenAI Microscope, all of one network: the weight
explorer of the Circuits articles, the galleries of DeepDream, and Distill's own pages."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from micrograph.resolve.asked import Asked
from micrograph.resolve.names import LITERATURE
from micrograph.resolve.signs import URL

_FRONT = r"(?:\b(?:https?|gs):/{1,3})?(?:[\w.\-]{1,80}/){0,6}"
_REST = rf"(?P<rest>[/?#]{URL}*)?"
_LAYER = r"(?:conv2d[0-2]|(?:mixed)?[345][a-e])"
"""How Distill calls the layers of the network."""
_BRANCH = rf"{_LAYER}(?:_(?:1x1|3x3|5x5|pool)(?:_(?:bottleneck|reduce))?)?"


def _explorer(match: re.Match[str]) -> Asked:
    """`inceptionv1-weight-explorer/mixed3b_379.html`: a unit, always the last number."""
    page = _page(match["rest"])
    if not page or page == "index":
        return Asked(LITERATURE)
    node, _, unit = page.rpartition("_")
    return Asked(LITERATURE, node, unit) if unit.isdecimal() else Asked(LITERATURE, page)


def _deepdream(match: re.Match[str]) -> Asked:
    """`deepdream/visualz/tensorflow_inception/mixed4d_5x5_pre_relu.html`: a node."""
    model = unquote(match["model"]).casefold()
    model = LITERATURE if model == "tensorflow_inception" else model
    page = _page(match["rest"])
    if not page or page == "index":
        return Asked(model)
    more = _path(match["rest"])[1:]
    wrong = f"{more[0][:60]!r} names no unit" if more and _page(match["rest"]) != more[-1] else ""
    return Asked(model, page, wrong=wrong)


def _distill(match: re.Match[str]) -> Asked | None:
    """A page of Distill: `appendix/googlenet/4d.html` of Feature Visualization, or an article with
    a place behind `#`, as `#conv2d0`, `#group_mixed3b_curves`, `#mixed3b-379`."""
    rest = match["rest"] or ""
    path = _path(rest)
    named = rest.partition("#")[2]
    behind = re.fullmatch(
        rf"(?:group_)?(?P<node>{_BRANCH})(?:[_:/\-](?P<unit>\d{{1,9}}))?(?P<more>[_\-][a-z].*)?",
        unquote(named).strip("/."),
        re.I,
    )
    if behind and not (behind["unit"] and behind["more"]):
        return Asked(LITERATURE, behind["node"], behind["unit"] or "")
    if "appendix" in path:
        layer = re.fullmatch(rf"(?:layer[_\-]?)?({_LAYER})", path[-1], re.I)
        return Asked(LITERATURE, layer[1] if layer else "")
    return None


def _path(rest: str | None) -> list[str]:
    """The names in a path, without what stands behind a page's ".html"."""
    path = re.split(r"[?#]|%22|%27|%3C|%3E|%60", rest or "", maxsplit=1, flags=re.I)[0]
    path = re.sub(r"\.html?.*", "", unquote(path), flags=re.I | re.S)
    return [name for part in path.split("/") if (name := part.strip().strip(".,;:!?'\"*~…"))]


def _page(rest: str | None) -> str:
    """The first name in a path."""
    return next(iter(_path(rest)), "")


PageReader = Callable[[re.Match[str]], Asked | None]
"""What a link asks for, None where it names no place."""

GALLERIES: tuple[tuple[re.Pattern[str], PageReader], ...] = (
    (re.compile(rf"{_FRONT}\binceptionv1-weight-explorer\b{_REST}", re.I), _explorer),
    (
        re.compile(
            rf"{_FRONT}\bdeepdream/visualz/(?P<model>[\w.%\-]{{1,60}}){_REST}", re.I
        ),
        _deepdream,
    ),
    (
        re.compile(
            rf"(?:\bhttps?:/{{1,3}})?(?:www\.|staging\.)?\bdistill\.pub"
            rf"(?P<rest>/\d{{4}}/{URL}*)",
            re.I,
        ),
        _distill,
    ),
)
"""How such links look, and who reads them."""
