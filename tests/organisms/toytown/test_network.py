"""The network: nodes, shapes, folding."""

from __future__ import annotations

import copy

import pytest
import torch

from micrograph.organisms.toytown import network, scenes

SIZES = {
    "conv0": 48,
    "conv1": 24,
    "conv2": 24,
    "mixed3a": 24,
    "mixed3b": 24,
    "mixed4a": 12,
    "mixed4b": 12,
    "mixed4c": 12,
    "mixed5a": 6,
    "mixed5b": 6,
}
BRANCHES = ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj")


def test_nodes_have_the_stated_shapes() -> None:
    net = network.build().eval()
    shapes: dict[str, tuple[int, ...]] = {}
    names = [*network.node_names(), *(f"{m}.{b}" for m in network.MIXED for b in BRANCHES)]
    for name in names:
        net.get_submodule(name).register_forward_hook(
            lambda _m, _i, out, name=name: shapes.__setitem__(name, tuple(out.shape))
        )
    with torch.no_grad():
        scores = net(torch.zeros(2, 3, network.INPUT_SIZE, network.INPUT_SIZE))
    assert scores.shape == (2, network.CLASS_COUNT)
    assert tuple(SIZES) == network.node_names()
    for name, side in SIZES.items():
        assert shapes[name][2:] == (side, side)
    for name, widths in network.MIXED.items():
        assert shapes[name][1] == widths.out
        outs = [shapes[f"{name}.{b}"][1] for b in ("1x1", "3x3", "5x5", "pool_proj")]
        assert sum(outs) == widths.out


def test_size_of_the_network() -> None:
    parameters = sum(p.numel() for p in network.build().parameters())
    assert 600_000 < parameters < 1_200_000
    assert len(scenes.CLASSES) == network.CLASS_COUNT


def test_every_named_convolution_hands_out_rectified_values() -> None:
    net = network.build().eval()
    lowest: list[float] = []
    for module in net.modules():
        if isinstance(module, network.ConvRelu):
            module.register_forward_hook(lambda _m, _i, out: lowest.append(float(out.min())))
    with torch.no_grad():
        net(torch.randn(1, 3, 96, 96))
    assert len(lowest) == 3 + 6 * len(network.MIXED)
    assert min(lowest) == 0


def test_other_sizes_run() -> None:
    with torch.no_grad():
        assert network.build()(torch.zeros(1, 3, 128, 160)).shape == (1, network.CLASS_COUNT)


def test_folding_changes_nothing_but_the_form() -> None:
    torch.manual_seed(0)
    trained = network.build(norm=True)
    for module in trained.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as if training had happened
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.3)
            assert module.running_mean is not None
            assert module.running_var is not None
            torch.nn.init.normal_(module.running_mean, 0, 0.3)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    trained.eval()
    before = copy.deepcopy(trained.state_dict())
    folded = network.fold(trained)
    x = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        expected, got = trained(x), folded(x)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert set(folded.state_dict()) == set(network.build().state_dict())
    assert not any("norm" in name for name in folded.state_dict())
    for name, value in trained.state_dict().items():
        assert torch.equal(value, before[name])


def test_only_a_network_with_norms_can_be_folded() -> None:
    with pytest.raises(ValueError, match=r"build\(norm=True\)"):
        network.fold(network.build())


def test_unfolding_is_the_inverse_of_folding() -> None:
    torch.manual_seed(1)
    folded = network.build().eval()
    sample = torch.randn(8, 3, 96, 96)
    trained = network.unfold(folded, sample)
    with torch.no_grad():
        expected = folded(sample)
        tolerance = {"rtol": 1e-3, "atol": 1e-4 * float(expected.abs().max())}
        torch.testing.assert_close(trained.train()(sample), expected, **tolerance)
    again = network.fold(network.unfold(folded, sample)).state_dict()
    for name, value in folded.state_dict().items():
        torch.testing.assert_close(again[name], value, rtol=1e-3, atol=1e-5)
