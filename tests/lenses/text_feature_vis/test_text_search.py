"""Hill climbing over texts, on hand-made towers whose best text is known."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.lenses.text_feature_vis.text_search import Search, Texts, climb


class Bag:
    """A linear tower: a text's vector is the sum of its words'; its surprise is 1 nat a word."""

    limit = 8

    def __init__(self, vectors: Tensor, words: str = "abcdefghijklmnop") -> None:
        self.words = tuple(words[: len(vectors)])
        self.vectors = vectors
        self.asked = 0

    def tokenize(self, text: str) -> list[int]:
        return [self.words.index(word) for word in text.split()]

    def embed(self, texts) -> Tensor:
        self.asked += len(texts)
        sums = [self.vectors[self.tokenize(text)].sum(0) for text in texts]
        return F.normalize(torch.stack(sums), dim=1)

    def surprise(self, text: str) -> float:
        return float(len(text.split()))


class Ordered(Bag):
    """As `Bag`, but a word counts half as much at every further place."""

    def embed(self, texts) -> Tensor:
        rows = []
        for text in texts:
            numbers = self.tokenize(text)
            weights = 0.5 ** torch.arange(len(numbers))
            rows.append((self.vectors[numbers] * weights[:, None]).sum(0))
        return F.normalize(torch.stack(rows), dim=1)


SEARCH = Search(steps=60, proposals=40, restarts=4, length=5)


def test_the_planted_words_are_found() -> None:
    tower = Bag(torch.eye(12))
    planted = [{"b", "d", "k"}, {"a"}, {"c", "e", "f", "l"}]
    directions = torch.stack(
        [
            torch.tensor([float(w in words) for w in tower.words]) * scale
            for words, scale in zip(planted, (1.0, 7.0, 0.1), strict=True)
        ]
    )
    found = climb(Texts(tower), directions, [(0, u) for u in range(3)], SEARCH)
    assert [set(texts[0].split()) for texts in found] == planted
    for texts, words in zip(found, planted, strict=True):
        assert len(texts[0].split()) == len(words), "each word once"


def test_the_planted_order_is_found() -> None:
    tower = Ordered(torch.eye(9))
    direction = tower.embed(["c a h b"])
    (texts,) = climb(Texts(tower), direction, [(5,)], SEARCH)
    assert texts[0] == "c a h b"


def _neighbours(text: tuple[str, ...], words, length: int) -> set[tuple[str, ...]]:
    n = len(text)
    found = {text[:i] + text[i + 1 :] for i in range(n) if n > 1}
    for word in words:
        found |= {(*text[:i], word, *text[i + 1 :]) for i in range(n)}
        found |= {(*text[:i], word, *text[i:]) for i in range(n + 1) if n < length}
    return found


@pytest.mark.parametrize("penalty", [0.0, 0.05, 0.5])
def test_ends_against_brute_force(penalty) -> None:
    """No change of one word makes an end better, and most best ends are the best of all texts."""
    torch.manual_seed(1)
    tower = Bag(torch.randn(6, 4))
    directions = F.normalize(torch.randn(5, 4), dim=1)
    search = Search(steps=80, proposals=30, restarts=6, length=3, penalty=penalty)
    found = climb(Texts(tower), directions, [(u,) for u in range(5)], search)
    every = [t for n in (1, 2, 3) for t in itertools.product(tower.words, repeat=n)]
    lengths = torch.tensor([float(len(t)) for t in every])
    values = directions @ tower.embed([" ".join(t) for t in every]).T - penalty * lengths
    best = 0
    for ends, own in zip(found, values.tolist(), strict=True):
        known = dict(zip(every, own, strict=True))
        for end in ends:
            text = tuple(end.split())
            assert all(known[t] <= known[text] + 1e-4 for t in _neighbours(text, tower.words, 3))
        best += known[tuple(ends[0].split())] >= max(own) - 1e-4
    assert best >= 4


def test_a_penalty_shortens_texts() -> None:
    torch.manual_seed(2)
    tower = Bag(torch.randn(16, 12))
    directions = torch.randn(6, 12)
    keys = [(u,) for u in range(6)]
    lengths = [
        sum(
            len(own[0].split())
            for own in climb(Texts(tower), directions, keys, Search(60, 40, 3, 6, penalty))
        )
        for penalty in (0.0, 0.1, 10.0)
    ]
    assert lengths[0] > lengths[1] > lengths[2] == 6


def test_same_seed_same_texts_whatever_climbs_beside() -> None:
    torch.manual_seed(3)
    tower = Bag(torch.randn(16, 12))
    directions = torch.randn(4, 12)
    few = Search(steps=6, proposals=8, restarts=3, length=6)
    together = climb(Texts(tower), directions, [(u,) for u in range(4)], few)
    assert together == climb(Texts(tower), directions, [(u,) for u in range(4)], few)
    assert together[2] == climb(Texts(tower), directions[2:3], [(2,)], few)[0]
    assert together[2] != climb(Texts(tower), directions[2:3], [(9,)], few)[0]


def test_texts_are_best_first_all_different_and_never_too_long() -> None:
    torch.manual_seed(4)
    tower = Bag(torch.randn(16, 12))
    direction = F.normalize(torch.randn(1, 12), dim=1)
    (texts,) = climb(Texts(tower), direction, [(0,)], Search(20, 20, 8, 4))
    scores = Texts(tower).score(texts, direction.expand(len(texts), -1), 0.0).tolist()
    assert scores == sorted(scores, reverse=True)
    assert len(texts) == len(set(texts)) > 1
    assert all(1 <= len(text.split()) <= 4 for text in texts)


def test_more_restarts_than_words_and_steps_are_told() -> None:
    tower = Bag(torch.eye(2))
    told: list[tuple[int, int]] = []
    found = climb(
        Texts(tower),
        torch.tensor([[1.0, 0.0]]),
        [(0,)],
        Search(3, 4, 9, 2),
        lambda step, steps: told.append((step, steps)),
    )
    assert found[0][0] == "a"
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_scores_subtract_the_penalty_of_each_text() -> None:
    tower = Bag(torch.eye(3))
    directions = F.normalize(torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), dim=1)
    scores = Texts(tower).score(["a b", "a b c"], directions, 0.1)
    assert scores.tolist() == pytest.approx([1 - 0.2, 1 / math.sqrt(3) - 0.3])


def test_texts_tried_twice_are_embedded_once() -> None:
    tower = Bag(torch.eye(3))
    texts = Texts(tower)
    before = tower.asked
    texts.score(["a", "b", "a", "a"], torch.eye(3)[:1].expand(4, -1), 0.0)
    assert tower.asked - before == 2
