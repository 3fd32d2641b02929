"""Tuning of units whose preference is known, because their filters are made here."""

import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from micrograph import Model, Preprocessing
from micrograph import lenses as techniques
from micrograph.atlas import Atlas
from micrograph.cards import card
from micrograph.errors import NotFound
from micrograph.lenses.engines.base import Rendered, Sample, SweepEngine
from micrograph.lenses.tuning import lens
from micrograph.lenses.tuning.engine import centre
from micrograph.models import load
from micrograph.models.node import Node, ReceptiveField
from micrograph.recipe import digest
from micrograph.runner import render
from micrograph.stimuli import FAMILIES
from micrograph.weights import store

LENS = techniques.get("tuning")
SIZE = 64
HERE = Path("/nowhere")


def bank(filters: list[np.ndarray]) -> Model:
    """Filters [y, x] or [3, y, x], each a unit, on pictures whose grey is 0."""
    kernels = np.stack([f if f.ndim == 3 else np.stack([f] * 3) for f in filters])
    conv = nn.Conv2d(3, len(filters), kernels.shape[-1])
    conv.weight.data = torch.from_numpy(kernels).float()
    conv.bias.data.zero_()
    grey = Preprocessing(SIZE, SIZE, mean=(128 / 255,) * 3)
    return Model.of(nn.Sequential(conv, nn.ReLU()), id="bank", preprocessing=grey)


