"""CLIP's text tower: the transformer against torch's own layers, and the tower that lenses see."""

import pytest
import torch
from small_clip import tokenizer
from torch import nn

from micrograph.errors import BadInput
from micrograph.networks.clip.text import CONTEXT, Block, QuickGELU, TextNetwork
from micrograph.networks.clip.tower import ClipTower

WIDTH = 128


@pytest.fixture(scope="module")
def network() -> TextNetwork:
    torch.manual_seed(0)
    return TextNetwork(64, 12).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def tower(network) -> ClipTower:
    return ClipTower(network, tokenizer())


def test_a_layer_against_torchs_encoder_layer():
    torch.manual_seed(0)
    block = Block(WIDTH).eval()
    layer = nn.TransformerEncoderLayer(
        WIDTH, WIDTH // 64, 4 * WIDTH, 0.0, QuickGELU(), batch_first=True, norm_first=True
    ).eval()
    theirs = {
        "norm1": block.before_attention,
        "norm2": block.before_rest,
        "self_attn.out_proj": block.output,
        "linear1": block.widen,
        "linear2": block.narrow,
    }
    with torch.no_grad():
        for norm in (block.before_attention, block.before_rest):
            norm.weight.uniform_(0.5, 1.5)
        for path, part in theirs.items():
            layer.get_submodule(path).load_state_dict(part.state_dict())
        layer.self_attn.in_proj_weight.copy_(block.attention.weight)
        layer.self_attn.in_proj_bias.copy_(block.attention.bias)
        x = torch.randn(2, 7, WIDTH)
        mask = nn.Transformer.generate_square_subsequent_mask(7)
        torch.testing.assert_close(block(x), layer(x, src_mask=mask, is_causal=True))


def test_quick_gelu():
    x = torch.linspace(-3, 3, 7)
    torch.testing.assert_close(QuickGELU()(x), x / (1 + torch.exp(-1.702 * x)))


def test_what_follows_the_end_never_matters(tower, network):
    tokens = tower.tensor(["the cat"])
    filled = torch.zeros(1, CONTEXT, dtype=torch.long)
    filled[:, : tokens.shape[1]] = tokens
    torch.testing.assert_close(network(filled), network(tokens))
    filled[:, tokens.shape[1] :] = 5
    torch.testing.assert_close(network(filled), network(tokens))


def test_vectors(tower):
    vectors = tower.embed(["the cat", "the dog", "the cat the dog", ""])
    assert vectors.shape == (4, 12)
    assert vectors.dtype == torch.float32
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))
    torch.testing.assert_close(tower.embed(["the dog"])[0], vectors[1])
    assert (vectors[0] - vectors[1]).abs().max() > 1e-3


def test_words_tokens_and_limit(tower):
    assert tower.words == ("the", "cat", "dog")
    assert len(tower.tokenize("the cat")) == 2
    assert tower.surprise("the cat") is None
    assert tower.limit == 75
    assert tower.embed(["the " * 75]).shape == (1, 12)
    with pytest.raises(BadInput, match="76 tokens given; expected at most 75"):
        tower.embed(["cat", "the " * 76])


def test_own_words(network):
    assert ClipTower(network, tokenizer(), words=["cat"]).words == ("cat",)
