"""Claims, circuits and pages on a picture, from texts and links to their pages."""

import pytest

from micrograph.atlas import Library, bundled_catalogue
from micrograph.resolve import resolve
from micrograph.resolve.claims import claim_in, read_claim

LIBRARY = Library([], bundled_catalogue()).snapshot()
CAR = "inceptionv1/mixed4c/447 <- mixed4b/237 + mixed4b/373"
MICROSCOPE = "https://microscope.openai.com/models/inceptionv1"


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("InceptionV1 4c:447 is built from 4b:373 and 4b:237", CAR),
        ("4c:447 is built from 4b:373 and 4b:237", CAR),
        ('"InceptionV1 4c:447 is a car detector, made of wheels (4b:373) and 4b:237".', CAR),
        ("Is 4c:447 a car detector which is built from a wheel (4b:373) and 4b:237?", CAR),
        ("Is it true that InceptionV1 4c:447 is built from 4b:373 and 4b:237?", CAR),
        ("InceptionV1 4c:447 <- 4b:373 + 4b:237", CAR),
        ("InceptionV1 4c:447 ← 4b:373 + 4b:237", CAR),
        ("inceptionv1/4c/447<-4b/373+4b/237", CAR),
        ("InceptionV1 4c unit 447 consists of unit 373 of 4b and 4b unit 237", CAR),
        (f"{MICROSCOPE}/mixed4c_0/447 is built from 4b:373 and {MICROSCOPE}/mixed4b_0/237.", CAR),
        (
            "InceptionV1 4c:447 <- 4b:373 - 4b:237",
            "inceptionv1/mixed4c/447 <- mixed4b/373 - mixed4b/237",
        ),
        (
            "InceptionV1 4c:447 is excited by 4b:373 and inhibited by 4b:237",
            "inceptionv1/mixed4c/447 <- mixed4b/373 - mixed4b/237",
        ),
        (
            "InceptionV1 4c:447 is inhibited by 4b:237 and excited by 4b:373",
            "inceptionv1/mixed4c/447 <- mixed4b/373 - mixed4b/237",
        ),
        (
            "InceptionV1 4c:447 is suppressed by 4b:237",
            "inceptionv1/mixed4c/447 <- - mixed4b/237",
        ),
        (
            "InceptionV1 4c:447 is built from 4b:373 (below) and 4b:237 (above)",
            "inceptionv1/mixed4c/447 <- mixed4b/237 above + mixed4b/373 below",
        ),
        (
            "toytown_vit blocks.4/3 is composed of blocks.3/2 on the left",
            "toytown_vit/blocks.4/3 <- blocks.3/2 left",
        ),
    ],
)
def test_a_sentence_is_a_claim(text: str, claim: str) -> None:
    assert str(claim_in(text, LIBRARY)) == claim
    answer = resolve(text, LIBRARY)
    assert answer.url == f"/claims/{answer.address}"
    assert (answer.model, answer.unit, answer.available) == (
        claim.split("/")[0],
        answer.unit,
        False,
    )
    assert f'micrograph claim "{claim}" --dataset ' in answer.note
    assert resolve(answer.address or "", LIBRARY) == answer
    assert resolve(answer.url or "", LIBRARY) == answer


LINK = "/claims/toytown/mixed4b/3=mixed4a/1+mixed4a/130-mixed4a/2:above"


