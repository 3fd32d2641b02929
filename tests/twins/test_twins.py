"""Every page's twin as it was recorded, over atlases of all formats; see `README.md` beside this.

A recorded key that is gone, or has another value, fails with the address and the place in the JSON.
New keys are welcome.
"""

import copy
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from record import read
from twin_compare import MISSING, Difference, Expected, differences, unexpected
from twin_said_true import SAID_TRUE
from twin_site import ATLASES, Sites, bare_machine, copy_atlases, read_urls

from micrograph.lenses import names

_DISAGREED = r"(alexnet|alexnet_caffe_places365|contrastive_\w+|resnetv2_50_slim)"
_COUNTED = (
    "The catalogue says which nodes the engine found worth seeing; before, the site guessed, and "
    "counted convolutions before their ReLU, summands and the like."
)
EXPECTED: tuple[Expected, ...] = (
    Expected(
        r"all /models/toytown/mixed4a\.json\?lens=(joint|nosuch)",
        r"\$\.body\.message",
        lambda a, b: b == a.replace(" or tuning ", " or prototype or tuning "),
        "a lens that came since is among those to choose from",
    ),
    Expected(
        r"all /(models)?\.json", r"\$\.body\.known\[\d+\]\.units", lambda a, b: b < a, _COUNTED
    ),
    Expected(
        rf"all /models/{_DISAGREED}\.json(\?open=.+)?",
        r"\$\.body\.(units|depth\.length)",
        lambda a, b: b < a,
        _COUNTED,
    ),
    Expected(
        rf"all /models/{_DISAGREED}\.json(\?open=.+)?",
        r"\$\.body\.depth\[\d+\]\.(node|units)",
        lambda a, b: b is not MISSING,
        _COUNTED,
    ),
    Expected(
        r"all /compare\.json\?here=alexnet&there=vgg19_caffe",
        r"\$\.body\.here\.(nodes|units)",
        lambda a, b: b < a,
        _COUNTED,
    ),
    Expected(
        r"all /search\.json\?q=(owl|dog|car)",
        r"\$\.body\.hits\.length",
        lambda a, b: b > a,
        "Behind what has the name, units are found by the classes of their strongest pictures.",
    ),
    *SAID_TRUE,
)
"""Differences that a later format brings on purpose, each with the reason. For example, for a line
that names the format of the atlas:

    Expected(
        r"all /models/toytown\\.json", r"\\$\\.body\\.rendered\\[\\d+\\]\\.text",
        lambda recorded, now: now == recorded.replace("format 2", "format 3"),
        "Format 3 is said on the page of a model.",
    )

What is meant to stay otherwise for good is better recorded anew."""

LATER = "written_later"
"""The technique of the result that a test adds."""
ADDED = ("conv0", 23)
"""Where it is added: nothing else is rendered there."""

LINES = read_urls()
RECORDED = read()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with bare_machine(tmp_path_factory.mktemp("home")):
        yield


