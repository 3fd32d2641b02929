"""Words and the classes that they mean."""

import pytest

from micrograph.cards.class_words import classes_meant
from micrograph.cards.zoo._imagenet import CLASSES, GROUPS, WNIDS


def meant(text: str, classes: tuple[str, ...] = CLASSES) -> set[str]:
    return {classes[n] for n in classes_meant(text, classes)}


def test_a_group_s_name_means_its_classes_in_the_singular_and_the_plural() -> None:
    dogs = classes_meant("dog", CLASSES)
    assert dogs == set(range(151, 269))
    assert classes_meant("Dogs", CLASSES) == classes_meant("puppies", CLASSES) == dogs
    assert "hotdog" not in meant("dog")
    assert "dogsled" not in meant("dog")
    assert {"tabby", "Persian cat"} <= meant("cats")
    assert "Madagascar cat" not in meant("cat"), "a lemur"
    assert {"unicycle", "car wheel", "school bus"} <= meant("wheels")
    assert meant("buses") == {"minibus", "school bus", "trolleybus"}


def test_other_words_mean_the_classes_whose_names_have_them_all() -> None:
    assert meant("golden retriever") == meant("retriever golden") == {"golden retriever"}
    assert meant("tench") == {"tench"}
    assert len(classes_meant("crane", CLASSES)) == 2, "the bird and the machine"
    assert meant("beer glasses") == {"beer glass"}
    for nothing in ("", "  ", "???", "zebra bus", "tenc", "a " * 40, "447"):
        assert meant(nothing) == set()


def test_groups_hold_for_some_classes_under_any_spelling_and_for_wordnet_ids() -> None:
    classes = ("n02099601", "tiger_cat", "Beagle, a hound", "garbage truck", "my own dog")
    assert classes_meant("dog", classes) == {0, 2}
    assert classes_meant("golden retriever", classes) == {0}
    assert classes_meant("cat", classes) == {1}
    assert classes_meant("vehicle", classes) == {3}
    assert classes_meant("own dog", classes) == {4}
    assert classes_meant("dog", ("my own dog", "house")) == {0}, "no class of ImageNet among them"


def test_groups_are_well_formed() -> None:
    names = [name for found, _ in GROUPS for name in found]
    assert len(names) == len(set(names))
    for found, numbers in GROUPS:
        assert found
        assert all(name == name.strip().lower() != "" for name in found)
        assert list(numbers) == sorted(set(numbers))
        assert 0 <= numbers[0] <= numbers[-1] < len(CLASSES) == len(WNIDS)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("dog", "canine"),
        ("canine", "mammal"),
        ("feline", "mammal"),
        ("mammal", "animal"),
        ("bird", "animal"),
        ("fish", "animal"),
        ("snake", "reptile"),
        ("car", "wheeled vehicle"),
        ("truck", "wheeled vehicle"),
        ("bus", "wheeled vehicle"),
        ("train", "wheeled vehicle"),
        ("bicycle", "wheeled vehicle"),
        ("wheeled vehicle", "wheel"),
        ("wheeled vehicle", "vehicle"),
        ("boat", "vehicle"),
        ("aircraft", "vehicle"),
        ("fruit", "food"),
        ("vegetable", "food"),
        ("bread", "food"),
        ("guitar", "string instrument"),
        ("string instrument", "musical instrument"),
        ("hound", "dog"),
        ("terrier", "dog"),
    ],
)
def test_a_kind_lies_in_the_kind_above_it(part: str, whole: str) -> None:
    inner, outer = classes_meant(part, CLASSES), classes_meant(whole, CLASSES)
    assert inner
    assert inner < outer
