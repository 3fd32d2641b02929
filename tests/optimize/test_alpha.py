import numpy as np
import torch
import torch.nn.functional as F

from micrograph.optimize import Objective
from micrograph.optimize.alpha import AlphaImage, transparent

IMAGE = AlphaImage(24)


def rngs(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def test_colours_and_opacity_are_in_range_and_samples_apart() -> None:
    images = IMAGE.image(IMAGE.start(rngs(1, 2)) * 20)
    assert images.shape == (2, 4, 24, 24)
    assert (images >= 0).all()
    assert (images <= 1).all()
    assert torch.equal(IMAGE.start(rngs(2)), IMAGE.start(rngs(1, 2))[1:])


def test_what_is_opaque_is_seen_and_what_is_not_is_noise_or_grey() -> None:
    images = torch.rand(2, 4, 24, 24)
    images[:, 3, :12], images[:, 3, 12:] = 1, 0
    finished = IMAGE.shown(images, None)
    moves = rngs(3, 4)
    first, second = IMAGE.shown(images, moves), IMAGE.shown(images, moves)
    for shown in (finished, first, second):
        torch.testing.assert_close(shown[:, :, :12], images[:, :3, :12])
    assert (finished[:, :, 12:] == 0.5).all()
    assert (first[:, :, 12:] - second[:, :, 12:]).abs().mean() > 0.05, "another at every step"
    alone = IMAGE.shown(images[1:], rngs(4))
    torch.testing.assert_close(first[1:], alone)


def test_the_objective_is_scaled_by_transparency_and_less_what_is_rough() -> None:
    plain = Objective((), lambda a, x: 2.0 + x[:, 0].mean((1, 2)))
    images = torch.rand(3, 4, 10, 10)
    images[0, 3] = 0.25
    driven = plain.value({}, images)
    padded = F.pad(images[:, 3:], (1, 1, 1, 1), value=torch.nan)
    windows = F.unfold(padded, 3).view(3, 9, 10, 10)
    rough = (images[:, 3] - windows.nanmean(1)).square().mean((1, 2))
    expected = driven * (1 - images[:, 3].mean((1, 2))) - 7.0 * driven * rough
    torch.testing.assert_close(transparent(plain, 7.0).value({}, images), expected)
    torch.testing.assert_close(transparent(plain).value({}, images)[0], driven[0] * 0.75)