@pytest.fixture(scope="module")
def sites(bare: None, tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """The sites over a copy of the stored atlases."""
    return Sites(copy_atlases(tmp_path_factory.mktemp("twins") / "atlases"))


KNOWN = {lens["technique"] for lens in RECORDED["all /about.json"]["body"]["lenses"]}
"""The lenses that there were when the answers were recorded."""


def without_new_lenses(now: Any) -> Any:
    """An answer without what lists in it say of lenses that came since: they are new entries."""
    if isinstance(now, dict):
        return {key: without_new_lenses(value) for key, value in now.items()}
    if isinstance(now, list):
        new = set(names()) - KNOWN
        return [
            without_new_lenses(one)
            for one in now
            if not (isinstance(one, dict) and one.get("technique") in new)
        ]
    return now


def check(line: str, now: Any) -> None:
    found = unexpected(line, RECORDED[line], without_new_lenses(now), EXPECTED)
    shown = "\n  ".join(map(str, found[:20]))
    assert not found, f"{len(found)} differences at {line}\n  {shown}"


def test_each_line_is_recorded_once() -> None:
    assert len(set(LINES)) == len(LINES)
    assert set(LINES) == RECORDED.keys(), "run record.py after changing urls.txt"


def test_every_lens_has_results_in_the_stored_atlases() -> None:
    shown = {
        technique
        for line, answer in RECORDED.items()
        if line.startswith(("all /models/toytown/", "all /models/toytown_clip/"))
        for technique in answer.get("body", {}).get("techniques", ())
    }
    assert len(KNOWN) == 15
    assert shown >= KNOWN


@pytest.mark.parametrize("line", LINES, ids=[line[:100] for line in LINES])
def test_an_answer_is_as_recorded(sites: Sites, line: str) -> None:
    check(line, sites.ask(line))


def test_reading_leaves_the_files_as_they_were(sites: Sites) -> None:
    sites.ask("all /models/toytown/mixed4a/0.json")
    sites.ask("first /models/toytown/mixed4a/0.json")
    before = {path.name: path.read_bytes() for path in ATLASES.iterdir()}
    after = {path.name: path.read_bytes() for path in sites.folder.iterdir()}
    after.pop("no-atlas.atlas")
    assert after == before


def write_to(path: Path) -> None:
    """Add a result to an atlas, made of one that is in it."""
    from micrograph.atlas import AtlasWriter, Library

    library = Library([path])
    (model,) = library.models()
    atlas = library.model(model.id)
    node = next(iter(atlas.nodes))
    assert node == ADDED[0]
    old = next(_results(atlas))
    later = dataclasses.replace(
        old,
        node=node,
        unit=ADDED[1],
        picture=None,
        recipe={"technique": LATER, "view": "plain", "seed": 7},
        data={"answer": 42},
    )
    with AtlasWriter.open(
        path, model, tuple(atlas.nodes.values()), tuple(atlas.dictionaries.values())
    ) as writer:
        writer.put([later])


def _results(atlas: Any) -> Iterator[Any]:
    """The results of an atlas."""
    for node in dict.fromkeys(count.node for count in atlas.counts()):
        for unit in (None, *range(atlas.nodes[node].units)):
            yield from atlas.visualizations(node, unit)


STORED = sorted(path.name for path in ATLASES.glob("*.atlas"))


@pytest.fixture(scope="module")
def written(bare: None, tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """The sites over copies that were all opened by a writer, which added a result to each."""
    folder = copy_atlases(tmp_path_factory.mktemp("written") / "atlases")
    for name in STORED:
        write_to(folder / name)
    return Sites(folder)


def test_a_written_atlas_is_one_plain_file(written: Sites) -> None:
    files = {path.name for path in written.folder.iterdir()} - {"no-atlas.atlas"}
    assert {name for name in files if not name.endswith(".lock")} == set(STORED)


@pytest.mark.parametrize(
    "address", ["first /models/toytown", "all /models/toytown", "all /models/toytown_clip"]
)
def test_what_a_writer_adds_is_read(written: Sites, address: str) -> None:
    node, unit = ADDED
    page = written.ask(f"{address}/{node}/{unit}.json")["body"]
    assert [v["data"] for v in page["visualizations"] if v["technique"] == LATER] == [
        {"answer": 42}
    ]


PLACES = [
    line for line in LINES
    if line.partition("?")[0].removesuffix(".json").count("/") >= 3
    and line.split("/")[2] in ("toytown", "toytown_clip")
    and (".json" in line or "/images/" in line)
    and "?" not in line
    and ADDED[0] not in line
]  # fmt: skip
"""Nodes, units and pictures out of the atlases that were written to, but for the one added to."""


def test_what_was_there_reads_as_before_after_a_writer(written: Sites) -> None:
    assert len(PLACES) > 50
    for line in PLACES:
        check(line, written.ask(line))


# The comparison itself.

ONE = {"a": [{"best": 1.5, "name": "x", "n": 3}, {"best": None, "on": True}], "a b": {}}


def found(now: Any) -> list[str]:
    return [difference.path for difference in differences(ONE, now)]


def test_equal_answers_and_new_keys_are_no_difference() -> None:
    now = copy.deepcopy(ONE)
    assert found(now) == []
    now["new"], now["a"][1]["new"], now["a"][0]["best"] = [1], 2, 1.5 * (1 + 1e-8)
    assert found(now) == []


@pytest.mark.parametrize(("item", "key", "value"), [
    (0, "best", 1.50001), (0, "name", "y"), (0, "n", 4), (0, "n", "3"), (0, "n", None),
    (1, "best", 0), (1, "on", 1), (1, "on", False), (0, "best", [1.5]), (0, "best", float("nan")),
])  # fmt: skip
def test_another_value_is_found(item: int, key: str, value: Any) -> None:
    now = copy.deepcopy(ONE)
    now["a"][item][key] = value
    assert found(now) == [f"$.a[{item}].{key}"]


def test_a_missing_key_and_another_length_are_found() -> None:
    now = copy.deepcopy(ONE)
    del now["a"][1]["best"], now["a b"]
    assert found(now) == ["$.a[1].best", "$['a b']"]
    assert next(differences(ONE, now)) == Difference("$.a[1].best", None, MISSING)
    now = copy.deepcopy(ONE)
    now["a"].append({})
    assert found(now) == ["$.a.length"]
    assert found({**ONE, "a": ONE["a"][:1]}) == ["$.a.length"]
    assert found({**ONE, "a": {}}) == ["$.a"]


def test_one_changed_value_in_a_recorded_answer_fails() -> None:
    line = "all /models/toytown/mixed4a/0.json"
    now = copy.deepcopy(RECORDED[line])
    check(line, now)
    now["body"]["sections"][0]["new"] = 1
    check(line, now)
    now["body"]["visualizations"][2]["score"] *= 1.001
    with pytest.raises(AssertionError, match=r"(?s)mixed4a/0\.json.*visualizations\[2\]\.score"):
        check(line, now)


def test_only_what_is_expected_is_allowed() -> None:
    rule = Expected(r"all /m/.*", r"\$\.a\[\d\]\.n", lambda one, now: now == one + 1, "an example")
    now = copy.deepcopy(ONE)
    now["a"][0]["n"] = 4
    assert unexpected("all /m/x.json", ONE, now, [rule]) == []
    assert len(unexpected("all /other.json", ONE, now, [rule])) == 1
    now["a"][0]["n"] = 5
    assert len(unexpected("all /m/x.json", ONE, now, [rule])) == 1
