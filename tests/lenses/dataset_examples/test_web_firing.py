"""What a page says of the pictures on which a unit fires, and on how many that is."""

from dataclasses import replace

import lens_samples
import pytest
import web_samples
from html_document import check_page
from web_client import Client

from micrograph.atlas import AtlasWriter, DatasetRecord, Library
from micrograph.lenses.dataset_examples.firing import firing, least, strongest
from micrograph.lenses.dataset_examples.lens import ExamplesResult, Histogram
from micrograph.lenses.pages.coverage import coverage
from micrograph.web import create_app

SPACE = "\N{NARROW NO-BREAK SPACE}"
SPARSE = [[7, 0, 2.5], [3, 1, 0.5], [0, 0, 0.0], [1, 0, 0.0]]
LATENT = {
    "top": SPARSE,
    "bottom": [[0, 0, 0.0], [1, 0, 0.0]],
    "min": 0.0,
    "max": 2.5,
    "picture_max": {"0.5": 0, "0.9": 0, "0.99": 0, "1": 2.5},
}


def read(**data) -> ExamplesResult:
    return ExamplesResult.from_json(LATENT | data, {})


def test_a_latent_shows_only_pictures_on_which_it_fires():
    assert [n for n, _, _ in strongest(read())] == [7, 3]
    assert least(read()) == []
    assert firing(read(), 2000).text == f"Fires on 2 of 2{SPACE}000 pictures."
    assert firing(read(), 0).text == "Fires on 2 of the pictures."
    dead = read(top=[[0, 0, 0.0]], max=0.0)
    assert strongest(dead) == [] and firing(dead, 9).text == "Fires on none of 9 pictures."


def test_a_unit_with_values_below_zero_shows_all():
    top = [[1, 0, 0.5], [2, 0, -0.5]]
    logit = read(top=top, bottom=[[3, 0, -4.0]], min=-4.0)
    assert [n for n, _, _ in strongest(logit)] == [1, 2]
    assert [n for n, _, _ in least(logit)] == [3]
    assert firing(logit, 100) is None


def test_what_was_counted_is_said_and_else_what_is_certain():
    full = [[1, 0, 3.0], [2, 0, 2.0]]
    assert firing(read(top=full, fires=5), 2000).on == 5
    assert firing(read(top=full, fires=1500), 2000).text == (
        f"Fires on 1{SPACE}500 of 2{SPACE}000 pictures."
    )
    assert firing(read(top=full), 500).text == "Fires on at least 2 of 500 pictures."
    tenth = {"0.5": 0, "0.9": 0.1, "0.99": 1, "1": 3}
    assert firing(read(top=full, picture_max=tenth), 500).text == (
        "Fires on about 1 in 10 of 500 pictures or more."
    )


def test_a_relu_is_silent_at_zero_though_what_goes_into_it_is_not():
    rectified = replace(
        read(top=[[1, 0, 3.0]], bottom=[[2, 0, -4.0]], min=-4.0, fires=1),
        histogram=Histogram(-4, 4, [1.0, 1.0], "values before the activation"),
    )
    assert firing(rectified, 10).text == "Fires on 1 of 10 pictures."
    assert [value for _, _, value in least(rectified)] == [-4.0]


@pytest.mark.parametrize(
    ("labels", "classes", "foreign", "covered"),
    [
        (("tench, Tinca tinca", "tabby"), ("n01440764", "n02123045"), False, 0),  # ids: no names
        (("tench", "tabby", "owl"), ("n01440764_tench", "n02123045 tabby, tabby_cat"), False, 2),
        (("great white shark", "owl"), ("great_white_shark", "Owls"), False, 2),
        (("tench", "castle"), ("castle", "car", "fox"), True, 1),
        (("tench", "castle"), ("car", "fox"), True, 0),
        ((), ("car", "fox"), False, 0),
        (("tench",), (), False, 0),
        (("0", "1"), ("cat", "dog"), False, 0),
    ],
)
def test_a_dataset_is_foreign_where_the_labels_do_not_cover_it(labels, classes, foreign, covered):
    found = coverage(labels, DatasetRecord("town", "d" * 64, "Town", 9, 32, "", classes))
    assert (found.foreign, found.covered) == (foreign, covered)
    assert bool(found.said) == foreign
    if foreign:
        named = covered or "none"
        assert found.said.endswith(f"its labels name {named} of the {len(classes)} classes")


def test_the_page_of_a_latent_says_on_how_many_pictures_it_fires(tmp_path):
    lens_samples.write(tmp_path)
    data = lens_samples.examples(3, lens_samples.DATASET) | LATENT | {"bands": []}
    with AtlasWriter.open(tmp_path / "lensed.atlas", lens_samples.MODEL, web_samples.NODES) as out:
        row = lens_samples.result("dataset_examples", "toys", "mixed1a", 4, data)
        out.put([replace(row, recipe={**row.recipe, "seed": 9})])
    client = Client(create_app(Library([tmp_path])))
    twin = client.get("/models/lensed/mixed1a/4.json?dataset=toys").json()
    (part,) = (p for p in twin["sections"] if p["technique"] == "dataset_examples")
    assert [e["number"] for e in part["top"]] == [7, 3]
    assert part["firing"] == {"on": 2, "pictures": 48, "text": "Fires on 2 of 48 pictures."}
    address = "/models/lensed/mixed1a/4?dataset=toys"
    check_page(client, address)
    assert "Fires on 2 of 48 pictures." in client.get(address).text
