"""Networks built without drawing random weights."""

import torch
from torch import nn

from micrograph.models import cards
from micrograph.models.uninitialized import Uninitialized
from micrograph.weights.building import build


def test_nothing_is_drawn_and_constants_are_set():
    before = torch.random.get_rng_state()
    with Uninitialized():
        built = [nn.Conv2d(300, 300, 3), nn.Linear(300, 300), nn.Embedding(9, 9)]
        norm = nn.BatchNorm2d(4)
        for draw in (nn.init.xavier_normal_, nn.init.trunc_normal_):
            draw(built[1].weight)
        built[1].weight.data.normal_()
        given = torch.zeros(3)
        assert nn.init.normal_(tensor=given) is given
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(norm.weight, torch.ones(4))
    assert torch.equal(given, torch.zeros(3))
    nn.Linear(3, 3)  # drawn again outside
    assert not torch.equal(torch.random.get_rng_state(), before)


def test_drawing_until_all_is_within_bounds_ends():
    """With memory left as it is, torch's rejection loop would never end."""
    weight = nn.Parameter(torch.full((9, 9), 1e9))
    with Uninitialized():
        nn.init.trunc_normal_(weight, std=0.02)
    assert torch.equal(weight, torch.zeros(9, 9))


def test_a_network_has_all_its_tensors():
    card = cards()["toytown"]
    whole = build(card).state_dict()
    with Uninitialized():
        bare = build(card).state_dict()
    assert {n: t.shape for n, t in bare.items()} == {n: t.shape for n, t in whole.items()}
