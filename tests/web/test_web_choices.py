"""A value that an option does not have is refused in a line, on every page: never replaced."""

import json
from typing import Any

import pytest
from hostile_requests import routes_of
from web_client import Client

from micrograph.parts.plots.pixels import png
from micrograph.web.experiments import ExperimentOptions

PLACES = {"model": "lensed", "node": "mixed1a", "unit": "3", "name": "x"}
PLACES["claim"] = "lensed/mixed1a/3=conv0/1"
SOUND = {"here": "lensed", "there": "lensed", "dataset": "d1" * 32, "number": "0"}
"""Options that have to be given, as they can be."""
ANY = {("/search", "q"), ("/resolve", "q")}
ANY |= {("/oembed", option) for option in ("url", "maxwidth", "maxheight", "format")}
"""What is searched for: any text has an answer; and what no page of ours links to."""
NAMES = {
    "page": "no number of a page",
    "here": "known: lensed",
    "there": "known: lensed",
    "lens": "expected ",
    "picture": "expected astronaut or harbour-at-night",
    "open": "expected all",
    "objective": "expected channel or neuron",
    "sign": "expected positive or negative",
    "sort": "expected unit or strong or weak or colour",
    "size": "expected s or m or l",
    "variant": "expected ",
    "dataset": "expected others or toys",
    "number": "valid integer",
    "caricature": "valid boolean",
    "question": "expected graph or steer",
    "how": "expected silence or halve or double or add",
    "text": "is no claim",
    "about": "cannot be part of an address",
    "weights": "no number of a page",
    "order": "expected weight or activation",
    "branches": "expected merged or apart",
    "units": "expected ",
    "at": "expected ROW-COLUMN",
    "steps": "expected a whole number",
    "transforms": "known: standard, none, shift, strong",
    "together": "expected a whole number",
    "diversity": "expected a number",
    "seed": "expected a whole number",
    "others": "expected WEIGHT*NODE/UNIT",
    "run": "expected 1",
    "depth": "expected 1 or 2 or 3",
    "width": "expected 1 or 2 or 3",
    "pin": "cannot be part of an address",
    "without": "cannot be part of an address",
}
"""What is said of each option."""
OF_PAGE = {
    "live": {
        "objective": "known: channel, neuron",
        "sign": "known: positive, negative",
        "size": "expected a whole number",
    },
    "circuits": {"sign": "expected all or excites or inhibits"},
    "on-picture": {
        "picture": "known: astronaut",
        "dataset": "is no digest; expected 64 hex digits",
        "number": "given; expected one of the dataset's",
    },
}
"""What is said of those that mean something else on some pages."""

PICTURE: dict[str, Any] = {
    "headers": {"origin": "http://site", "content-type": "image/png"},
    "body": png([[(9, 9, 9)] * 8] * 8),
}
"""What is posted with the options that are tried."""
NOT_THERE = "n%3Cx%3Es"


def table(client: Client) -> list[tuple[str, str, str]]:
    """Method, path and option of each that a route reads."""
    return [
        (method, route.path.removesuffix(".json"), option)
        for route in routes_of(client.app)
        for method in sorted(route.methods - {"HEAD"})
        for option in route.options
    ]


def address(path: str, options: dict[str, str]) -> str:
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return path.replace(":path}", "}").format_map(PLACES) + (f"?{query}" if query else "")


