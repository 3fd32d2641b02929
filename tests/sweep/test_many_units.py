"""Sweeps of networks with so many units that memory is dear."""

import pytest
import torch
from sweeping import small_model

from micrograph.models.running import reducing
from micrograph.sweep import look


def test_what_a_pass_has_freed_is_given_back_at_every_node(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model()
    given = []
    monkeypatch.setattr("micrograph.models.model.give_back", lambda: given.append("node"))
    monkeypatch.setattr(look, "give_back", lambda: given.append("relu"))
    seen = look.Look(model, list(model.nodes.values()))
    pictures = torch.rand(2, 3, model.preprocessing.size, model.preprocessing.size)
    few = seen(pictures, 0, True)
    assert not given
    monkeypatch.setattr(reducing, "MANY_UNITS", 1)
    many = seen(pictures, 0, True)
    assert len(given) >= len(seen.nodes)
    assert set(given) == {"node", "relu"}
    assert (few.top == many.top).all()
