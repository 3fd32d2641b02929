"""Family trees: every model of ours stands in one place at most, and is known."""

import pytest

from micrograph.cards import cards
from micrograph.cards.families import families, family_of, members, microscope_models


def test_no_model_stands_twice():
    ids = [r.id for family in families() for r in members(family.root) if r.id]
    assert len(ids) == len(set(ids))


def test_every_id_is_a_model_of_ours():
    ids = {r.id for family in families() for r in members(family.root) if r.id}
    assert ids <= set(cards())
    assert ids == {card.id for card in cards().values() if card.family}


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


def test_microscopes_models_are_in_its_order():
    shown = microscope_models()
    assert [cards()[id].microscope for id in shown] == list(range(1, len(shown) + 1))
    assert shown[:3] == ("alexnet", "alexnet_caffe_places365", "inceptionv1")
    assert shown[-1] == "lm_v1"


def test_what_is_said_of_our_models_comes_from_their_cards():
    family = family_of("contrastive_4x")
    assert family is not None
    told = {r.id: (r.title, r.differs) for r in members(family.root) if r.id}
    kin = cards()["contrastive_4x"].family
    assert kin is not None
    assert told["contrastive_4x"] == (kin.title, kin.differs)
    assert kin.title == "RN50x4"


def test_where_to_look_instead_is_a_model_that_was_released():
    lost = [card for card in cards().values() if card.unreleased]
    assert lost
    assert all(not cards()[card.instead].unreleased for card in lost)