def places(side: int = 31) -> tuple[np.ndarray, np.ndarray]:
    """x to the right, y up, in a filter of that side."""
    y, x = np.mgrid[side // 2 : -side // 2 : -1, -(side // 2) : side // 2 + 1]
    return x.astype(float), y.astype(float)


def tuned(model: Model, family: str) -> tuple[np.ndarray, dict, np.ndarray]:
    """Responses [unit, axes...], data and baseline of the last node."""
    node = list(model.nodes)[-1]
    job = LENS.jobs(model, variants=[family])[0]
    result = list(LENS.sweep(model, {node: []}, job, HERE))[-1]
    assert isinstance(result, Rendered)
    assert (result.node, result.unit, result.image) == (node, None, None)
    return result.arrays["responses"].astype(float), dict(result.data), result.arrays["baseline"]


def best(responses: np.ndarray, data: dict) -> list:
    """The values of the axes at the largest response of one unit."""
    places = np.unravel_index(responses.argmax(), responses.shape)
    return [axis["values"][k] for axis, k in zip(data["axes"], places, strict=True)]


def test_gratings_find_the_orientation_and_wavelength_of_gabors() -> None:
    x, y = places()
    wanted = [(angle, length) for angle in (0, 30, 45, 90, 150) for length in (5.2, 9.2)]
    filters = []
    for angle, length in wanted:
        # Stripes along `angle`: the phase grows at a right angle to it.
        across = -x * math.sin(math.radians(angle)) + y * math.cos(math.radians(angle))
        gabor = np.cos(2 * np.pi * across / length) * np.exp(-(x**2 + y**2) / (2 * 7**2))
        filters.append(gabor - gabor.mean())
    responses, data, baseline = tuned(bank(filters), "gratings")
    assert abs(baseline).max() < 0.05
    axes = [axis["values"] for axis in data["axes"]]
    for unit, (angle, length) in enumerate(wanted):
        orientation, wavelength, phase = best(responses[unit], data)
        assert orientation == angle
        assert wavelength == min(axes[1], key=lambda v: abs(math.log(v / length)))
        assert phase == 0
        opposite = (axes[0].index(angle) + 6) % 12
        assert responses[unit][opposite].max() < 0.1 * responses[unit].max()


@pytest.mark.parametrize("direction", [0, 90, 135, 270])
def test_edges_find_the_light_side(direction: int) -> None:
    x, y = places(15)
    towards = x * math.cos(math.radians(direction)) + y * math.sin(math.radians(direction))
    responses, data, _ = tuned(bank([np.sign(np.round(towards, 6))]), "edges")
    assert best(responses[0], data) == [direction, 0]
    opposite = data["axes"][0]["values"].index((direction + 180) % 360)
    assert responses[0][opposite].max() == 0


def test_rings_find_the_size_of_a_centre() -> None:
    x, y = places(41)
    square = x**2 + y**2
    for narrow, wide in ((1.5, 3.0), (3.0, 6.0)):
        dog = sum(
            sign * np.exp(-square / (2 * s * s)) / (2 * np.pi * s * s)
            for sign, s in ((1, narrow), (-1, wide))
        )
        responses, data, _ = tuned(bank([dog, -dog]), "rings")
        # A disc that ends where the difference of Gaussians changes its sign excites most.
        zero = math.sqrt(4 * math.log(wide / narrow) / (1 / narrow**2 - 1 / wide**2))
        radii, figures = (axis["values"] for axis in data["axes"])
        nearest = min(range(len(radii)), key=lambda k: abs(radii[k] - zero))
        for unit, kind in enumerate(("light disc", "dark disc")):
            found = responses[unit][:, figures.index(kind)].argmax()
            assert abs(found - nearest) <= 1
        assert best(responses[0], data)[1] == "light in dark ring"
        assert best(responses[1], data)[1] == "dark in light ring"


def test_hue_finds_the_colour_of_an_opponent_unit() -> None:
    weights = ((2, -1, -1), (-1, 2, -1), (-1, -1, 2))
    filters = [np.array(rgb, float).reshape(3, 1, 1) for rgb in weights]
    model = bank(filters)
    responses, data, _ = tuned(model, "hue")
    for unit, hue in enumerate((29, 142, 264)):  # red, green and blue in OKLCH
        found = best(responses[unit], data)[0]
        assert abs((found - hue + 180) % 360 - 180) <= 30
    stimuli = FAMILIES["hue"].at(SIZE)
    colours = np.stack([stimuli.picture(n)[0, 0] for n in range(len(stimuli))]) / 255
    expected = np.maximum(colours @ np.array(weights[0]), 0)
    assert responses[0].ravel() == pytest.approx(expected, abs=1e-3)


def test_colour_contrast_tells_the_centre_from_the_surround() -> None:
    x, y = places(21)
    middle = (np.hypot(x, y) < 3.5).astype(float)
    around = (np.hypot(x, y) > 5).astype(float)
    redness = middle / middle.sum() - around / around.sum()
    responses, data, _ = tuned(
        bank([np.stack([redness, -redness / 2, -redness / 2])]), "colour_contrast"
    )
    stimuli = FAMILIES["colour_contrast"].at(SIZE)
    pictures = [stimuli.picture(n).astype(int) for n in range(len(stimuli))]
    red = np.array([[2, -1, -1] @ p[[SIZE // 2, 0], [SIZE // 2, 0]].T for p in pictures])
    assert best(responses[0], data) == list(stimuli.values((red[:, 0] - red[:, 1]).argmax()))
    assert responses[0].diagonal() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("direction", [0, 105, 240])
def test_curves_find_where_a_template_bulges(direction: int) -> None:
    x, y = places(41)
    axis = FAMILIES["curves"].at(SIZE).axes[1].values
    radius = axis[2]
    # The arc is the part of this circle around the filter's middle.
    cx, cy = (-radius * f(math.radians(direction)) for f in (math.cos, math.sin))
    away = np.hypot(x - cx, y - cy) - radius
    arc = np.exp(-((away / 1.2) ** 2)) * (np.hypot(x, y) < 1.3 * radius)
    blob = np.exp(-((away / 3.6) ** 2)) * (np.hypot(x, y) < 1.3 * radius)
    responses, data, _ = tuned(bank([arc - blob * arc.sum() / blob.sum()]), "curves")
    assert best(responses[0], data) == [direction, radius, "light line"]


@pytest.mark.parametrize("direction", [0, 67.5, 270])
def test_corners_find_where_a_wedge_points(direction: float) -> None:
    x, y = places(31)
    turn = np.degrees(np.arctan2(y, x)) - direction - 180
    inside = np.abs((turn + 180) % 360 - 180) < 45
    wedge = np.where(np.hypot(x, y) < 15, inside / inside.sum() - ~inside / (~inside).sum(), 0)
    responses, data, _ = tuned(bank([wedge]), "corners")
    assert best(responses[0], data) == [direction, 90, "light inside"]


def test_dots_map_where_a_unit_looks() -> None:
    look = np.zeros((61, 61))
    offsets = FAMILIES["size_position"].at(SIZE).axes[0].values
    look[30 - round(offsets[5]), 30 + round(offsets[1])] = 1
    responses, data, _ = tuned(bank([look]), "size_position")
    small, large = responses[0][..., 0], responses[0][..., 2]
    assert best(small, {"axes": data["axes"][:2]}) == [offsets[5], offsets[1]]
    assert (small > 0.1).sum() < (large > 0.1).sum(), "a large dot is seen from further away"
    assert responses[0][..., 1].max() == 0, "dark ones not at all"


class Lopsided(nn.Module):
    """Pools as Caffe does: the last window hangs over the border, and fields drift."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 7, stride=2, padding=3)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.second = nn.Conv2d(5, 6, 3, padding=1)
        self.again = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.third = nn.Conv2d(6, 4, 1)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.again(self.second(self.pool(self.conv(x))).relu())
        return self.head(self.third(x).mean((2, 3)))


@pytest.fixture
def lopsided() -> Model:
    torch.manual_seed(0)
    return Model.of(Lopsided(), id="lopsided", preprocessing=Preprocessing(SIZE, SIZE))


def test_the_position_read_is_the_one_that_looks_at_the_centre(lopsided: Model) -> None:
    moved = 0
    for node in lopsided.nodes.values():
        field = node.receptive_field
        if not node.shape or field.status != "exact":
            continue
        middles = [field.start + p * field.stride + field.size / 2 for p in range(node.shape[0])]
        off = [abs(middle - SIZE / 2) for middle in middles]
        assert off[centre(node, SIZE)[0]] == min(off)
        moved += centre(node, SIZE) != (node.shape[0] // 2, node.shape[1] // 2)
    assert moved, "the network is one where this matters"
    unknown = Node("n", 0, "conv", 2, (7, 9), ReceptiveField(status="unknown"), (), "n")
    assert centre(unknown, SIZE) == (3, 4)


def test_all_nodes_together_equal_a_plain_pass_for_each_picture(lopsided: Model) -> None:
    nodes = ["conv", "third", "head"]
    job = LENS.jobs(lopsided, variants=["rings"])[0]
    told: list[tuple[int, int]] = []
    results = list(
        LENS.sweep(lopsided, dict.fromkeys(nodes, ()), job, HERE, lambda *step: told.append(step))
    )
    samples = [r for r in results if isinstance(r, Sample)]
    rendered = {r.node: r for r in results if isinstance(r, Rendered)}
    assert list(rendered) == nodes
    assert [s.number for s in samples] == list(range(samples[0].source.pictures))
    assert told[-1] == (len(samples), len(samples))
    module = lopsided.module
    for number in (0, 17, 95):
        picture = torch.from_numpy(samples[number].image).permute(2, 0, 1)[None] / 255
        flat = module(picture)[0].detach().numpy()
        found = rendered["head"].arrays["responses"].reshape(3, -1)[:, number]
        assert found == pytest.approx(flat, abs=2e-3)
        y, x = divmod(rendered["conv"].data["position"], 32)
        first = module.conv(picture)[0, :, y, x].detach().numpy()
        found = rendered["conv"].arrays["responses"].reshape(5, -1)[:, number]
        assert found == pytest.approx(first, abs=2e-3)
    for result in rendered.values():
        assert result.score == pytest.approx(result.arrays["responses"].max(), rel=1e-3)
        assert result.arrays["responses"].dtype == result.arrays["baseline"].dtype == np.float16


def test_large_responses_keep_their_size() -> None:
    model = bank([np.full((1, 1), 1e6), np.full((1, 1), 1.0)])
    responses, _, _ = tuned(model, "hue")
    assert np.isfinite(responses).all()
    assert responses[0].max() == pytest.approx(1e6 * responses[1].max(), rel=1e-3)


def test_jobs_name_all_that_decides(lopsided: Model) -> None:
    assert isinstance(LENS, SweepEngine)
    jobs = LENS.jobs(lopsided)
    assert [job.variant for job in jobs] == list(FAMILIES)
    assert len({digest(job.recipe) for job in jobs}) == len(FAMILIES)
    recipe = json.loads(json.dumps(jobs[0].recipe))
    assert digest(recipe) == digest(jobs[0].recipe)
    assert recipe["weights"] == lopsided.digest
    assert recipe["dataset"] == FAMILIES["curves"].at(SIZE).digest
    with pytest.raises(NotFound, match="did you mean 'curves'"):
        LENS.jobs(lopsided, variants=["curvs"])


class Stopping(nn.Module):
    """Is interrupted (Ctrl-C) at a pass, or gives NaN."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.after = nn.Conv2d(4, 2, 1)
        # An iterator, because numbers that a pass changes are put back behind it.
        self.left: Iterator[int] = itertools.repeat(0)
        self.factor = 1.0

    def forward(self, x: Tensor) -> Tensor:
        if next(self.left, None) is None:
            raise KeyboardInterrupt
        return self.after(self.conv(x) * self.factor)


def test_interrupted_and_done_again(tmp_path: Path) -> None:
    net = Stopping()
    model = Model.of(net, id="stopping", preprocessing=Preprocessing(32, 32))
    model.passes  # noqa: B018 - looked at before
    net.left = iter(range(12))
    first = render(
        model, tmp_path, technique=["tuning"], variants=["edges", "rings"], image_format="png"
    )
    assert first.interrupted
    assert first.rendered == 2, "edges were finished"
    net.left = itertools.repeat(0)
    second = render(
        model, tmp_path, technique=["tuning"], variants=["edges", "rings"], image_format="png"
    )
    assert (second.there, second.rendered) == (2, 2)
    assert [f.name for f in tmp_path.iterdir()] == ["stopping.atlas"]
    atlas = Atlas.open(tmp_path / "stopping.atlas")
    arrays = atlas.arrays("after", None, "tuning", "rings")
    stimuli = FAMILIES["rings"].at(32)
    assert arrays["responses"].shape == (2, *stimuli.shape)
    kept = atlas.samples(stimuli.digest, range(len(stimuli)))
    assert len(kept) == len(stimuli)
    assert kept[3].name == stimuli.label(3)


def test_nodes_that_give_nan_are_left_out_and_named(tmp_path: Path) -> None:
    net = Stopping()
    model = Model.of(net, id="nan", preprocessing=Preprocessing(32, 32))
    list(model.nodes)
    net.factor = math.nan
    done = render(model, tmp_path, technique=["tuning"], variants=["rings"])
    assert done.rendered == 1
    assert "left out (after" in str(done)


def test_curve_detectors_of_googlenet_have_one_direction() -> None:
    """Drawn as lines and as borders, light and dark, they agree on it."""
    if store.status(card("inceptionv1_caffe")).path is None:
        pytest.skip("no weights of inceptionv1_caffe; let MICROGRAPH_WEIGHTS name their folder")
    googlenet = load("inceptionv1_caffe")
    node = googlenet.node("inception_3b")
    y, x = centre(node, 224)
    units = [335, 336, 386, 413]
    peaks = []
    for name in ("curves", "curve_edges"):
        stimuli = FAMILIES[name].at(224)
        directions, radii, figures = (axis.values for axis in stimuli.axes)
        by_direction = []
        for direction in directions[::2]:
            pictures = [stimuli.family.draw(224, direction, radii[-2], f) for f in figures]
            images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 255
            with torch.no_grad():
                seen = googlenet.run(images, [node.id])[node.id][:, units, y, x]
            by_direction.append(seen.amax(0).numpy())
        strength = np.array(by_direction)
        turning = np.exp(1j * np.radians(directions[::2]))
        mean = turning @ strength / strength.sum(0)
        assert (np.abs(mean) > 0.9).all(), "nearly all of the response lies in one direction"
        peaks.append(np.degrees(np.angle(mean)))
    assert (np.abs((peaks[0] - peaks[1] + 180) % 360 - 180) < 15).all()
    assert np.ptp(peaks[0]) > 90, "each in its own"


def test_the_words_name_the_families_there_are() -> None:
    assert tuple(FAMILIES) == lens.FAMILIES
