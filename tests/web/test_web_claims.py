"""The page of a claim: its evidence, what is missing, and the ways to it."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from html_document import Document, check_page
from web_client import Client

from micrograph import load
from micrograph.atlas import Atlas, AtlasWriter, Library, bundled_catalogue
from micrograph.circuits.claims.evidence import LINES, line, not_enough, reading
from micrograph.circuits.claims.judge import Evidence, checked
from micrograph.circuits.claims.synthesis import Synthesized
from micrograph.claims import Claim
from micrograph.parts.plots.evidence import controls_plot, kernel_plot
from micrograph.resolve.claims import claim_in
from micrograph.runner.keep_claim import keep_claim
from micrograph.web import create_app
from micrograph.web.known import Known

TEXT = "toytown/mixed4b/3 <- mixed4a/130 - mixed4a/1"
PATH = "/claims/toytown/mixed4b/3=mixed4a/130-mixed4a/1"
SENTENCE = (
    "InceptionV1 4c:447 is a car detector which is built from a wheel detector (4b:373) "
    "and a window detector (4b:237)"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("claims")


@pytest.fixture(scope="module")
def evidence(folder: Path) -> Evidence:
    """Made by hand: what it says does not matter here, only that all of it is shown."""
    model = load("toytown")
    named = Claim.from_json({**Claim.parse(TEXT).to_json(), "says": "Rings & <dots>"})
    draw = np.random.default_rng(0)
    readings = [
        reading(
            str(source.unit),
            float(draw.normal()),
            float(p),
            controls=draw.normal(size=30).tolist(),
            interval=(-0.25, 1.5),
            numbers={"rank": 3, "share": 0.125, "also_drives": ["mixed4b/7"], "exact": False},
        )
        for source, p in zip(named.sources, (0.01, 0.5), strict=True)
    ]
    lines = [line(name, "what is measured", "the controls", readings) for name in LINES]
    lines[-1] = not_enough("specificity", "something", "micrograph claim x")
    pictures = [draw.integers(0, 256, (32, 32, 3)).astype(np.uint8) for _ in range(2)]
    kernels = {str(s.unit): draw.normal(size=(3, 3)) for s in named.sources}
    found = Evidence(
        checked(model, named),
        tuple(lines),
        "pictures",
        "ab" * 32,
        60,
        kernels,
        Synthesized(*pictures),
    )
    assert keep_claim(model, found, folder, preset="draft") == folder / "toytown.atlas"
    return found


@pytest.fixture(scope="module")
def site(folder: Path, evidence: Evidence) -> Client:
    return Client(create_app(Library([folder], bundled_catalogue()), known=missing))


def missing(model: str) -> Known:
    return Known("missing", [f"micrograph weights fetch {model}", f"micrograph render {model}"])


def test_every_number_and_verdict_is_in_the_twin(site: Client, evidence: Evidence) -> None:
    data: dict[str, Any] = site.get(PATH + ".json").json()
    stored = evidence.to_json()
    assert data["text"] == TEXT
    assert data["verdict"] == stored["verdict"]
    assert data["strength"] == stored["strength"]
    assert data["rule"] == stored["rule"]
    assert data["lines"] == stored["lines"]
    assert [s["kernel"] for s in data["sources"]] == [
        stored["kernels"][s] for s in ("mixed4a/130", "mixed4a/1")
    ]
    assert site.get(data["synthesized"]["url"]).status_code == 200
    assert data["recipe"]["weights"] == load("toytown").digest


def test_the_page_shows_the_claim(site: Client, evidence: Evidence) -> None:
    answer = site.get(PATH)
    assert answer.status_code == 200
    check_page(site, PATH)
    assert "Rings &amp; &lt;dots&gt;" in answer.text
    for one in evidence.lines:
        assert one.question in answer.text
    assert answer.text.count('class="controls"') == sum(len(x.readings) for x in evidence.lines)


def test_claims_are_listed(site: Client) -> None:
    check_page(site, "/claims")
    (listed,) = site.get("/claims.json").json()["claims"]
    assert (listed["text"], listed["url"]) == (TEXT, PATH)


@pytest.mark.parametrize(
    "path",
    [
        "/claims/toytown/mixed4b/3=-mixed4a/1+mixed4a/130",
        "/claims/TOYTOWN/4b/3=4a/130-4a/1",
        PATH + "/",
        "/claims?text=" + quote(TEXT),
        "/search?q=" + quote(TEXT),
        "/search?q=http://elsewhere" + PATH.replace("+", "%2B") + ".json",
    ],
)
def test_other_spellings_lead_to_it(site: Client, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code in (303, 307)
    assert answer.headers["location"] == PATH


def test_another_relation_is_another_claim(site: Client) -> None:
    data = site.get("/claims/toytown/mixed4b/3=mixed4a/130:above-mixed4a/1.json").json()
    assert data["verdict"] == "untested"
    assert data["sources"][0]["relation"] == "above"


def test_a_pasted_sentence_fills_the_form_and_says_what_is_missing(site: Client) -> None:
    path = site.get("/search?q=" + quote(SENTENCE)).headers["location"]
    assert path == "/claims/inceptionv1/mixed4c/447=mixed4b/237+mixed4b/373"
    answer, data = site.get(path), site.get(path + ".json").json()
    assert data["verdict"] == "untested"
    assert "weights of inceptionv1 are not here" in data["missing"]
    assert data["commands"][0].startswith("micrograph weights ")
    assert data["commands"][-1].startswith('micrograph claim "inceptionv1/mixed4c/447 <- ')
    (field,) = [a for _, a in Document(answer.text).tags if a.get("name") == "text"]
    assert field["value"] == "inceptionv1/mixed4c/447 <- mixed4b/237 + mixed4b/373"


@pytest.mark.parametrize(
    "text",
    [
        "InceptionV1 4c:447",
        "cars are built from wheels",
        "InceptionV1 4c:447 is built from 4b:9999",
        "InceptionV1 4c:447 is built from nothing:3",
        "InceptionV1 4c:447 and 4c:3 are built from 4b:3",
        "toytown/mixed4b/3 <- mixed5a/1",
    ],
)
def test_other_texts_make_no_claim(site: Client, text: str) -> None:
    library = Library([], bundled_catalogue()).snapshot()
    assert claim_in(text, library) is None


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/claims/toytown/mixed4b/3=mixed4a/999", 404, "out of range"),
        ("/claims/toytown/mixed4b/3=mixed5a/1", 400, "does not lie before"),
        ("/claims/nomodel/a/3=b/1", 404, "unknown model"),
        ("/claims/toytown/mixed4b/3", 400, "no address of a claim"),
        ("/claims/toytown/mixed4b/3=mixed4a/1:beside", 400, "relation"),
        ("/claims?text=nonsense", 400, "no claim"),
    ],
)
def test_claims_that_cannot_be_say_so(site: Client, path: str, status: int, said: str) -> None:
    answer = site.get(path)
    assert answer.status_code == status
    assert said in answer.text


def test_damaged_evidence_costs_itself_only(
    folder: Path, evidence: Evidence, tmp_path: Path
) -> None:
    """What anybody may have written into an atlas is shown as far as it makes sense."""
    atlas = Atlas.open(folder / "toytown.atlas")
    (stored,) = atlas.about(evidence.claim.subject, "claim")
    odd = {
        "claim": evidence.claim.to_json(),
        "lines": [{"name": "x", "readings": [{"controls": ["a", None], "p": "b"}]}, 3],
        "kernels": {"mixed4a/130": [[1], [2, 3]], "mixed4a/1": "no"},
        "rule": 5,
        "dataset": [],
        "strength": None,
    }
    path = tmp_path / "toytown.atlas"
    recipe = {"technique": "claim", "view": "evidence", "seed": 0}
    with AtlasWriter.open(path, atlas.model, list(atlas.nodes.values())) as writer:
        row = type(stored)(
            stored.node, stored.unit, recipe, 0.0, None, odd, about=evidence.claim.subject
        )
        writer.put([row])
    check_page(Client(create_app(Library([tmp_path]))), PATH)


def test_plots_show_every_control_and_every_weight() -> None:
    plot = controls_plot(0.5, [0.0, 0.1, 1.0], 0.4, 0.6)
    assert plot.count("v8") == 3
    assert "0.5 among 3 controls from 0 to 1" in plot
    kernel = kernel_plot(np.array([[1.0, 0.0], [-1.0, 0.5]]).tolist(), 1.0)
    assert [c in kernel for c in ("#d96b00", "#ffffff", "#1e64c8")] == [True] * 3
