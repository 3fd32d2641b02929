"""Activation grids: their vectors, their cells alone and together, and how they are laid out."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from micrograph import lenses as techniques
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, NotFound
from micrograph.lenses.activation_grid.engine import cell_settings, cells, centre, mosaic
from micrograph.lenses.engines import directions
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.optimize import Settings, direction

LENS = techniques.get("activation_grid")


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def job_for(model: Model, **options):
    return LENS.jobs(model, images=["owl"], **({"steps": 3, "size": 32} | options))[0]


def test_vectors_are_the_activations(toytown: Model) -> None:
    picture = job_for(toytown).context
    with torch.no_grad():
        a = toytown.run(picture.tensor(), ["mixed4a", "conv0", "logits"])
    assert torch.equal(cells(toytown, "mixed4a", picture), a["mixed4a"][0].permute(1, 2, 0))
    fine = cells(toytown, "conv0", picture)  # 48 x 48 positions in 12 x 12 blocks of 4 x 4
    assert fine.shape == (12, 12, 24)
    assert torch.allclose(fine[2, 5], a["conv0"][0, :, 8:12, 20:24].mean((1, 2)), atol=1e-6)
    assert torch.equal(cells(toytown, "logits", picture), a["logits"][None])


def test_a_cell_alone_is_that_cell_among_others(toytown: Model) -> None:
    settings = replace(Settings.from_dict(job_for(toytown).recipe), precision="fp32", size=48)
    vectors = cells(toytown, "mixed4a", job_for(toytown).context).flatten(0, 1)[::8]
    assert len(vectors) > 16, "more than one batch"
    together, scores = directions.render(toytown, "mixed4a", vectors, settings, (0, 0), power=1)
    alone, score = directions.render(toytown, "mixed4a", vectors[5:6], settings, (0, 0), power=1)
    assert np.abs(together[5].astype(int) - alone[0]).mean() < 0.5
    assert score[0] == pytest.approx(scores[5].item(), rel=0.02)
    assert np.abs(together[5].astype(int) - together[9]).mean() > 2


def test_the_objective_is_the_formula() -> None:
    net = nn.Conv2d(3, 4, 3, padding=1)
    model = Model.of(net, id="net", preprocessing=Preprocessing(size=8, resize=8))
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    vectors = torch.eye(4)[:2]
    name = next(iter(model.nodes))
    a = model.run(images, [name])[name]
    for everywhere in (False, True):
        target = direction(name, vectors, cosine_power=2, everywhere=everywhere, normalize=True)
        got = target.value({name: a}, images)
        for b in range(2):
            values = a[b].flatten(1) if everywhere else a[b, :, 4, 4][:, None]
            dot = values[b]
            cos = (dot / values.norm(dim=0)).clamp(min=0.1)
            assert got[b].item() == pytest.approx((dot * cos**2).mean().item(), rel=1e-3)


def test_steps_of_all_batches_are_told_as_one_run(toytown: Model) -> None:
    settings = replace(Settings.from_dict(job_for(toytown).recipe), size=16, steps=2)
    told: list[float] = []
    directions.render(
        toytown,
        "conv0",
        torch.eye(24)[:20],
        settings,
        (0, 0),
        power=1,
        on_step=lambda step, steps: told.append(step / steps),
    )
    assert told == sorted(told)
    assert len(told) == 4
    assert told[-1] == 1


def test_what_is_shown_of_a_cell_lies_around_what_is_driven() -> None:
    """A bright pixel where the position looks must come to lie in the middle of the tile."""
    net = nn.Sequential(nn.Conv2d(3, 4, 5, stride=4, padding=2))
    model = Model.of(net, id="net", preprocessing=Preprocessing(size=64, resize=64))
    place = model.nodes["0"]
    images = torch.zeros(1, 3, 32, 32, requires_grad=True)
    a = model.run(images, ["0"])["0"]
    (gradient,) = torch.autograd.grad(a[0, :, a.shape[2] // 2, a.shape[3] // 2].sum(), images)
    seen = gradient.abs().sum((0, 1)).nonzero().float().mean(0)
    assert centre(place, model, 32) == round(seen[0].item()) == round(seen[1].item())


def test_tiles_lie_as_positions_do() -> None:
    pictures = np.zeros((108, 32, 32, 3), np.uint8)
    pictures[:, :, :, 0] = np.arange(108)[:, None, None] * 2
    shown = mosaic(pictures, np.ones((9, 12)), 16)
    assert shown.shape == (9 * 12, 12 * 12, 3)
    middles = shown[6::12, 6::12, 0].reshape(-1)
    assert np.abs(middles.astype(int) - np.arange(108) * 2).max() <= 1


def test_neighbours_fade_and_short_vectors_are_faint() -> None:
    pictures = np.full((100, 32, 32, 3), 255, np.uint8)
    norms = np.ones((10, 10))
    assert mosaic(pictures, norms, 16).min() == 255, "equal tiles leave no seam"
    norms[0, 0] = 0
    shown = mosaic(pictures, norms, 16)
    assert shown[5, 5, 0] < 180
    assert shown[-5, -5, 0] == 255
    row = shown[5, :24, 0].astype(int)
    assert np.abs(np.diff(row)).max() < 40, "no step between tiles"


def test_few_cells_get_larger_pictures_and_shallow_nodes_smaller_ones(toytown: Model) -> None:
    settings = Settings.from_dict(LENS.jobs(toytown, images=["owl"])[0].recipe)
    sizes = {
        name: cell_settings(toytown.nodes[name], toytown, count, settings).size
        for name, count in (("conv0", 12), ("mixed4a", 12), ("mixed5b", 6), ("logits", 1))
    }
    assert sizes == {"conv0": 16, "mixed4a": 64, "mixed5b": 96, "logits": 96}


def test_a_grid_of_a_node(toytown: Model) -> None:
    job = job_for(toytown)
    sample, done = LENS.run(toytown, "mixed5b", [], job)
    assert sample.source.digest == job.recipe["source"] == done.data["source"][0]
    assert (done.data["rows"], done.data["columns"]) == (6, 6)
    assert done.image.shape[0] == done.image.shape[1]
    assert np.mean(done.data["norms"]) == pytest.approx(done.score, rel=1e-2)


def test_the_picture_is_stored_as_the_network_saw_it(toytown: Model) -> None:
    job = job_for(toytown)
    shown = job.context.sample
    assert (shown.source.name, shown.source.pictures, shown.number) == ("pictures", 1, 0)
    assert (shown.source.size, shown.image.shape) == (96, (96, 96, 3))
    assert torch.equal(
        (job.context.tensor() * 255).round().byte()[0].permute(1, 2, 0),
        torch.from_numpy(shown.image.copy()),
    )
    other = LENS.jobs(toytown, images=["chelsea"])[0].context
    assert other.digest != job.context.digest


def test_activations_that_are_not_finite_give_no_picture() -> None:
    net = nn.Conv2d(3, 4, 3)
    nn.init.constant_(net.bias, float("nan"))
    model = Model.of(net, id="net", preprocessing=Preprocessing(size=32, resize=32))
    (done,) = LENS.run(model, next(iter(model.nodes)), [], job_for(model))
    assert done.image is None
    assert np.isnan(done.score)


@pytest.mark.parametrize(
    "options",
    [
        {"seed": -1},
        {"cosine_power": 99.0},
        {"steps": 0},
        {"size": 1},
        {"images": []},
        {"images": ["owl"] * 65},
    ],
)
def test_absurd_options_are_refused(toytown: Model, options: dict) -> None:
    with pytest.raises(BadInput, match="expected"):
        LENS.jobs(toytown, **({"images": ["owl"]} | options))


def test_unknown_names_say_what_there_is(toytown: Model) -> None:
    with pytest.raises(NotFound, match="did you mean 'standard'"):
        LENS.jobs(toytown, images=["owl"], preset="standart")
    with pytest.raises(NotFound, match="'owl'"):
        LENS.jobs(toytown, images=["owll"])


class OneSize(nn.Module):
    """A matrix behind a flattened map: 28 px of grey and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.map, self.flat, self.last = (
            nn.Conv2d(1, 8, 3, 2),
            nn.Linear(8 * 169, 16),
            nn.Linear(16, 10),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.flat(self.map(x).relu().flatten(1)).relu())


def test_a_network_of_one_size_gets_pictures_of_that_where_it_must() -> None:
    model = Model.of(OneSize(), id="net", preprocessing="28,L,0..1")
    assert model.takes(48, "map")
    assert not model.takes(48, "last")
    assert not model.takes(48)
    (job,) = LENS.jobs(model, images=["owl"], steps=2)
    sizes = {}
    for node in ("map", "flat", "last"):
        _, made = LENS.run(model, node, [], job)
        sizes[node] = made.image.shape
    assert sizes["flat"] == sizes["last"] == (28, 28, 3)
