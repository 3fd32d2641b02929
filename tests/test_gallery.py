"""The bundled gallery is what it claims to be, and can be made again."""

import pytest

from micrograph.atlas import Atlas, bundled_gallery
from micrograph.errors import Unavailable
from micrograph.models import card, load
from micrograph.optimize import Settings, channel, optimize
from micrograph.techniques import Job, get

MODEL = "inceptionv1_caffe"
BLOCKS = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
NODES = ["conv2_3x3", *(f"inception_{block}" for block in BLOCKS)]
FILE = bundled_gallery() / f"{MODEL}.atlas"


@pytest.fixture(scope="module")
def gallery() -> Atlas:
    return Atlas.open(FILE)


def test_it_is_small_enough_to_ship() -> None:
    assert FILE.stat().st_size <= 24_000_000
    assert [p.name for p in FILE.parent.glob(f"{MODEL}*")] == [FILE.name], "one plain file"


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
    large = [t for t in gallery.tiles(node, "feature_vis", "channel", min_width=224)
             if t.width == 224]
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
    job = Job("feature_vis", stored.variant, stored.seed, stored.recipe)
    again = next(get("feature_vis").run(model, node, [unit], job))
    assert again.score == pytest.approx(stored.score, rel=0.25)
    few = Settings.from_dict({**stored.recipe, "steps": 2})
    assert optimize(model, channel(node, [unit]), few).scores.item() < stored.score / 2
