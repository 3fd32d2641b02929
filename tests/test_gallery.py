"""The bundled gallery is what it claims to be, and can be made again."""

from pathlib import Path

import pytest

from micrograph.atlas import Atlas, bundled_gallery
from micrograph.cards import card
from micrograph.circuits.claims.evidence import RULES
from micrograph.claims import Claim
from micrograph.errors import Unavailable
from micrograph.lenses import get, names
from micrograph.lenses import lenses as all_lenses
from micrograph.lenses.engines.base import Job
from micrograph.models import load
from micrograph.optimize import Settings, channel, optimize

MODEL = "inceptionv1_caffe"
BLOCKS = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
NODES = ["conv2_3x3", *(f"inception_{block}" for block in BLOCKS)]
FILE = bundled_gallery() / f"{MODEL}.atlas"
LENSES = bundled_gallery() / f"{MODEL}-lenses.atlas"
PHOTOGRAPHS = bundled_gallery() / f"{MODEL}-photographs.atlas"
CLAIMS = bundled_gallery() / f"{MODEL}-claims.atlas"
CONNECTIONS = bundled_gallery() / f"{MODEL}-connections.atlas"


@pytest.fixture(scope="module")
def gallery() -> Atlas:
    return Atlas.open(FILE)


def test_nothing_lies_beside_it() -> None:
    there = {p.name for p in FILE.parent.glob(f"{MODEL}*")}
    files = (FILE, LENSES, PHOTOGRAPHS, CLAIMS, CONNECTIONS)
    known = {file.name for file in files}
    assert there == known, "plain files, nothing beside them"


@pytest.mark.parametrize("file", sorted(FILE.parent.glob("*.atlas")), ids=lambda f: f.stem)
def test_every_file_is_small_and_of_the_weights_of_its_card(file: Path) -> None:
    assert file.stat().st_size <= 24_000_000
    atlas = Atlas.open(file)
    assert atlas.model.digest == card(atlas.model.id).digest
    assert atlas.counts() or atlas.subjects()  # claims are about no single place


def test_one_claim_stands_and_one_falls() -> None:
    atlas = Atlas.open(CLAIMS)
    found = {}
    for subject in atlas.subjects(technique="claim"):
        (stored,) = atlas.about(subject, "claim")
        told = Claim.from_json(stored.data["claim"])
        assert told.subject == subject
        assert told.weights == atlas.model.digest
        assert stored.data["rule"] == list(RULES)
        found[str(subject)] = stored.data["verdict"]
    assert found == {
        "inception_4c/499=inception_4b/164+inception_4b/454": "supports",
        "inception_4c/499=inception_4b/330": "contradicts",
    }
    assert CLAIMS.stat().st_size < 1_000_000


def test_two_blocks_say_what_they_are_built_from() -> None:
    atlas = Atlas.open(CONNECTIONS)
    found = {(count.node, count.technique) for count in atlas.counts()}
    assert found == {("inception_4b", "connections"), ("inception_4c", "connections")}
    assert CONNECTIONS.stat().st_size < 2_000_000


def test_a_token_unit_s_recipe_makes_its_picture_again() -> None:
    atlas = Atlas.open(FILE.parent / "toytown_vit.atlas")
    stored = next(v for v in atlas.visualizations("blocks.2", 4) if v.technique == "feature_vis")
    job = Job(stored.recipe)
    again = next(get("feature_vis").run(load("toytown_vit"), "blocks.2", [4], job))
    assert again.score == pytest.approx(stored.score, rel=0.25)


def test_it_shows_the_model_of_the_card(gallery: Atlas) -> None:
    assert gallery.model.digest == card(MODEL).digest
    assert gallery.model.licence
    assert gallery.model.source


@pytest.mark.parametrize("node", NODES)
def test_every_unit_and_two_dozen_large_ones(gallery: Atlas, node: str) -> None:
    units = gallery.nodes[node].units
    small = gallery.tiles(node, "feature_vis", "channel")
    assert [t.unit for t in small] == list(range(units))
    assert all(96 <= t.width <= 224 for t in small)
    large = [
        t for t in gallery.tiles(node, "feature_vis", "channel", min_width=224) if t.width == 224
    ]
    assert len(large) >= 24
    assert all(t.score > 0 for t in small)


