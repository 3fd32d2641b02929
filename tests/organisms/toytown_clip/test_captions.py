"""Captions state what is true, in words of the vocabulary, differently each time."""

import numpy as np
import pytest

from micrograph.organisms.toytown.parts import PARTS
from micrograph.organisms.toytown.scenes import CLASSES, scene
from micrograph.organisms.toytown_clip.captions import (
    GLUE,
    NAMES,
    PLACES,
    Writer,
    meaning,
    vocabulary,
)
from micrograph.organisms.toytown_clip.facts import facts
from micrograph.organisms.toytown_clip.network import LIMIT

KNOWN = [facts(scene(seed)) for seed in range(30)]


def _written(seed: int = 0) -> list[tuple[str, frozenset[str]]]:
    writer = Writer(np.random.default_rng(seed))
    return [writer.caption(known) for known in KNOWN for _ in range(30)]


def test_captions_are_true_short_and_in_the_vocabulary() -> None:
    words = set(vocabulary())
    for (text, stated), known in zip(
        _written(), [k for k in KNOWN for _ in range(30)], strict=True
    ):
        assert stated
        assert stated <= known
        assert 1 <= len(text.split()) <= LIMIT
        assert set(text.split()) <= words


def test_what_is_stated_stands_in_the_text() -> None:
    for text, stated in _written(1):
        for fact in stated:
            kind, _, value = fact.partition(":")
            if kind == "thing":
                assert set(NAMES[value]) & set(text.split())
            elif kind == "setting":
                phrases = [set(p.split()) - set(GLUE) for p in PLACES[value]]
                assert any(phrase <= set(text.split()) for phrase in phrases)
            elif kind in ("color", "around", "family"):
                assert value in text.split()


def test_same_seed_same_captions() -> None:
    assert _written(3) == _written(3)
    assert _written(3) != _written(4)


def test_words_are_left_out_and_lists_occur() -> None:
    texts = [text for text, _ in _written()]
    assert any(len(text.split()) == 1 for text in texts)
    assert any(len(text.split()) > 10 for text in texts)
    assert len(set(texts)) > len(texts) / 2


def test_vocabulary_is_sorted_and_names_every_class_and_part() -> None:
    words = vocabulary()
    assert list(words) == sorted(set(words))
    assert set(PARTS) <= set(words)
    assert set(NAMES) == set(CLASSES)
    assert {name for names in NAMES.values() for name in names} <= set(words)


@pytest.mark.parametrize(
    ("word", "fact"),
    [
        ("truck", "thing:lorry"),
        ("wheels", "part:wheel"),
        ("wheel", "part:wheel"),
        ("vehicle", "family:vehicle"),
        ("little", "size:small"),
        ("leaves", None),
        ("with", None),
        ("red", None),
    ],
)
def test_meaning_of_a_word(word, fact) -> None:
    assert meaning(word) == fact