def test_every_option_of_every_route(lensed: Client) -> None:
    asked = [one for one in table(lensed) if one[1:] not in ANY]
    assert {option for _, _, option in asked} == NAMES.keys()
    for method, path, option in asked:
        place = path.removesuffix(".preview.jpg")
        needed = SOUND if place.endswith(("/map", "/compare")) else {}
        needed = {k: v for k, v in needed.items() if (method, path, k) in asked}
        if path.endswith("/on-picture") and option in ("dataset", "number"):
            needed = {k: SOUND[k] for k in ("dataset", "number")}
        lens = {"lens": "caricature"} if place == "/models/{model}" and option == "picture" else {}
        group = {"question": "steer"} if option == "units" else {}
        options = {**needed, **lens, **group, option: NOT_THERE}
        data = method == "POST" or path.endswith(("/map", ".svg", ".png", ".jpg"))
        twin = path if data else path + ".json"
        sent = PICTURE if method == "POST" else {}
        answer = lensed.ask(method, address(twin, options), **sent)
        assert answer.status_code in (400, 404), (path, option, answer.text[:300])
        said = json.loads(answer.content)
        assert said["kind"] == "error"
        if path.endswith("/map") and option == "dataset":
            assert "expected 64 hex digits" in said["message"]
        else:
            names = NAMES.copy()
            for part in path.split("/"):
                names |= OF_PAGE.get(part, {})
            assert names[option] in said["message"], (path, said["message"])
        assert "n<x>s" in said["message"]
        if twin.endswith(".json") and not path.endswith(".graph"):
            page = lensed.ask(method, address(path, options))
            assert page.status_code == answer.status_code
            assert "n<x>s" not in page.text
            assert "n&lt;x&gt;s" in page.text


@pytest.mark.parametrize(
    "query",
    [
        "lens=units&picture=astronaut",  # of another lens
        "lens=feature_vis&picture=x",
        "lens=x&lens=y",
    ],
)
def test_what_another_setting_has_is_not_there(lensed: Client, query: str) -> None:
    answer = lensed.get(f"/models/lensed.json?{query}")
    assert answer.status_code == 400
    assert "is not there; expected" in answer.json()["message"]


def test_a_dataset_that_another_unit_was_shown(lensed: Client) -> None:
    assert lensed.get("/models/lensed/mixed1a/3.json?dataset=others").status_code == 200
    answer = lensed.get("/models/lensed/conv0/1.json?dataset=others")
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("dataset='others' is not there; expected ")


@pytest.mark.parametrize(
    "path", ["/", "/models", "/about", "/models/lensed", "/models/lensed/mixed1a/3", "/resolve"]
)
def test_options_that_no_page_has_are_ignored(lensed: Client, path: str) -> None:
    plain = lensed.get(path)
    more = lensed.get(f"{path}?utm_source=x&view=zzz&%3Cx%3E=1")
    assert plain.status_code == more.status_code == 200
    assert "<x>" not in more.text


@pytest.mark.parametrize(
    "query", ["dataset=", "dataset=nosuch&dataset=others", "dataset=others&lens=nosuch"]
)
def test_nothing_is_as_usual_and_the_last_of_several_counts(lensed: Client, query: str) -> None:
    plain = lensed.get("/models/lensed/mixed1a/3.json").json()
    assert lensed.get(f"/models/lensed/mixed1a/3.json?{query}").json() == plain


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("option", ExperimentOptions.__dataclass_fields__)
def test_every_option_of_a_watched_picture(lensed: Client, method: str, option: str) -> None:
    """Events are asked for by the page's address, whose options that route reads itself."""
    headers = {"origin": "http://site", "accept": "text/event-stream"}
    headers |= {"content-type": "application/json"} if method == "POST" else {}
    path = f"/models/lensed/mixed1a/3/live?{option}={NOT_THERE}"
    answer = lensed.ask(method, path, headers)
    assert answer.status_code in (400, 404)
    said = answer.json()["message"]
    assert (NAMES | OF_PAGE["live"])[option] in said
    assert "n<x>s" in said


@pytest.mark.parametrize(
    ("node", "page", "status"),
    [("conv0", "1", 200), ("mixed1a", "1", 200), ("mixed1a", "2", 400), ("mixed1a", "0", 400)],
)
def test_pages_of_weights_that_are_not_there(
    lensed: Client, node: str, page: str, status: int
) -> None:
    answer = lensed.get(f"/models/lensed/{node}.json?weights={page}")
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["message"] == f"weights='{page}' is not there; expected 1"
