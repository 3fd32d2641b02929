"""Attribution graphs of random networks, against networks of the same values that are affine."""

import pytest
import torch
from nets import under_microscope
from straight_nets import Between, random_between

from micrograph.circuits.attribution_graph import attribution_graph

SIZE = 12
ALL = {"keep_nodes": 1.0, "keep_edges": 1.0, "follow": 1000}


def compare(net: Between) -> None:
    """The edges from each unit of `first` to one of `last`, and what is told of them together."""
    picture = torch.rand(1, 3, SIZE, SIZE)
    wanted, position = net.parts_of(picture, 1)
    graph = attribution_graph(under_microscope(net, SIZE), picture, "last/1", ["first"], **ALL)
    target = graph.node("last/1")
    assert target.position == position
    found = {edge.source: edge.weight for edge in graph.edges if edge.target == "last/1"}
    size = float(wanted.abs().sum()) + abs(target.value)
    for unit, weight in enumerate(wanted.tolist()):
        assert found.get(f"first/{unit}", 0.0) == pytest.approx(weight, abs=3e-5 * size)
    together = sum(found.values()) + target.constant + target.error
    assert together == pytest.approx(target.value, abs=3e-5 * size)
    assert abs(target.error) <= 3e-5 * size


@pytest.mark.parametrize("seed", [*range(200, 206), 2151, 2160])
def test_edges_are_those_of_the_affine_network(seed: int) -> None:
    compare(random_between(seed, SIZE))


@pytest.mark.nightly
def test_edges_of_hundreds_of_networks() -> None:
    for seed in range(2000, 2300):
        compare(random_between(seed, SIZE))
