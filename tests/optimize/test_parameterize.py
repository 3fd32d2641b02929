import numpy as np
import pytest
import torch

from micrograph.optimize.parameterize import COLOR_BASIS, FourierImage, PixelImage, to_rgb


def rngs(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def test_colour_basis_has_the_published_numbers() -> None:
    published = [[0.5628, 0.1948, 0.0433], [0.5845, 0, -0.1082], [0.5845, -0.1948, 0.0649]]
    torch.testing.assert_close(COLOR_BASIS, torch.tensor(published), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [16, 17, 64])
def test_fourier_image_against_a_sum_of_waves(size: int) -> None:
    """Each coefficient adds the wave it stands for, with its 1/f weight, over size² and 4."""
    param = FourierImage(size)
    params = param.start(rngs(1))
    z = torch.view_as_complex(params)[0].numpy().astype(complex)
    y, x = np.mgrid[:size, :size] / size
    components = np.zeros((3, size, size))
    for fy in range(size):
        for fx in range(size // 2 + 1):
            signed = fy if fy <= size // 2 else fy - size
            f = max(np.hypot(signed, fx) / size, 1 / size)
            wave = np.exp(2j * np.pi * (fy * y + fx * x))
            twice = 1 if fx == 0 or 2 * fx == size else 2
            for c in range(3):
                components[c] += twice * size / f * (z[c, fy, fx] * wave).real / size**2 / 4
    expected = 1 / (1 + np.exp(-np.einsum("rc,cyx->ryx", COLOR_BASIS.numpy(), components)))
    np.testing.assert_allclose(param.image(params)[0].numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("kind", [FourierImage, PixelImage])
def test_samples_are_independent_and_in_range(kind: type) -> None:
    param = kind(24)
    together = param.start(rngs(1, 2, 3))
    assert torch.equal(together[1], param.start(rngs(2))[0])
    images = param.image(together)
    assert images.shape == (3, 3, 24, 24)
    assert images.min() > 0
    assert images.max() < 1
    torch.testing.assert_close(images[2], param.image(together[2:])[0])


def test_contrast_at_the_start_is_what_was_asked_for() -> None:
    def contrast(image: FourierImage) -> float:
        made = image.image(image.start(rngs(0)))
        assert (made - 0.5).abs().max() < 0.45, "nothing is burnt out"
        return made.std().item()

    assert contrast(FourierImage(64, sd=0.01)) < 0.01
    assert 0.05 < contrast(FourierImage(64)) < 0.2, "below that of a photograph"


def test_first_component_is_brightness() -> None:
    rgb = to_rgb(torch.tensor([2.0, 0, 0]).view(1, 3, 1, 1)).flatten()
    assert rgb.min() > 0.7
    assert rgb.max() - rgb.min() < 0.02
