import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from micrograph import lenses
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, NotFound
from micrograph.lenses.engines.presets import PRESETS
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.optimize import channel, evaluate, neuron
from micrograph.recipe import digest

LENS = lenses.get("feature_vis")


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def test_recipes_are_complete_and_all_different(toytown: Model) -> None:
    jobs = LENS.jobs(
        toytown,
        preset="draft",
        repeats=2,
        variants=["channel", "channel-negative", "neuron", "neuron-negative"],
    )
    assert len({digest(job.recipe) for job in jobs}) == 8
    recipe = json.loads(json.dumps(jobs[0].recipe))
    assert digest(recipe) == digest(jobs[0].recipe), "a way through JSON changes nothing"
    assert recipe["weights"] == toytown.digest
    assert {
        "technique",
        "objective",
        "negative",
        "seed",
        "model",
        "weights",
        "code",
        "size",
        "steps",
        "rate",
        "momentum",
        "transforms",
        "redirect_steps",
        "settle",
        "start",
        "precision",
        "parameterization",
        "view",
    } == set(recipe)


def test_presets_and_what_overrides_them(toytown: Model) -> None:
    assert {"draft", "standard", "microscope"} == set(PRESETS)
    recipe = LENS.jobs(toytown, preset="microscope")[0].recipe
    assert (recipe["size"], recipe["steps"], recipe["rate"]) == (
        toytown.preprocessing.size,
        4096,
        0.05,
    )
    recipe = LENS.jobs(toytown, preset="draft", steps=7, size=64, seed=5)[0].recipe
    assert (recipe["size"], recipe["steps"], recipe["seed"]) == (64, 7, 5)


@pytest.mark.parametrize(
    ("variant", "make", "before"),
    [
        ("channel", channel, False),
        ("channel-negative", channel, True),
        ("neuron", neuron, False),
        ("neuron-negative", neuron, True),
    ],
)
def test_scores_are_the_units_activation_on_the_stored_picture(
    toytown: Model, variant: str, make, before: bool
) -> None:
    job = LENS.jobs(toytown, preset="draft", steps=12, size=64, variants=[variant])[0]
    for done in LENS.run(toytown, "mixed4a", [2, 7], job):
        images = torch.from_numpy(done.image).permute(2, 0, 1)[None] / 255
        own = evaluate(toytown, make("mixed4a", done.unit, pre_relu=before), images).item()
        assert done.score == pytest.approx(own, rel=1e-3, abs=1e-3)
        assert (done.score < 0) == before
        assert done.image.shape == (64, 64, 3)
        assert done.seconds > 0


def test_units_start_apart_and_batches_do_not_matter(toytown: Model) -> None:
    job = LENS.jobs(toytown, preset="draft", steps=5, size=48)[0]
    together = {r.unit: r.image for r in LENS.run(toytown, "mixed4a", [2, 7, 8], job)}
    alone = next(LENS.run(toytown, "mixed4a", [7], job))
    assert abs(alone.image.astype(float) - together[7]).mean() < 1
    assert abs(together[2].astype(float) - together[7]).mean() > 2


class Greedy(nn.Module):
    """Asks for more memory than any machine has when it gets more than two pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.seen: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 2:
            torch.empty(1 << 55, dtype=torch.uint8)
        self.seen.append(len(x))
        return self.conv(x)


def test_out_of_memory_halves_the_batch_and_goes_on() -> None:
    net = Greedy().eval()
    model = Model.of(net, id="greedy", preprocessing=Preprocessing(size=32, resize=32))
    job = LENS.jobs(model, steps=2, size=32)[0]
    done = list(LENS.run(model, "conv", [0, 1, 2, 3, 4], job))
    assert [r.unit for r in done] == [0, 1, 2, 3, 4]
    assert max(net.seen) == 2


def test_other_errors_are_not_swallowed(toytown: Model) -> None:
    job = LENS.jobs(toytown, steps=2, size=32)[0]

    def fail(step: int, steps: int) -> None:
        raise RuntimeError("not about memory")

    with pytest.raises(RuntimeError, match="not about memory"):
        list(LENS.run(toytown, "mixed4a", [0, 1], job, fail))


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 0},
        {"steps": -3},
        {"size": -1},
        {"size": 100_000},
        {"seed": -1},
        {"seed": 2**40},
        {"repeats": 0},
        {"repeats": 1000},
    ],
)
def test_absurd_options_are_refused(toytown: Model, options: dict) -> None:
    with pytest.raises(BadInput, match="expected"):
        LENS.jobs(toytown, **options)


def test_unknown_names_say_what_there_is(toytown: Model) -> None:
    with pytest.raises(NotFound, match="did you mean 'draft'"):
        LENS.jobs(toytown, preset="drafts")
    with pytest.raises(NotFound, match="'neuron'"):
        LENS.jobs(toytown, variants=["neurons"])
    with pytest.raises(NotFound, match="feature_vis"):
        lenses.get("feature-vis")


def test_a_lens_can_be_added() -> None:
    lens = LENS.lens
    other = replace(lens, words=replace(lens.words, technique="another"))
    assert lenses.register(other) is other
    try:
        assert lenses.lens("another") is other
        assert "another" in lenses.names()
        assert lenses.get("another") is LENS, "its engine lies where it says"
    finally:
        lenses._lenses.pop("another")
