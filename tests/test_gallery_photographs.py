"""What the gallery says of photographs: it holds none, and its numbers are the network's."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from web_client import Client

from micrograph.atlas import Atlas, Library, bundled_gallery
from micrograph.cards.class_words import classes_meant
from micrograph.cards.zoo._imagenet import CLASSES
from micrograph.errors import Unavailable
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.models.pictures import to_input
from micrograph.pictures import decode
from micrograph.published import Copy, Listing, copy_of, listing
from micrograph.published import copies as copies_of
from micrograph.published.importing import import_pictures
from micrograph.web import create_app
from micrograph.web.class_search import units_of_class

FILE = bundled_gallery() / "inceptionv1_caffe-photographs.atlas"
SHARED = Path(__file__).parents[2] / "shared" / "images" / "imagenet_samples"
STEP = 90
"""Every picture of this number is looked at again."""
NODES = ("inception_3b", "inception_4c", "inception_5b", "loss3_classifier")
LISTED: Listing = listing("imagenet-samples")


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return Atlas.open(FILE)


def test_it_names_every_photograph_and_holds_none(atlas: Atlas) -> None:
    (dataset,) = atlas.datasets()
    assert (dataset.name, dataset.digest) == (LISTED.name, LISTED.digest)
    assert (dataset.title, dataset.pictures, dataset.size) == ("1,000 ImageNet samples", 1000, 224)
    assert dataset.classes == atlas.model.labels == CLASSES
    with sqlite3.connect(FILE) as connection:
        assert connection.execute("SELECT count(*) FROM picture").fetchone() == (0,)
        rows = connection.execute("SELECT number, name, class FROM sample ORDER BY number")
        named = [(n, name, cls) for n, name, cls in rows]
    assert named == [(n, one.name, one.cls) for n, one in enumerate(LISTED.pictures)]


def test_every_unit_of_the_gallery_s_nodes_was_swept(atlas: Atlas) -> None:
    gallery = Atlas.open(bundled_gallery() / "inceptionv1_caffe.atlas")
    pictured = {count.node for count in gallery.counts()}
    swept: dict[str, set[int | None]] = {}
    for node, lens, variant, unit in atlas.rendered():
        assert (lens, variant) == ("dataset_examples", LISTED.name)
        swept.setdefault(node, set()).add(unit)
    assert swept.keys() == pictured | {"loss3_classifier"}
    assert all(units == {None, *range(atlas.nodes[n].units)} for n, units in swept.items())
    found = atlas.results("inception_4c", "dataset_examples", LISTED.name)
    assert found[None].data["skipped"] == 0
    profile = atlas.arrays("inception_4c", None, "dataset_examples", LISTED.name)["profile"]
    for unit, above in enumerate((profile > 0).sum(1)):  # in 8 bits small values are 0
        assert above <= found[unit].data["fires"] <= 1000


def test_a_class_s_own_unit_answers_most_to_its_class(atlas: Atlas) -> None:
    """The network is right about 78 % of such pictures; its outputs know most of their classes."""
    found = atlas.results("loss3_classifier", "dataset_examples", LISTED.name)
    first = [[n for n, _, _ in found[unit].data["top"][:3]] for unit in range(1000)]
    assert np.mean([unit in best for unit, best in enumerate(first)]) > 0.75
    for unit in (0, 9, 817):
        classes = [cls for cls, _, _ in found[unit].data["classes"]]
        assert classes[:3] == first[unit], "there is one picture of each class"


@pytest.fixture
def model() -> Model:
    try:
        return load("inceptionv1_caffe")
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def photographs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Copy:
    """The reader's own copy where it is whole, else one of the folder beside the checkout."""
    copy = copy_of(LISTED)
    if copy.missing():
        if not SHARED.is_dir():
            pytest.skip(f"no photographs; `{LISTED.command}` gets them")
        monkeypatch.delenv("MICROGRAPH_DATASETS", raising=False)
        monkeypatch.setattr(copies_of, "data_folder", lambda: tmp_path)
        few = tmp_path / "few"
        few.mkdir()
        for path in sorted(SHARED.iterdir())[::STEP]:
            os.symlink(path, few / path.name)
        import_pictures(copy, few)
    return copy


