"""Strengths of all pairs: the order by activation, groups, and the weights of first layers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import micrograph
from micrograph import Model, Preprocessing
from micrograph.atlas import Atlas, AtlasWriter, Visualization
from micrograph.errors import MicrographError
from micrograph.lenses.connections.first_layer import first_layer, picture_of
from micrograph.lenses.connections.inputs import (
    LackingOrder,
    all_inputs,
    inputs_by_activation,
    lacking_order,
)
from micrograph.lenses.connections.lens import ConnectionsResult
from micrograph.lenses.connections.page import kernels_command, section
from micrograph.lenses.connections.pairs import kept_kernels, pairs
from micrograph.lenses.connections.stored import kernels_of
from micrograph.lenses.connections.weight_groups import stored_groups
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.urls import Urls
from micrograph.runner import render

LEVELS = [9.0, 0.5, 0.01, 3.0, 0.0, 1.0, 2.0]
"""Typical activations of the seven units of the first layer."""


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 7, 3), nn.ReLU(), nn.Conv2d(7, 5, 3), nn.ReLU())
    return Model.of(net, id="planted", preprocessing=Preprocessing(16, 16))


@pytest.fixture(scope="module")
def plain(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    render(model, folder, technique=["connections"], strongest=2, groups=2)
    return folder / "planted.atlas"


@pytest.fixture(scope="module")
def atlas(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """The same, swept over a dataset."""
    path = tmp_path_factory.mktemp("swept") / "planted.atlas"
    path.write_bytes(plain.read_bytes())
    known = Atlas.open(path)
    recipe = {"technique": "dataset_examples", "view": "toys", "seed": 0}
    with AtlasWriter.open(path, known.model, list(known.nodes.values())) as writer:
        writer.put(
            Visualization("1", unit, recipe, 1.0, None, {"dataset": "ab" * 32, "mean": level})
            for unit, level in enumerate(LEVELS)
        )
    return Atlas.open(path)


def weights_of(model: Model) -> np.ndarray:
    return model.module[2].weight.detach().numpy()


def test_inputs_by_activation_are_weights_times_activations(model: Model, atlas: Atlas) -> None:
    found = inputs_by_activation(atlas, "3")
    assert not isinstance(found, LackingOrder)
    assert (found.dataset, found.other, found.count, found.complete) == ("toys", "1", 7, True)
    for unit, kernels in enumerate(weights_of(model)):
        sizes = np.abs(kernels).sum((1, 2)) * LEVELS
        listed = found.of(unit)
        assert listed is not None
        assert [one.unit for one in listed] == np.argsort(-sizes, kind="stable").tolist()
        for one in listed:
            assert one.share == pytest.approx(sizes[one.unit] / sizes.sum(), abs=1e-3)
            assert one.strength == pytest.approx(kernels[one.unit].sum(), abs=1e-3)
            assert one.typical == LEVELS[one.unit]
            assert np.allclose(one.kernel, kernels[one.unit], atol=1e-3)


def test_the_page_shows_either_order_and_what_is_left(model: Model, atlas: Atlas) -> None:
    def row(**options: str):
        part = section(Scene(atlas, atlas.nodes["3"], 2, Urls(""), [], options))
        assert part is not None
        return part.rows[0]

    by_weight, by_both = row(), row(order="activation")
    assert [choice.current for choice in by_weight.orders] == [True, False]
    assert [choice.current for choice in by_both.orders] == [False, True]
    assert by_both.orders[1].url.endswith("/3/2?order=activation#connections")
    assert (by_both.order, by_both.dataset, by_both.lacking) == ("activation", "toys", "")
    kernels = weights_of(model)[2]
    sizes, sums = np.abs(kernels).sum((1, 2)) * LEVELS, kernels.sum((1, 2))
    for shown, sign in ((by_both.excite, 1), (by_both.inhibit, -1)):
        fit = [u for u in np.argsort(-sizes).tolist() if sums[u] * sign > 0]
        assert [one.thumb.unit for one in shown] == fit[: len(shown)]
        assert len(shown) == min(2, len(fit))
    seen = [one.thumb.unit for one in (*by_both.excite, *by_both.inhibit)]
    assert by_both.rest == pytest.approx(1 - sizes[seen].sum() / sizes.sum(), abs=2e-3)
    percent = round(100 * by_both.rest)
    assert by_both.rest_in_words == f"other {7 - len(seen)}: {percent} % of Σ|w| × activation"


def test_a_kernel_that_is_not_kept_says_what_works_it_out(atlas: Atlas) -> None:
    scene = Scene(atlas, atlas.nodes["3"], 2, Urls(""), [], {"order": "activation"})
    part = section(scene)
    assert part is not None
    row = part.rows[0]
    assert row.kernels_command == "", "all are kept"
    lost = replace(row, excite=[replace(row.excite[0], kernel=[])])
    command = kernels_command(scene, 2, lost)
    assert command == f"micrograph inputs {atlas.model.id}/3/2 --from 1 --by activation --json"


def test_what_is_missing_for_an_order_is_said(plain: Path, tmp_path: Path, model: Model) -> None:
    scene = Scene(Atlas.open(plain), Atlas.open(plain).nodes["3"], 2, Urls(""), [])
    part = section(scene)
    assert part is not None
    assert part.rows[0].lacking == "no sweep over a dataset tells the typical activations of 1"
    assert part.rows[0].command.endswith("--node 1 -t dataset_examples --dataset FOLDER")
    assert [choice.value for choice in part.rows[0].orders] == ["weight"]
    render(model, tmp_path, technique=["connections"], variants=("inputs",))
    lacking = lacking_order(Atlas.open(tmp_path / "planted.atlas"), "3")
    assert lacking == LackingOrder(
        "the sizes of all weights into 3 are not stored", "connections", "3", "pairs"
    )


def test_kernels_are_kept_without_their_empty_border() -> None:
    kernels = torch.zeros(2, 6, 5, 5)
    draw = torch.Generator().manual_seed(1)
    kernels[0, :, 2, 2] = torch.randn(6, generator=draw)  # as behind a convolution of 1 x 1
    kernels[1, :, 1:4, 0:3] = torch.randn(6, 3, 3, generator=draw)
    strength, size = kernels.sum((2, 3)), kernels.abs().sum((2, 3))
    kept = kept_kernels(kernels, size, strength, 2)
    result = ConnectionsResult(scale=1.0, kept=kept)
    assert len(kept["kernels"]) < 30 * 2
    for unit in range(2):
        found = kernels_of(result, unit)
        for sign in (1, -1):
            fit = [u for u in range(6) if strength[unit, u] * sign > 0]
            strongest = sorted(fit, key=lambda u: -size[unit, u])[:2]
            assert set(strongest) <= set(found)
        for source, kernel in found.items():
            assert np.allclose(kernel, kernels[unit, source], atol=2e-3)


def test_too_many_pairs_are_refused(monkeypatch: pytest.MonkeyPatch, model: Model) -> None:
    monkeypatch.setattr("micrograph.lenses.connections.pairs.MOST_PAIRS", 30)
    with pytest.raises(MicrographError, match="5 x 7 pairs of units"):
        pairs(micrograph.weights(model, "1", "3"), 4, 2)


def test_groups_are_stored_and_read(model: Model, atlas: Atlas) -> None:
    other, explained, groups = stored_groups(atlas, "3")
    own = micrograph.weights(model, "1", "3").groups(2)
    assert (other, len(groups)) == ("1", len(own.groups))
    assert explained == pytest.approx(own.explained)
    for stored, group in zip(groups, own.groups, strict=True):
        assert stored.share == pytest.approx(group.share)
        assert [u for u, _ in stored.targets] == [u for u, _ in group.targets][:6]
        assert [u for u, _ in stored.sources] == [u for u, _ in group.sources][:6]


def test_first_layers_are_shown_as_they_are(model: Model, atlas: Atlas) -> None:
    found = first_layer(Scene(atlas, atlas.nodes["1"], None, Urls(""), []))
    assert found is not None
    weights = model.module[0].weight.detach().numpy()
    assert (found.channels, found.width, found.height, len(found.units)) == ("RGB", 3, 3, 7)
    assert found.scale == pytest.approx(np.abs(weights).max())
    for one in found.units:
        assert np.allclose(one.weights, weights[one.thumb.unit], atol=1e-4)
    part = section(Scene(atlas, atlas.nodes["1"], 4, Urls(""), []))
    assert part is not None
    assert part.first_layer is not None
    assert [one.thumb.unit for one in part.first_layer.units] == [4]
    assert part.first_layer.scale == found.scale


def test_weights_are_drawn_around_grey_or_white() -> None:
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image

    def pixels(weights: list) -> list:
        url = picture_of(np.array(weights), 2.0)
        image = Image.open(BytesIO(b64decode(url.partition(",")[2])))
        return np.asarray(image).tolist()

    assert pixels([[[2.0, 0.0]], [[-2.0, 0.0]], [[0.0, 0.0]]]) == [[[255, 0, 128], [128, 128, 128]]]
    assert pixels([[[0.0, 2.0, -2.0]]]) == [[[255, 255, 255], [217, 85, 0], [28, 99, 176]]]


def test_what_others_may_have_written_of_pairs_is_left_out(atlas: Atlas) -> None:
    sound = {
        name: np.array(values)
        for name, values in atlas.arrays("3", None, "connections", "pairs").items()
    }
    for name, odd in (
        ("near", np.ones((5, 2, 2), np.int16)),
        ("boxes", np.full((5, 4), 9, np.int16)),
        ("starts", np.full(5, -1, np.int32)),
        ("sides", np.array([900, 900], np.int16)),
        ("kernels", np.ones(3, np.float16)),
    ):
        assert kernels_of(ConnectionsResult(scale=1.0, kept={**sound, name: odd}), 3) == {}
    assert kernels_of(ConnectionsResult(scale=1.0, kept=sound), 3)
    assert all_inputs(atlas, "1") is not None
    assert all_inputs(atlas, "1").of(0) is None  # type: ignore[union-attr]