@pytest.mark.parametrize(
    "text",
    [
        LINK,
        LINK[8:],
        f"http://localhost:8000{LINK}",
        f"http://h/lab/micrograph{LINK}.json",
        f"http://h{LINK}#line-2",
        f"http://h{LINK}/",
        f"http://h{LINK}?x=1&y=2",
        f"see http://h{LINK}, please",
        f"[a claim](http://h{LINK})",
        f"<http://h{LINK}>.",
        f"http://h{LINK}".replace("=", "%3D").replace("+", "%2B").replace(":above", "%3Aabove"),
        f"http://h{LINK}".replace("+", " "),
        f"http://h{LINK} http://h{LINK}.json",
        "/claims/TOYTOWN/4b/3=4a/130+4a/1-4a/2:above",
    ],
)
def test_a_link_is_a_claim(text: str) -> None:
    answer = resolve(text, LIBRARY)
    assert (answer.address, answer.url) == (LINK[8:], LINK)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("InceptionV1 4c:447 is not built from 4b:373", "'not' could mean"),
        ("InceptionV1 4c:447 isn't built from 4b:373", "could mean"),
        ("InceptionV1 4c:447 is built from 4b:373 but not 4b:237", "'not' could mean"),
        ("Is InceptionV1 4c:447 not built from 4b:373?", "'not' could mean"),
        ("InceptionV1 4c:447 is built from 4b:373 and 237", "'237'|237 in a claim is no unit"),
        ("InceptionV1 4c:447 is built from 4b:373 and a window (237)", "237 in a claim is no unit"),
        ("InceptionV1 4c:447 is built from inceptionv1_caffe 4b:373", "a claim has one model"),
        (
            f"InceptionV1 4c:447 is built from {MICROSCOPE}_caffe/mixed4b_0/3",
            "a claim has one model",
        ),
        ("InceptionV1 4c:447 is built from 4b:373 above a window (4b:237)", "of which unit"),
        ("InceptionV1 4c:447 is built from 4b:373 and 4b:373", "twice"),
        ("InceptionV1 4c:447 is built from 4b:373 and inhibited by 4b:373", "twice"),
        ("InceptionV1 4c:447 is built from 4c:447", "twice"),
        ("InceptionV1 4c:447 is built from 4b:9999", "out of range"),
        ("InceptionV1 4c:447 is built from window:3", "'window' in a claim is no node"),
        ("InceptionV1 4c:447 is built from 5a:3", "does not lie before"),
        ("toytown/mixed4b/3 <- mixed4a/999", "out of range"),
        ("toytown/mixed4b/3 <- mixed5a/1", "does not lie before"),
        ("nomodel/mixed4b/3 <- mixed5a/1", "unknown model"),
        ("toytown/mixed4b/3 <- mixed4a/1 beside", "relation"),
        (f"http://h{LINK} and http://h/claims/toytown/mixed4b/4=mixed4a/1", "several claims"),
    ],
)
def test_what_can_be_read_in_several_ways_is_refused_with_the_reason(text: str, said: str) -> None:
    assert claim_in(text, LIBRARY) is None
    answer = resolve(text, LIBRARY)
    assert (answer.url, answer.address) == (None, None)
    assert any(part in answer.note for part in said.split("|")), answer.note
    assert "\n" not in answer.note


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("InceptionV1 4c:447", "inceptionv1/mixed4c/447"),
        (
            "InceptionV1 4c:447 is a car detector made of wheels and windows",
            "inceptionv1/mixed4c/447",
        ),
        ("cars are built from wheels", None),
        ("InceptionV1 4c:447 and 4c:3 are built from 4b:3", None),
    ],
)
def test_other_texts_are_no_claims(text: str, address: str | None) -> None:
    assert read_claim(text, LIBRARY) is None
    assert resolve(text, LIBRARY).address == address


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://h:1/circuits/toytown/4b/3", "/circuits/toytown/mixed4b/3"),
        ("/circuits/toytown/mixed4b/3.json", "/circuits/toytown/mixed4b/3"),
        ("/circuits/toytown/mixed4b/3.svg?depth=3", "/circuits/toytown/mixed4b/3?depth=3"),
        (
            "/circuits/toytown/mixed4b/3.png?branches=apart",
            "/circuits/toytown/mixed4b/3?branches=apart",
        ),
        (
            "see http://h/lab/circuits/toytown/mixed4b/3.graph.json?pin=mixed4a/1,mixed4a/2.",
            "/circuits/toytown/mixed4b/3?pin=mixed4a/1,mixed4a/2.",
        ),
        ("circuit of toytown 4b:3", "/circuits/toytown/mixed4b/3"),
        ("the circuit behind InceptionV1 4c:447", "/circuits/inceptionv1/mixed4c/447"),
        ("InceptionV1 4c:447 circuit", "/circuits/inceptionv1/mixed4c/447"),
        (
            "http://h/models/toytown/4b/3/on-picture?question=steer&how=halve",
            "/models/toytown/mixed4b/3/on-picture?question=steer&how=halve",
        ),
        ("/models/toytown/mixed4b/3/on-picture.json", "/models/toytown/mixed4b/3/on-picture"),
    ],
)
def test_circuits_and_units_on_a_picture(text: str, url: str) -> None:
    answer = resolve(text, LIBRARY)
    assert answer.url == url.rstrip(".")
    assert answer.address == "/".join(url.split("?")[0].split("/")[2:5])


@pytest.mark.parametrize("text", ["/claims", "http://h:1/lab/claims", "http://h/claims.json"])
def test_the_list_of_claims(text: str) -> None:
    answer = resolve(text, LIBRARY)
    assert (answer.url, answer.address) == ("/claims", None)


@pytest.mark.parametrize(
    "text",
    [
        "/circuits/toytown/mixed4b/999",
        "/circuits/toytown/nowhere/3",
        "/circuits/nomodel/a/3",
        "/models/toytown/mixed4b/999/on-picture",
        "circuit of cars",
    ],
)
def test_circuits_of_nothing(text: str) -> None:
    answer = resolve(text, LIBRARY)
    assert (answer.url, answer.address) == (None, None)
    assert answer.note
