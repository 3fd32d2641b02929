import contextlib

import numpy as np
import pytest
import torch
from torch import nn

from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.optimize import StepState, Watch, ascent, channel, evaluate, loop
from micrograph.optimize.maco import NATURAL, MacoSettings, PhaseImage, crops, cut_squares, maco
from micrograph.optimize.parameterize import COLOR_BASIS


def rngs(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def components(images: torch.Tensor) -> torch.Tensor:
    """Back from RGB to colour components."""
    return torch.einsum("cr,bryx->bcyx", COLOR_BASIS.double().inverse(), images.double().logit())


@pytest.mark.parametrize("size", [32, 33])
def test_every_picture_has_the_same_natural_spectrum_whatever_its_phases(size: int) -> None:
    image = PhaseImage(size)
    params = image.start(rngs(1, 2)) * torch.tensor([1.0, 30.0]).view(2, 1, 1, 1)
    seen = components(image.image(params))
    spectrum = torch.fft.rfft2(seen).abs()[:, :, 1:, 1:-1]
    wanted = image.amplitude()[:, 1:, 1:-1].double().expand_as(spectrum)
    torch.testing.assert_close(spectrum, wanted, rtol=0.02, atol=0.05)
    means = torch.tensor([row[0] for row in NATURAL]).double()
    torch.testing.assert_close(seen.mean((2, 3)), means.expand(2, 3), rtol=0.01, atol=0.01)


def test_components_have_the_spread_of_natural_pictures() -> None:
    seen = components(PhaseImage(64).image(PhaseImage(64).start(rngs(0, 1, 2, 3))))
    spread = seen.std((2, 3)).mean(0)
    # Phases of the self-conjugate columns are free, which costs a little of the power.
    assert spread.tolist() == pytest.approx([row[1] for row in NATURAL], rel=0.1)


def test_amplitudes_fall_with_frequency_and_are_stronger_along_the_axes() -> None:
    plane = PhaseImage(64).amplitude()[0]
    assert plane[0, 0] == 0
    fall = np.polyfit(np.log(np.arange(2, 30)), plane[0, 2:30].log().numpy(), 1)[0]
    assert fall == pytest.approx(-NATURAL[0][2], rel=1e-3)
    diagonal = plane[12, 12] * (2**0.5) ** NATURAL[0][2]
    assert plane[0, 12] > diagonal * 1.1


def test_samples_do_not_depend_on_each_other() -> None:
    image = PhaseImage(16)
    both = image.image(image.start(rngs(1, 2)))
    torch.testing.assert_close(both[1:], image.image(image.start(rngs(2))))


def test_crops_lie_inside_and_shrink() -> None:
    squares = crops(np.random.default_rng(0), MacoSettings(steps=50, crops=40))
    side, centre = squares[..., 0], squares[..., 1:]
    assert (np.abs(centre) + side[..., None] <= 1 + 1e-6).all()
    assert side[0].mean() == pytest.approx(0.5, abs=0.03)
    assert side[-1].mean() == pytest.approx(0.2, abs=0.03)


def test_a_cut_shows_its_square() -> None:
    ramp = torch.linspace(-1, 1, 101)
    images = torch.stack([ramp.expand(101, 101), ramp[:, None].expand(101, 101)])[None]
    images = torch.cat([images, images[:, :1] * 0], 1)
    seen = cut_squares(images, torch.tensor([[[0.5, 0.2, -0.3], [0.1, 0.0, 0.0]]]), 8)
    assert seen.shape == (2, 3, 8, 8)
    scale = 101 / 100  # pixel centres of the ramp reach -1 and 1
    at = (torch.arange(8) * 2 + 1) / 8 - 1
    torch.testing.assert_close(seen[0, 0, 3], (0.5 * at + 0.2) * scale, atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[0, 1, :, 3], (0.5 * at - 0.3) * scale, atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[1, 0, 3], 0.1 * at * scale, atol=1e-4, rtol=0)


def bars() -> Model:
    """Unit 0 answers to bars that stand, unit 1 to bars that lie."""
    conv = nn.Conv2d(3, 2, 5, bias=False)
    standing = torch.tensor([-1.0, -1, 4, -1, -1]).expand(3, 5, 5)
    conv.weight.data = torch.stack([standing, standing.transpose(1, 2)])
    return Model.of(
        nn.Sequential(conv, nn.ReLU()), id="bars", preprocessing=Preprocessing(size=24, resize=24)
    )


def test_bar_detectors_get_bars_and_importance() -> None:
    model = bars()
    settings = MacoSettings(size=48, steps=40, crops=4, precision="fp32")
    target = channel("1", [0] * 4 + [1] * 4)
    steps: list[int] = []
    images, importance = maco(
        model, target, settings, seeds=[(0, 0), (0, 1)], on_step=lambda k, n: steps.append(k)
    )
    assert steps == list(range(1, 41))
    assert images.shape == (2, 3, 48, 48)
    torch.testing.assert_close(images * 255, (images * 255).round())
    assert importance.shape == (2, 48, 48)
    assert (importance.flatten(1).max(1).values == 1).all()
    image = PhaseImage(48)
    chance = evaluate(model, channel("1", [0, 1]), image.image(image.start(rngs(5, 6))))
    own = evaluate(model, channel("1", [0, 1]), images)
    others = evaluate(model, channel("1", [1, 0]), images)
    # Amplitudes are given, so that little can be gained: only by what stands together with what.
    assert (own > 1.05 * chance).all()
    assert (own > 1.05 * others).all()
    assert all(p.grad is None for p in model.module.parameters())
    alone, _ = maco(model, channel("1", [1] * 4), settings, seeds=[(0, 1)])
    assert (alone[0] - images[1]).abs().mean() < 2 / 255


def test_pictures_can_be_seen_while_they_are_made_and_stay_the_same() -> None:
    model, target = bars(), channel("1", [0] * 2)
    settings = MacoSettings(size=32, steps=4, crops=2, precision="fp32")
    seen: list[np.ndarray] = []

    def look(step: StepState) -> None:
        seen.append(step.pictures())

    watched, watched_opacity = maco(model, target, settings, seeds=[(0,)], on_step=Watch(look))
    plain, plain_opacity = maco(model, target, settings, seeds=[(0,)])
    assert torch.equal(watched, plain)
    assert torch.equal(watched_opacity, plain_opacity)
    assert len(seen) == 4
    assert (seen[-1] == loop.as_uint8(plain)).all()
    assert (seen[0] != seen[-1]).any()


LATENTS = [0, 4]
"""Of toytown's dictionary: off in all that MaCo looks at from these seeds, at every position."""


def latents_from_noise() -> tuple[torch.Tensor, torch.Tensor, Model]:
    """MaCo's pictures of latents that are off: at the start and in the end."""
    model, seeds = load("toytown"), [(0, unit) for unit in LATENTS]
    settings = MacoSettings(size=64, steps=8, crops=2, precision="fp32")
    image, first = PhaseImage(64), loop._generators(seeds)
    start = image.image(image.start(first[0]))
    squares = np.stack([crops(rng, settings)[0] for rng in first[1]])
    looked_at = cut_squares(start, torch.from_numpy(squares), model.preprocessing.size)
    target = channel("mixed4a.sae", [unit for unit in LATENTS for _ in range(2)])
    assert (evaluate(model, target, looked_at) == 0).all(), "else this says nothing"
    end, _ = maco(model, target, settings, seeds=seeds)
    return start, end, model


def test_pictures_of_latents_that_are_off_move() -> None:
    start, end, model = latents_from_noise()
    assert ((start - end).abs().mean((1, 2, 3)) > 0.1).all()
    # What goes into the latents' own activations, on nine crops of each picture.
    ninth = [[0.35, x, y] for x in (-0.5, 0, 0.5) for y in (-0.5, 0, 0.5)]
    squares = torch.tensor([ninth] * len(LATENTS))
    before = channel("mixed4a.sae", [unit for unit in LATENTS for _ in ninth], pre_relu=True)
    low, high = (
        evaluate(model, before, cut_squares(images, squares, model.preprocessing.size))
        .view(2, 9)
        .mean(1)
        for images in (start, end)
    )
    assert (high > low + 0.03).all()


def test_without_gradients_through_what_is_off_they_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ascent, "straight_through", contextlib.nullcontext)
    start, end, _ = latents_from_noise()
    assert (start - end).abs().max() <= 0.51 / 255, "no more than rounding to 8 bits"


@pytest.mark.parametrize(
    "bad", [{"size": 3}, {"steps": 0}, {"crops": 0}, {"crops": 1.5}, {"precision": "fp8"}]
)
def test_absurd_settings_are_refused(bad: dict) -> None:
    with pytest.raises(BadInput, match="expected"):
        MacoSettings(**bad)


def test_the_objective_is_for_all_crops() -> None:
    with pytest.raises(BadInput, match="4 views of each picture"):
        maco(bars(), channel("1", [0, 1]), MacoSettings(size=16, crops=4), seeds=[(0,), (1,)])
