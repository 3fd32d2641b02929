"""Two models side by side: pairs against numpy.corrcoef, rows, and the page itself."""

from pathlib import Path

import lens_samples
import numpy as np
import pytest
from html_document import check_page
from profile_samples import NUMBERS, A, B, quantized, row, write
from web_client import Client
from web_samples import NODES

from micrograph.atlas import AtlasWriter, Library, bundled_catalogue
from micrograph.errors import NotFound
from micrograph.parts.urls import Urls
from micrograph.web import create_app
from micrograph.web.matches import matches, shared_dataset
from micrograph.web.pages.compare import compare_page


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("pairs")
    rows_a = [row("one", node, quantized(values, NUMBERS)) for node, values in A.items()]
    # The other model saw fewer of the pictures, in another order.
    order = np.random.default_rng(1).permutation(len(NUMBERS))[:150]
    rows_b = [
        row("two", node, quantized(values[:, order], NUMBERS[order])) for node, values in B.items()
    ]
    write(folder, "one", rows_a)
    write(folder, "two", rows_b)
    write(folder, "blind", [])
    return Library([folder])


def test_pairs_are_mutual_best_and_equal_corrcoef(library: Library) -> None:
    one, two = library.model("one"), library.model("two")
    digest = shared_dataset(one, two)
    order = np.sort(np.random.default_rng(1).permutation(len(NUMBERS))[:150])
    live = [u for u in range(len(A["conv0"])) if np.ptp(A["conv0"][u]) > 0]
    alike = np.corrcoef(A["conv0"][live][:, order], B["conv0"][:, order])
    alike = alike[: len(live), len(live) :]
    expected = {
        (live[i], int(alike[i].argmax())): alike[i].max()
        for i in range(len(live))
        if alike[:, alike[i].argmax()].argmax() == i
    }
    found = matches(one, "conv0", two, "conv0", digest, 99)
    assert {(m.here, m.there) for m in found} == set(expected)
    for m in found:
        assert m.value == pytest.approx(expected[m.here, m.there], abs=0.01)  # 8 bits
    assert [m.value for m in found] == sorted((m.value for m in found), reverse=True)
    assert all(m.here != 3 for m in found)  # dead
    assert matches(one, "conv0", two, "conv0", digest, 2) == found[:2]


def test_a_model_with_itself_pairs_every_unit_with_itself(library: Library) -> None:
    one = library.model("one")
    found = matches(one, "conv0", one, "conv0", shared_dataset(one, one), 99)
    assert {(m.here, m.there) for m in found} == {(u, u) for u in range(8) if u != 3}
    assert all(m.value == pytest.approx(1) for m in found)


def test_without_common_pictures_there_are_rows_but_no_pairs(library: Library) -> None:
    page = compare_page(library.snapshot(), Urls(), "one", "blind")
    assert page.dataset == ""
    assert page.rows
    assert all(not r.pairs for r in page.rows)


def test_rows_go_from_input_to_output_of_both(library: Library) -> None:
    page = compare_page(library.snapshot(), Urls(), "one", "TWO")
    depths = [r.depth for r in page.rows]
    assert depths[0] == 0
    assert depths[-1] == 1
    assert depths == sorted(depths)
    assert page.there.model.id == "two"
    assert page.rows[0].here.node.id == "conv0"
    assert any(r.pairs for r in page.rows)
    shown = {c.value for c in page.switches[0].choices}
    assert "two" not in shown  # it is on the other side
    assert "one" in shown


def test_nodes_of_one_name_stand_side_by_side(library: Library) -> None:
    page = compare_page(library.snapshot(), Urls(), "one", "two")
    assert page.named
    assert all(r.here.node.id == r.there.node.id for r in page.rows)
    assert [r.here.node.id for r in page.rows] == ["conv0", "mixed1a", "wide", "empty", "logits"]


def test_names_stand_for_the_same_in_short_forms_too() -> None:
    known = Library([], bundled_catalogue())
    page = compare_page(known.snapshot(), Urls(), "inceptionv1", "inceptionv1_caffe")
    found = {r.here.node.id: r.there.node.id for r in page.rows}
    assert page.named
    modules = {here: there for here, there in found.items() if here.startswith("mixed")}
    assert len(modules) >= 5
    assert modules == {here: here.replace("mixed", "inception_") for here in modules}
    page = compare_page(known.snapshot(), Urls(), "alexnet", "contrastive_rn50")
    assert not page.named
    assert page.rows[0].there.node.id == "stem.bn1"
    depths = [r.depth for r in page.rows]
    assert depths == pytest.approx([i / (len(depths) - 1) for i in range(len(depths))])


def test_rows_count_their_pairs(library: Library) -> None:
    one, two = library.model("one"), library.model("two")
    page = compare_page(library.snapshot(), Urls(), "one", "two")
    row = next(r for r in page.rows if r.here.node.id == "mixed1a")
    found = matches(one, "mixed1a", two, "mixed1a", shared_dataset(one, two), 99)
    assert row.paired == len(found) >= len(row.pairs)
    assert row.same == sum(m.here == m.there for m in found)
    assert sum(m.value >= row.median for m in found) * 2 >= len(found)
    itself = compare_page(library.snapshot(), Urls(), "one", "one")
    first = next(r for r in itself.rows if r.here.node.id == "conv0")
    assert (first.paired, first.same) == (7, 7)  # all but the dead one


def test_units_without_a_picture_show_their_strongest_example(tmp_path: Path) -> None:
    with AtlasWriter.open(tmp_path / "lensed.atlas", lens_samples.MODEL, NODES) as writer:
        lens_samples.add(writer)
    lensed = Library([tmp_path])
    page = compare_page(lensed.snapshot(), Urls(), "lensed", "lensed")
    seen = {c.node for c in lensed.model("lensed").counts() if c.technique == "dataset_examples"}
    shown = {r.here.node.id: r.here.thumbs for r in page.rows}
    assert shown["mixed1a"]
    assert seen & {*shown} == {"mixed1a"}
    assert all(t.image and t.window for t in shown["mixed1a"])
    assert shown["conv0"] == []


def test_an_unknown_model_is_not_found(library: Library) -> None:
    with pytest.raises(NotFound, match="tow"):
        compare_page(library.snapshot(), Urls(), "one", "tow")


def test_the_page_and_its_twin(library: Library) -> None:
    client = Client(create_app(library))
    check_page(client, "/compare?here=one&there=two")
    twin = client.get("/compare.json?here=one&there=two").json()
    assert [r["here"]["node"]["id"] for r in twin["rows"]]
    assert client.get("/compare?here=one&there=nobody").status_code == 404
    assert client.get("/compare?here=one").status_code == 400
