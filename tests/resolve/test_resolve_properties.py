"""What holds for every place and every text."""

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograph.address import Address
from micrograph.atlas import Library, bundled_catalogue
from micrograph.resolve import resolve

LIBRARY = Library([], bundled_catalogue())
MODELS = [m.id for m in LIBRARY.models() if LIBRARY.model(m.id).nodes]


def forms(model: str, node: str, unit: int) -> list[str]:
    return [
        f"{model}/{node}/{unit}",
        f"{model} {node}:{unit}",
        f"{model}/{node}:{unit}",
        f"{model} {node} {unit}",
        f"unit {unit} of {node} in {model}",
        f"{model}: {node}, {unit}",
        f"{model} / {node} / {unit}",
        f"In {model}, {node}:{unit} is a detector of wheels.",
        f"/models/{model}/{node}/{unit}",
        f"http://localhost:1/models/{model}/{node}/{unit}.json",
        f"https://microscope.openai.com/models/{model}/{node}/{unit}",
        f"[{node}:{unit}](http://microscope-azure-edge.openai.com/models/{model}/{node}/{unit}/)",
    ]


@pytest.mark.parametrize("model", MODELS)
def test_every_node_of_every_model_reads_back(model):
    """Every node in one form and another, by id and by each alias."""
    atlas = LIBRARY.model(model)
    choose = random.Random(model)
    for alias, id in atlas.aliases.items():
        unit = choose.randrange(atlas.nodes[id].units)
        if re.search(r"[#\s]", alias):  # a module that is called twice: `path#1`
            continue
        for text in choose.sample(forms(model, alias, unit), 2):
            answer = resolve(text, LIBRARY)
            assert answer.address == f"{model}/{id}/{unit}", (text, answer)
        assert resolve(f"{model}/{alias}", LIBRARY).address == f"{model}/{id}"


@st.composite
def places(draw):
    model = draw(st.sampled_from(MODELS))
    node = draw(st.sampled_from(list(LIBRARY.model(model).nodes.values())))
    return model, node, draw(st.integers(0, node.units - 1))


@given(places())
@settings(deadline=None)
def test_every_form_of_every_address(place):
    model, node, unit = place
    address = str(Address(model, node.id, unit))
    for text in forms(model, node.id, unit):
        answer = resolve(text, LIBRARY)
        assert answer.address == address, (text, answer)
        assert resolve(answer.address, LIBRARY) == resolve(answer.url, LIBRARY)


@given(places(), st.integers(0, 10**12))
@settings(deadline=None)
def test_units_that_are_not_there_are_never_another(place, beyond):
    model, node, _ = place
    for text in forms(model, node.id, node.units + beyond):
        answer = resolve(text, LIBRARY)
        assert (answer.address, answer.unit) == (None, None), (text, answer)


WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        (
            "unit",
            "of",
            "in",
            "4c",
            "mixed4c",
            "447",
            "3",
            ":",
            "/",
            "#",
            "?",
            "&",
            "%22",
            "models",
            "toytown",
            "inceptionv1",
            "https://microscope.openai.com/models/",
            "http://x/models/",
            "channel-3.png",
            "lucid.feature_vis",
            "op=",
            "_0",
            "(",
            ")",
            "[",
            "]",
            "\n",
        ),
    ),
)


@given(st.lists(WORDS, max_size=12), st.sampled_from(["", " ", "/"]))
@settings(deadline=None, max_examples=300)
def test_a_place_is_found_only_where_the_text_names_all_of_it(words, glue):
    """Whatever is put together: the unit's number stands in the text, and it exists."""
    text = glue.join(words)
    answer = resolve(text, LIBRARY)
    assert (answer.url is None) == (answer.address is None and answer.url != "/models")
    if answer.unit is not None:
        assert re.search(rf"(?<![0-9])0*{answer.unit}(?![0-9])", text.replace("%22", " ")), answer
        assert answer.unit < LIBRARY.model(answer.model).nodes[answer.node].units
    for near in answer.nearest:
        model, *rest = near.split("/")
        atlas = LIBRARY.model(model)
        if rest:
            assert rest[0] in atlas.nodes
        if rest[1:]:
            assert int(rest[1]) < atlas.nodes[rest[0]].units


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=200)
def test_garbage_names_no_unit(text):
    assert resolve(text, LIBRARY).unit is None


BOMBS = [
    "a" * 10_000,
    "/" * 10_000,
    "4c:" * 3_400,
    "https://" * 1_300,
    "models/" * 1_500,
    "microscope" * 1_000,
    "https://microscope.openai.com/" + "models/" * 1_400,
    "https://microscope.openai.com/models/" + "%25" * 3_300,
    "[" * 10_000,
    "&amp;" * 2_000,
    "http://microscope.openai.com/models/a/b/1 " * 240,
    "inceptionv1 " * 900,
    "toytown 4a:3 " * 800,
    "inception" + "-" * 9_980,
    "unit 3 " * 1_500,
    "4a 3 " * 2_000,
    "a/lucid.feature_vis/" + "op=&" * 2_400,
    "x/lucid." * 1_250,
    "٣" * 10_000,
    "\0" * 10_000,
    "inceptionv1/" + "mixd4c" * 1_600,
    ("mixd4c:1 " * 1_100),
    "w9 " * 3_300,
    "".join(f"toytwn{n}x4c " for n in range(800)),
    "%2F" * 3_300 + "openai.com%2F",
]


@pytest.mark.parametrize("bomb", BOMBS, ids=[b[:24] for b in BOMBS])
def test_hostile_texts_take_a_moment(bomb):
    resolve("toytown", LIBRARY)  # the catalogue is read
    start = time.process_time()
    answer = resolve(bomb[:10_000], LIBRARY)
    assert time.process_time() - start < 1.0
    assert answer.unit is None or "4a:3" in bomb
