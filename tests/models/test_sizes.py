"""Networks that take pictures of one size only, as transformers with fixed positions do."""

import pytest
import torch
from torch import nn

import micrograph
from micrograph.errors import BadInput
from micrograph.lenses.engines.presets import settings
from micrograph.models.model import Model


def fixed() -> Model:
    """A matrix behind a flattened map: 128 px and nothing else."""
    net = nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16 * 16, 5))
    return Model.of(net, id="fixed", preprocessing="128,0..1")


def test_which_sizes_it_takes():
    assert fixed().takes(128)
    assert not fixed().takes(112)
    assert micrograph.load("toytown").takes(112)


def test_another_size_is_refused_in_one_line_where_it_does_not_reach():
    model = fixed()
    with pytest.raises(BadInput, match=r"fixed cannot run on pictures of 96x112 px .*128 px") as e:
        model.run(torch.rand(1, 3, 112, 96), ["3"])
    assert "\n" not in str(e.value)
    assert model.run(torch.rand(1, 3, 112, 96), ["1"])["1"].shape == (1, 4, 14, 12)


def test_what_fails_for_other_reasons_is_not_blamed_on_the_size():
    model = fixed()

    def fail(module, inputs, output):
        if len(output) > 1:
            raise RuntimeError("out of memory")

    model.module[0].register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        model.run(torch.rand(2, 3, 128, 128), ["3"])


def test_presets_keep_to_the_size_there_is():
    assert settings("draft", fixed()).size == 128
    assert settings("draft", fixed(), size=64).size == 64
    free = Model.of(nn.Conv2d(3, 4, 3), id="free", preprocessing="128,0..1")
    assert settings("draft", free).size == 112


def test_a_draft_of_a_fixed_network_is_rendered(tmp_path):
    summary = micrograph.render(fixed(), tmp_path, preset="draft", steps=2, nodes=["1"], units="0")
    assert summary.rendered == 1
