"""The pair's networks and its tokenizer, untrained."""

import pytest
import torch

from micrograph.errors import BadInput
from micrograph.models import cards
from micrograph.models.loading import untrained
from micrograph.models.model import Model
from micrograph.organisms.toytown_clip.captions import vocabulary
from micrograph.organisms.toytown_clip.network import HEADS, LIMIT, WIDTH, MeanAttentionPool
from micrograph.organisms.toytown_clip.tower import WordTower


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    return untrained(cards()["toytown_clip"])


@pytest.fixture(scope="module")
def tower(model) -> WordTower:
    assert isinstance(model.text, WordTower)
    return model.text


def test_pooling_against_torchs_own_attention() -> None:
    torch.manual_seed(0)
    pool = MeanAttentionPool(12, 8, 2)
    x = torch.randn(2, 12, 3, 5)
    tokens = x.flatten(2).permute(2, 0, 1)
    tokens = torch.cat([tokens.mean(0, keepdim=True), tokens])
    query, key, value = pool.query(tokens[:1]), pool.key(tokens), pool.value(tokens)
    attention = torch.nn.MultiheadAttention(8, 2)
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.eye(8).repeat(3, 1))
        attention.out_proj.weight.copy_(torch.eye(8))
    expected, _ = attention(query, key, value)
    torch.testing.assert_close(pool(x), expected[0])


def test_nodes_are_toytowns_then_pooled_and_embedding(model) -> None:
    toytown = untrained(cards()["toytown"])
    assert [*list(toytown.nodes)[:-1], "pooled", "embedding"] == list(model.nodes)
    assert model.nodes["embedding"].kind == "embedding"
    assert (model.nodes["embedding"].units, model.nodes["embedding"].shape) == (WIDTH, ())
    assert model.node("4c_3x3").id == "mixed4c_3x3"


def test_pictures_of_any_size_never_meet_the_text_tower(model) -> None:
    for size in (64, 96, 112):
        found = model.run(torch.rand(2, 3, size, size), ["embedding"])["embedding"]
        assert found.shape == (2, WIDTH)
    assert WIDTH % HEADS == 0


def test_models_without_a_text_tower_say_so() -> None:
    assert untrained(cards()["toytown"]).text is None


def test_a_text_does_not_depend_on_its_neighbours(tower) -> None:
    texts = ["car", "a red house with windows and a door", "tree"]
    together = tower.embed(texts)
    torch.testing.assert_close(together, torch.cat([tower.embed([t]) for t in texts]))
    torch.testing.assert_close(together.norm(dim=1), torch.ones(3))
    assert not torch.allclose(*tower.embed(["red car", "car red"])), "order counts"


def test_tokens_are_words_in_any_case(tower) -> None:
    words = vocabulary()
    assert tower.words == words
    assert tower.tokenize("A  Car") == [words.index("a") + 2, words.index("car") + 2]
    assert tower.tokenize("") == []


def test_unknown_words_and_long_texts_are_refused_in_one_line(tower) -> None:
    with pytest.raises(BadInput, match=r"no caption has the word 'wheeel'.*'wheel'"):
        tower.tokenize("a wheeel")
    with pytest.raises(BadInput, match="text of 21 words given; expected at most 20"):
        tower.embed([" ".join(["car"] * (LIMIT + 1))])
    assert tower.embed([" ".join(["car"] * LIMIT)]).shape == (1, WIDTH)


def test_surprise_adds_up_over_the_pairs_of_words(tower) -> None:
    table = torch.randn_like(tower.network.bigrams)
    tower.network.bigrams.copy_(table)
    a, car = tower.tokenize("a car")
    expected = -(table[1, a] + table[a, car] + table[car, 1])
    assert tower.surprise("a car") == pytest.approx(float(expected), abs=1e-5)
