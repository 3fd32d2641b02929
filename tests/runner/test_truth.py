"""Which answers are right, from the names of folders and files."""

import pytest

from micrograph.cards.zoo._imagenet import CLASSES, WNIDS
from micrograph.datasets.base import Dataset, Entry
from micrograph.runner.truth import right_answers

SLIM = ("background", *CLASSES)
SHUFFLED = ("dummy", *CLASSES[::-1], "dummy")


def answers(labels, *paths, classes=()):
    folders = {name: number for number, name in enumerate(classes)}
    entries = [Entry(p, folders.get(p.partition("/")[0], -1)) for p in paths]
    dataset = Dataset("d", "d", "d", "0" * 64, entries, lambda n: None, classes=tuple(classes))
    return [set(right) for right in right_answers(dataset, labels)]


def test_there_are_a_thousand_ids_in_order():
    assert len(WNIDS) == len(CLASSES) == 1000
    assert list(WNIDS) == sorted(WNIDS)
    assert (WNIDS[1], CLASSES[1]) == ("n01443537", "goldfish")


@pytest.mark.parametrize(("labels", "right"), [(CLASSES, 1), (SLIM, 2), (SHUFFLED, 999)])
@pytest.mark.parametrize(
    "path",
    [
        "n01443537_goldfish.jpg",
        "n01443537_10007.JPEG",
        "n01443537/10007.JPEG",
        "val/n01443537/a.png",
        "n01443537 goldfish/a.png",
    ],
)
def test_ids_of_wordnet_in_each_order_of_labels(path, labels, right):
    assert answers(labels, path) == [{right}]


def test_names_that_stand_twice():
    """In the order of the ids each crane is itself; elsewhere both are taken."""
    assert answers(CLASSES, "n02012849_crane.jpg", "n03126707_crane.jpg") == [{134}, {517}]
    both = {1 + 999 - 134, 1 + 999 - 517}
    assert answers(SHUFFLED, "n02012849_crane.jpg", "n03126707_crane.jpg") == [both, both]


def test_classes_by_name_and_number():
    folders = ["great_white_shark", "Goldfish", "tench, Tinca tinca", "0007", "1000", "unheard of"]
    found = answers(CLASSES, *(f"{f}/x.jpg" for f in folders), classes=folders)
    assert found == [{2}, {1}, {0}, {7}, set(), set()]
    assert answers(SLIM, "0007/x.jpg", classes=["0007"]) == [{7}]


@pytest.mark.parametrize(
    "path", ["x.jpg", "n9_x.jpg", "n00000000_x.jpg", "xn01443537.jpg", "n014435371.jpg"]
)
def test_other_names_tell_nothing(path):
    assert answers(CLASSES, path) == [set()]


def test_a_model_without_labels():
    assert answers((), "n01443537_goldfish.jpg") == [set()]
