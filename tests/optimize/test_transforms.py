import numpy as np
import pytest
import torch
import torch.nn.functional as F

from micrograph.optimize.transforms import NONE, STANDARD, Affine, draw_all, resample


def pictures(size: int = 32) -> torch.Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_none_changes_nothing() -> None:
    maps = draw_all(NONE, [np.random.default_rng(i) for i in range(2)], 3, 32)
    torch.testing.assert_close(resample(pictures(), maps[1]), pictures())
    assert not NONE.moves
    assert STANDARD.moves


def test_whole_shifts_move_whole_pixels() -> None:
    images = pictures()
    affine = Affine(jitters=(8,), scales=(1, 1, 1), degrees=0, unrotated=0)
    maps = draw_all(affine, [np.random.default_rng(5)] * 2, 20, 32)
    for map_ in maps[:, :1]:
        dx, dy = (map_[0, :, 2] * 16).round().int().tolist()
        assert max(abs(dx), abs(dy)) <= 4
        grey = F.pad(images - 0.5, (8, 8, 8, 8)) + 0.5
        expected = grey[:1, :, 8 + dy : 40 + dy, 8 + dx : 40 + dx]
        torch.testing.assert_close(resample(images[:1], map_), expected, atol=1e-5, rtol=0)


def test_a_quarter_turn_is_exact() -> None:
    turn = torch.tensor([[[0.0, 1, 0], [-1, 0, 0]]])
    expected = torch.rot90(pictures()[:1], -1, (2, 3))
    turned = resample(pictures()[:1], turn)
    torch.testing.assert_close(turned, expected, atol=1e-5, rtol=0)


def test_draws_follow_lucids_distribution() -> None:
    maps = STANDARD.draw(np.random.default_rng(0), 40_000, 224)
    linear = maps[:, :, :2].astype(float)
    zoom = 1 / np.sqrt(np.linalg.det(linear))
    degrees = np.degrees(np.arctan2(linear[:, 0, 1], linear[:, 0, 0]))
    assert sorted(set(zoom.round(3))) == [round(0.9 + 0.02 * i, 3) for i in range(11)]
    assert set(degrees.round().astype(int)) == set(range(-10, 11))
    share = np.mean(np.abs(degrees) < 0.5)
    assert share == pytest.approx(6 / 26, abs=0.01), "five extra zeros among 26"
    # Without turning, the two jitters add up to whole pixels of at most 4 + 2 / zoom.
    pixels = maps[:, :, 2] * 112
    assert np.abs(pixels).max() <= 4 + 2 * np.sqrt(2) / 0.9 + 1e-3
    assert np.abs(pixels.mean(axis=0)).max() < 0.05


def test_samples_and_lengths_do_not_change_a_draw() -> None:
    alone = draw_all(STANDARD, [np.random.default_rng(7)], 5, 64)
    among = draw_all(STANDARD, [np.random.default_rng(s) for s in (3, 7)], 50, 64)
    assert torch.equal(alone[:, 0], among[:5, 1])
    assert not torch.equal(among[0, 0], among[0, 1])


def test_outside_is_grey_and_gradients_flow() -> None:
    images = torch.ones(1, 3, 16, 16, requires_grad=True)
    moved = resample(images, torch.tensor([[[1.0, 0, 1], [0, 1, 0]]]))
    torch.testing.assert_close(moved[..., 8:], torch.full((1, 3, 16, 8), 0.5))
    moved.sum().backward()
    assert torch.equal(images.grad[0, 0, 0], torch.tensor([0.0] * 8 + [1.0] * 8))


def test_a_way_through_json() -> None:
    import json

    affine = Affine(jitters=(16,), scales=(0.8, 1.2, 0.1), degrees=3, unrotated=1)
    assert Affine.from_dict(json.loads(json.dumps(affine.as_dict()))) == affine
