"""Family trees: every model of ours stands in one place at most, and is known."""

import pytest

from micrograph.lineage import FAMILIES, family_of, members


def test_no_model_stands_twice():
    ids = [r.id for family in FAMILIES for r in members(family.root) if r.id]
    assert len(ids) == len(set(ids))


def test_every_id_is_a_model_of_ours():
    from micrograph.models import cards

    ids = {r.id for family in FAMILIES for r in members(family.root) if r.id}
    assert ids <= set(cards())


@pytest.mark.parametrize("model", ["inceptionv1", "inceptionv1_caffe"])
def test_the_inceptionv1s_are_one_family(model):
    family = family_of(model)
    assert family is not None
    titles = [r.title for r in members(family.root)]
    assert "torchvision's googlenet" in titles
    assert len([r for r in members(family.root) if r.differs]) == len(titles)


def test_a_model_without_relatives_has_no_family():
    assert family_of("squeezenet1_1") is None
    assert family_of("") is None
