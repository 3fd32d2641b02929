"""Examples that sweeps left in atlases are found again, and none of other weights or datasets."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from micrograph.atlas import Atlas, bundled_gallery
from micrograph.runner.examples import ExamplesInAtlases

NODE, UNIT = "inception_4c", 447


@pytest.fixture(scope="module")
def gallery() -> Atlas:
    return Atlas.open(bundled_gallery() / "inceptionv1_caffe-photographs.atlas")


def like(gallery: Atlas, digest: str = "", dictionary: str = "") -> SimpleNamespace:
    """As much of a model as is asked for."""
    made = SimpleNamespace(dictionary=SimpleNamespace(digest=dictionary))
    return SimpleNamespace(
        id=gallery.model.id,
        digest=digest or gallery.model.digest,
        node=lambda name: SimpleNamespace(id=NODE if name == "4c" else name),
        attached=lambda name: made if dictionary else None,
    )


def test_those_of_the_gallery_are_found(gallery: Atlas, tmp_path: Path) -> None:
    (stored,) = gallery.visualizations(NODE, UNIT, "dataset_examples")
    dataset = stored.recipe["dataset"]
    examples, model = ExamplesInAtlases(tmp_path / "none.atlas"), like(gallery)
    expected = tuple(number for number, *_ in stored.data["top"])
    assert len(expected) >= 8
    assert examples.top(model, NODE, UNIT, dataset) == expected
    assert examples.top(model, "4c", UNIT, dataset) == expected
    assert examples.there(model, "4c", dataset)


def test_none_of_other_weights_datasets_dictionaries_or_units(
    gallery: Atlas, tmp_path: Path
) -> None:
    (stored,) = gallery.visualizations(NODE, UNIT, "dataset_examples")
    dataset = stored.recipe["dataset"]
    examples = ExamplesInAtlases(tmp_path / "none.atlas")
    for model, other in (
        (like(gallery, digest="0" * 64), dataset),
        (like(gallery, dictionary="d" * 64), dataset),
        (like(gallery), "0" * 64),
    ):
        assert examples.top(model, NODE, UNIT, other) == ()
        assert not examples.there(model, NODE, other)
    assert examples.top(like(gallery), NODE, 9999, dataset) == ()
    assert examples.top(like(gallery), "no_such_node", 0, dataset) == ()


def test_a_file_that_is_no_atlas_is_passed_over(gallery: Atlas, tmp_path: Path) -> None:
    (stored,) = gallery.visualizations(NODE, UNIT, "dataset_examples")
    path = tmp_path / "inceptionv1_caffe.atlas"
    path.write_bytes(b"no atlas")
    assert ExamplesInAtlases(path).there(like(gallery), NODE, stored.recipe["dataset"])
