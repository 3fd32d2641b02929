"""Whatever the page of a claim shows is in its twin: every number, picture, verdict and sentence."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from web_client import Client

from micrograph.atlas import Library, bundled_catalogue, bundled_gallery
from micrograph.web import create_app

STANDS = "/claims/inceptionv1_caffe/inception_4c/499=inception_4b/164+inception_4b/454"
FALLS = "/claims/inceptionv1_caffe/inception_4c/499=inception_4b/330"
UNTESTED = "/claims/inceptionv1_caffe/inception_4c/499=inception_4b/1:above-inception_4b/2"
OWN_WORDS = ("where 0 is chance", "to all but 5 % of photographs")
"""Numbers that the page's own sentences have."""
NUMBER = re.compile(r"([−-]?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?)(?:st|nd|rd|th)?( ?%)?")


class Shown(HTMLParser):
    """What stands in the `main` of a page: texts, pictures, verdicts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.pictures: list[str] = []
        self.verdicts: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in ("img", "input", "br", "wbr", "meta", "link", "hr"):
            self._open.append((tag, given.get("class", "")))
        if not self._in_main:
            return
        self.texts += [given[k] for k in ("alt", "aria-label", "title", "value") if k in given]
        for name in ("src", "href"):
            if "/images/" in given.get(name, ""):
                self.pictures.append(given[name])

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("img", "input", "br", "wbr", "meta", "link", "hr"):
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._in_main and data.strip():
            self.texts.append(data.strip())
            if self._open[-1][1].startswith("verdict "):
                self.verdicts.append(data.strip())

    @property
    def _in_main(self) -> bool:
        return any(tag == "main" for tag, _ in self._open)


def leaves(data: Any, name: str = "") -> Iterator[Any]:
    """All values of a twin, and how many there are in each list. Of controls and kernels, which are
    drawn, only the ends: among hundreds of numbers any would be found."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, key)
    elif isinstance(data, list):
        yield len(data)
        values = [v for row in data for v in (row if isinstance(row, list) else [row])]
        if name in ("controls", "kernel", "points"):
            yield from (min(values), max(values)) if values else ()
            return
        for value in data:
            yield from leaves(value)
    else:
        yield data


def is_told(shown: str, percent: bool, numbers: list[float]) -> bool:
    """Whether a number, rounded as it is shown, is one of `numbers`."""
    bare = shown.lstrip("−-")
    digits, _, power = bare.partition("e")
    last = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    value, half = float(bare) * (-1 if shown != bare else 1), last / 2 * 1.0001
    scale = 100 if percent else 1
    return any(abs(one * scale - value) <= half for one in numbers)


def missing(page: Shown, twin: Any) -> list[tuple[str, str]]:
    """Numbers of the page that are not in the twin, with the text in which they stand."""
    values = list(leaves(twin))
    numbers = [float(v) for v in values if isinstance(v, int | float)]
    said = [v for v in values if isinstance(v, str)]
    sentences = sorted({v for v in said if " " in v}, key=len, reverse=True)
    found = []
    for text in page.texts:
        if any(text in one for one in said):
            continue
        for words in (*sentences, *OWN_WORDS):
            text = text.replace(words, "")
        text = re.sub(r"[A-Za-z_][\w./]*\d[\w./]*", "", text)  # names of units
        for number in NUMBER.finditer(text):
            shown, percent = number[1].replace(",", ""), number[2] is not None
            if not is_told(shown, percent, numbers):
                found.append((text, number[0]))
    return found


@pytest.fixture(scope="module")
def site() -> Client:
    return Client(create_app(Library([bundled_gallery()], bundled_catalogue())))


@pytest.mark.parametrize("path", [STANDS, FALLS, UNTESTED])
def test_the_twin_says_all_that_the_page_shows(site: Client, path: str) -> None:
    page, twin = Shown(site.get(path).text), site.get(path + ".json").json()
    values = list(leaves(twin))
    assert set(page.pictures) <= {v for v in values if isinstance(v, str)}
    assert page.pictures
    assert set(page.verdicts) <= {v for v in values if isinstance(v, str)}
    assert page.verdicts
    assert missing(page, twin) == []


@pytest.mark.parametrize("lacking", ["strength", "effect", "p", "share", "effect_size", "pictures"])
def test_what_a_twin_lacks_is_noticed(site: Client, lacking: str) -> None:
    """The numbers of one name are in no other: the test above would miss them."""

    def without(data: Any) -> Any:
        if isinstance(data, dict):
            return {k: without(v) for k, v in data.items() if k != lacking}
        return [without(v) for v in data] if isinstance(data, list) else data

    page, twin = Shown(site.get(STANDS).text), site.get(STANDS + ".json").json()
    assert missing(page, twin) == []
    assert missing(page, without(twin))


def test_every_line_has_what_it_needs_to_be_checked(site: Client) -> None:
    """Each line of tested claims: numbers with controls, a verdict, and the rule."""
    for path, verdict in ((STANDS, "supports"), (FALLS, "contradicts")):
        twin = site.get(path + ".json").json()
        assert twin["verdict"] == verdict
        assert len(twin["rule"]) >= 4
        assert [line["name"] for line in twin["lines"]] == [
            "weights",
            "ablation",
            "coactivation",
            "synthesis",
            "specificity",
        ]
        for line in twin["lines"]:
            assert line["measure"]
            assert line["control"]
            assert all(reading["controls"] for reading in line["readings"])
        assert all(source["kernel"] for source in twin["sources"])
        assert twin["synthesized"]["url"] in site.get(path).text