def test_every_picture_can_be_read_and_has_a_recipe_of_its_model(gallery: Atlas) -> None:
    import io

    from PIL import Image

    for node in NODES:
        shown = gallery.visualizations(node, 7)
        assert shown
        for v in shown:
            assert v.recipe["weights"] == gallery.model.digest
            assert v.made_with["torch"]
            picture = gallery.picture(v.picture.digest)
            assert picture is not None
            with Image.open(io.BytesIO(picture.data)) as image:
                assert image.size == (v.recipe["size"], v.recipe["size"])


@pytest.mark.parametrize(("node", "unit"), [("inception_3a", 3), ("inception_4c", 1)])
def test_a_recipe_makes_its_picture_again(gallery: Atlas, node: str, unit: int) -> None:
    """Bit for bit only on the processor it was made on; its activation everywhere, roughly."""
    try:
        model = load(MODEL)
    except Unavailable as error:
        pytest.skip(str(error))
    stored = min(gallery.visualizations(node, unit), key=lambda v: v.recipe["size"])
    job = Job(stored.recipe)
    again = next(get("feature_vis").run(model, node, [unit], job))
    assert again.score == pytest.approx(stored.score, rel=0.25)
    few = Settings.from_dict({**stored.recipe, "steps": 2})
    assert optimize(model, channel(node, [unit]), few).scores.item() < stored.score / 2


@pytest.fixture(scope="module")
def lenses() -> Atlas:
    return Atlas.open(LENSES)


@pytest.mark.parametrize("node", NODES)
def test_every_node_has_its_node_lenses(lenses: Atlas, node: str) -> None:
    shown = {(v.technique, v.variant) for v in lenses.visualizations(node, None)}
    assert {
        ("deepdream", "node"),
        ("caricature", "chelsea"),
        ("caricature", "astronaut"),
        ("similar", "weights"),
        ("unit_map", "node"),
        ("unit_map", "model"),
        ("tuning", "curves"),
        ("tuning", "edges"),
        ("tuning", "hue"),
    } <= shown
    units = lenses.nodes[node].units
    for technique, variant, name in (
        ("tuning", "curves", "responses"),
        ("similar", "weights", "near"),
        ("unit_map", "node", "xy"),
    ):
        assert len(lenses.arrays(node, None, technique, variant)[name]) == units


def test_there_is_something_of_every_lens_that_can_be_shared(lenses: Atlas) -> None:
    """Text needs a network that knows words, facets by theme one that knows our own scenes. Lenses
    that came after the gallery are in the demo."""
    shown = {count.technique for count in lenses.counts()} | {"feature_vis"}
    later = {name for name, one in all_lenses().items() if one.demo}
    assert set(names()) - shown - later == {"text_feature_vis", "faceted_feature_vis"}


@pytest.mark.parametrize("node", ["inception_3b", "inception_4c", "inception_5b"])
def test_examples_are_our_own_pictures_and_all_are_there(lenses: Atlas, node: str) -> None:
    found = lenses.results(node, "dataset_examples", "toytown")
    assert found.keys() == {None, *range(lenses.nodes[node].units)}
    for unit in (0, 7, lenses.nodes[node].units - 1):
        data = found[unit].data
        numbers = {example[0] for example in (*data["top"], *data["bottom"])}
        samples = lenses.samples(data["dataset"], numbers)
        assert samples.keys() == numbers
        assert all(s.picture and s.picture.width == 224 for s in samples.values())


def test_no_picture_of_others_ships(lenses: Atlas) -> None:
    """Whatever dataset is in it is drawn by us, or one of the pictures that ship."""
    for dataset in lenses.datasets():
        known = dataset.name in ("toytown", "pictures") or dataset.name.startswith("tuning-")
        assert known, dataset