def stored_maxima(atlas: Atlas, node: str, numbers: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """From the profile, in 8 bits: [unit, picture], and the range of each unit."""
    arrays = atlas.arrays(node, None, "dataset_examples", LISTED.name)
    assert arrays["numbers"].tolist() == list(range(1000))
    low, high = arrays["low"][:, None], arrays["high"][:, None]
    scale = np.maximum(high - low, 1e-6)
    return low + arrays["profile"][:, numbers] / 255 * scale, scale[:, 0]


def test_stored_results_are_what_the_real_weights_make_of_the_photographs(
    atlas: Atlas, model: Model, photographs: Copy
) -> None:
    """Plain passes over some pictures. As published they give the stored values, to the profile's 8
    bits; scaled copies, saved as JPEG once more, give nearly those."""
    forms = photographs.editions(range(0, 1000, STEP))
    numbers = [number for number, form in forms.items() if form is not None]
    assert len(numbers) >= 10
    exact = not any(photographs.is_other_form(number) for number in numbers)
    inputs = [
        to_input(decode(photographs.read(n), LISTED.pictures[n].name), model.preprocessing)
        for n in numbers
    ]
    with torch.no_grad():
        values = model.run(torch.stack(inputs), list(NODES))
    for node in NODES:
        maps = values[node].flatten(2) if values[node].ndim > 2 else values[node][..., None]
        seen = maps.amax(-1).T.numpy()  # [unit, picture]
        stored, scale = stored_maxima(atlas, node, numbers)
        off = np.abs(seen - stored) / scale[:, None]
        assert off.max() < 0.003 if exact else np.median(off) < 0.03
        alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(seen.T, stored.T, strict=True)]
        assert min(alike) > (0.9995 if exact else 0.85)
        assert np.median(alike) > 0.95
        if exact:
            check_examples(atlas, node, numbers, seen, maps.argmax(-1).T.numpy())


def check_examples(
    atlas: Atlas, node: str, numbers: list[int], seen: np.ndarray, where: np.ndarray
) -> None:
    """Where a picture is among the strongest of a unit: its value, and the place of that."""
    found = atlas.results(node, "dataset_examples", LISTED.name)
    columns = {number: column for column, number in enumerate(numbers)}
    met = 0
    for unit in range(atlas.nodes[node].units):
        for number, position, value in found[unit].data["top"]:
            if number in columns:
                assert value == pytest.approx(seen[unit, columns[number]], rel=1e-3)
                assert position == where[unit, columns[number]]
                met += 1
    assert met > 20


@pytest.mark.parametrize(
    ("word", "some", "fewest"),
    [("dog", range(151, 269), 20), ("wheel", (479, 444, 751, 817, 866, 880), 12), ("bird", (), 12)],
)
def test_a_search_for_a_kind_finds_units_that_fire_on_it(
    atlas: Atlas, word: str, some: Sequence[int], fewest: int
) -> None:
    meant = classes_meant(word, CLASSES)
    assert meant >= set(some)
    found = units_of_class(Library([bundled_gallery()]).model(atlas.model.id), word, 24)
    assert len(found) >= fewest
    for one in found:
        (result,) = atlas.visualizations(one.node, one.unit, "dataset_examples")
        hits = sum(number in meant for number, _, _ in result.data["top"])
        assert hits == pytest.approx(one.hits, abs=2)  # equals in 8 bits have no order
        assert hits >= 8
        assert one.dataset == "1,000 ImageNet samples"


def test_alike_units_name_the_pictures_that_they_are_alike_on() -> None:
    site = Client(create_app(Library([bundled_gallery()])))
    sections = site.get("/models/inceptionv1_caffe/inception_4c/314.json").json()["sections"]
    rows = next(s for s in sections if s["technique"] == "similar")["rows"]
    alike = [r["measure"] for r in rows if r["title"] == "Fires on the same pictures"]
    assert len(alike) == len(set(alike)) == 2
    assert sorted(m.rpartition(" of ")[2] for m in alike) == ["imagenet-samples", "toytown"]
