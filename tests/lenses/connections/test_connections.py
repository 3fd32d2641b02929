"""Connections: brute force over planted weights, what is stored, and the part of a unit's page."""

import re

import numpy as np
import pytest
import torch
from torch import nn

import micrograph
from micrograph import Model, Preprocessing
from micrograph.atlas import Atlas
from micrograph.lenses.connections.engine import connections, inputs_of_nodes
from micrograph.lenses.connections.kernels import colour, drawn
from micrograph.lenses.connections.lens import ConnectionsResult
from micrograph.lenses.connections.page import Connections, section
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.urls import Urls
from micrograph.runner import render


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 7, 3), nn.ReLU(), nn.Conv2d(7, 5, 3), nn.ReLU())
    with torch.no_grad():
        net[2].weight[3] = net[2].weight[3].abs()  # nothing inhibits it
    return Model.of(net, id="planted", preprocessing=Preprocessing(16, 16))


@pytest.fixture(scope="module")
def atlas(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    folder = tmp_path_factory.mktemp("connections")
    render(model, folder, technique=["connections"], strongest=4)
    return Atlas.open(folder / "planted.atlas")


def expected(model: Model, unit: int, sign: int, *, turned: bool = False) -> list[int]:
    kernels = model.module[2].weight.detach()
    kernels = kernels.transpose(0, 1) if turned else kernels
    sums, sizes = kernels[unit].sum((1, 2)).tolist(), kernels[unit].abs().sum((1, 2)).tolist()
    there = [u for u in range(len(sums)) if sums[u] * sign > 0]
    return sorted(there, key=lambda u: -sizes[u])[:4]


@pytest.mark.parametrize("turned", [False, True])
def test_the_strongest_of_each_sign(model: Model, atlas: Atlas, turned: bool) -> None:
    node, variant = ("1", "outputs") if turned else ("3", "inputs")
    kept = atlas.arrays(node, None, "connections", variant)
    weights = model.module[2].weight.detach().numpy()
    weights = weights.transpose(1, 0, 2, 3) if turned else weights
    for unit in range(len(weights)):
        listed = kept["units"][unit].tolist()
        for sign, half in ((1, listed[:4]), (-1, listed[4:])):
            wanted = expected(model, unit, sign, turned=turned)
            assert half == wanted + [-1] * (4 - len(wanted))
        known = [u for u in listed if u >= 0]
        sizes = np.abs(weights[unit]).sum((1, 2))
        assert kept["rest"][unit] == pytest.approx(1 - sizes[known].sum() / sizes.sum(), abs=1e-5)
        for k, other in enumerate(listed):
            there = other >= 0
            assert kept["share"][unit, k] == pytest.approx(
                sizes[other] / sizes.sum() if there else 0, abs=1e-5
            )
            if there:
                assert np.allclose(kept["kernels"][unit, k], weights[unit, other], atol=2e-3)
                assert kept["strength"][unit, k] == pytest.approx(
                    weights[unit, other].sum(), abs=1e-4
                )


def test_a_node_without_connections_says_why(atlas: Atlas) -> None:
    (first,) = [v for v in atlas.visualizations("1", None) if v.variant == "inputs"]
    assert first.data["reason"] == "no node lies before 1 that all of its units are built from"
    (last,) = [v for v in atlas.visualizations("3", None) if v.variant == "outputs"]
    assert last.data["reason"] == "no node behind 3 is built from its units alone"


def test_the_part_of_a_page(model: Model, atlas: Atlas) -> None:
    scene = Scene(atlas, atlas.nodes["3"], 3, Urls(""), [])
    part = section(scene)
    assert isinstance(part, Connections)
    (row,) = part.rows
    assert (row.title, row.other, row.inhibit) == ("What is it built from?", "1", [])
    assert [one.thumb.unit for one in row.excite] == expected(model, 3, 1)
    assert row.others == 3
    assert row.rest_in_words == f"other 3: {round(100 * row.rest)} % of Σ|w|"
    assert row.scale == max(abs(w) for one in row.excite for line in one.kernel for w in line)
    assert section(Scene(atlas, atlas.nodes["3"], None, Urls(""), [])) is None


def test_a_latent_is_built_from_the_node_under_it() -> None:
    model = micrograph.load("toytown")
    model.attach_bundled("mixed4a.sae")
    before = inputs_of_nodes(model)
    assert before["mixed4a.sae"] == "mixed4a"
    assert (before["mixed4b"], before["conv1"], "conv0" in before) == ("mixed4a", "conv0", False)


def test_fewer_units_than_are_listed(model: Model) -> None:
    result = connections(micrograph.weights(model, "1", "3"), "1", 9, turned=False)
    units = result.kept["units"]
    assert units.shape == (5, 18)
    for row in units.tolist():
        assert sorted(u for u in row if u >= 0) == list(range(7))
    assert (result.kept["rest"] < 1e-5).all()


def test_what_others_may_have_written_does_not_raise() -> None:
    odd = {"other": 3, "count": "many", "notes": [1, "relu"], "exact": 1}
    result = ConnectionsResult.from_json(odd, {})
    assert (result.other, result.count, result.notes, result.exact) == ("", 0, ("relu",), False)
    assert result.row("units", 0) is None


def test_kernels_are_drawn_white_at_zero() -> None:
    assert (colour(0.0), colour(1.0), colour(-1.0)) == ("#ffffff", "#d95500", "#1c63b0")
    assert colour(7.0) == colour(1.0)
    svg = drawn([[0.0, 2.0], [-1.0, 0.5]], 2.0)
    cells = re.findall(r'x="(\d)" y="(\d)" width="1" height="1" fill="(#\w+)"', svg)
    assert cells == [
        ("1", "0", colour(1.0)),
        ("0", "1", colour(-0.5)),
        ("1", "1", colour(0.25)),
    ]
    assert drawn([], 1.0) == ""
