"""The loss, the truth and the language model of the pair's training; nothing is trained here."""

from math import log

import pytest
import torch
import torch.nn.functional as F

from micrograph.organisms.toytown_clip.network import WordNetwork
from micrograph.organisms.toytown_clip.tower import WordTower
from micrograph.organisms.toytown_clip.train import CaptionedPictures, bigrams, contrast, truth


def test_truth_is_set_inclusion() -> None:
    known = [frozenset({"a", "b"}), frozenset({"b"})]
    stated = [frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"})]
    assert truth(known, stated).tolist() == [[1, 1, 1], [0, 1, 0]]


def test_with_one_true_caption_each_the_loss_is_clips() -> None:
    torch.manual_seed(0)
    cosines = torch.rand(5, 5)
    numbers = torch.arange(5)
    expected = (F.cross_entropy(cosines * 7, numbers) + F.cross_entropy(cosines.T * 7, numbers)) / 2
    torch.testing.assert_close(contrast(cosines, torch.eye(5), torch.tensor(7.0)), expected)


def test_all_true_captions_count_alike() -> None:
    true = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    high = contrast(true, true, torch.tensor(50.0))
    by_picture = (log(2) + 0) / 2  # two captions share what the first picture has
    assert float(high) == pytest.approx(by_picture / 2, abs=1e-4)
    assert contrast(1 - true, true, torch.tensor(50.0)) > 10 * high


def test_bigrams_against_counting_by_hand() -> None:
    tower = WordTower(WordNetwork(2), ("a", "b"))
    table = bigrams(["a b", "a", "b b"], tower).exp()
    torch.testing.assert_close(table.sum(1), torch.ones(4))
    # Pairs: begin-a 2, begin-b 1, a-b 1, a-end 1, b-end 2, b-b 1; of all 8 "b" comes 3 times.
    assert float(table[1, 2]) == pytest.approx(0.94 * 2 / 3 + 0.05 * 2 / 8 + 0.01 / 4)
    assert float(table[3, 3]) == pytest.approx(0.94 * 1 / 3 + 0.05 * 3 / 8 + 0.01 / 4)
    assert float(table[2, 2]) == pytest.approx(0.05 * 2 / 8 + 0.01 / 4)


def test_drawn_pictures_come_with_their_facts() -> None:
    drawn = CaptionedPictures.of([3, 4])
    assert drawn.images.shape == (2, 96, 96, 3)
    assert all(any(f.startswith("thing:") for f in own) for own in drawn.facts)
