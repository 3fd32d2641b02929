import pytest
import torch

from micrograph.optimize.diversity import diverse, grams, likeness


def test_grams_are_the_products_of_units_over_positions() -> None:
    maps = torch.rand(2, 3, 4, 5)
    expected = torch.stack(
        [torch.stack([(m[i] * m[j]).sum() for i in range(3) for j in range(3)]) for m in maps]
    )
    expected = expected / expected.norm(dim=1, keepdim=True)
    torch.testing.assert_close(grams(maps), expected)
    assert grams(torch.zeros(1, 3, 2, 2)).isfinite().all(), "a dead node has no likeness"


@pytest.mark.parametrize("shape", [(6, 4, 3, 3), (6, 4)])
def test_likeness_is_the_mean_over_the_others_of_the_group(shape: tuple[int, ...]) -> None:
    maps = torch.rand(shape)
    g = grams(maps)
    for i in range(6):
        group = [j for j in range(6) if j // 3 == i // 3 and j != i]
        expected = sum(float(g[i] @ g[j]) for j in group) / 2
        assert likeness(maps, 3)[i].item() == pytest.approx(expected, rel=1e-5)


def test_equal_facets_are_fully_alike_and_other_units_not_at_all() -> None:
    same = torch.rand(1, 4, 3, 3).repeat(2, 1, 1, 1)
    assert likeness(same, 2).tolist() == pytest.approx([1, 1])
    other = torch.zeros(2, 4, 3, 3)
    other[0, 0], other[1, 3] = 1, 1
    assert likeness(other, 2).tolist() == [0, 0]


def test_units_do_not_touch_each_other_and_the_penalty_is_relative() -> None:
    maps = torch.rand(4, 5, 3, 3, requires_grad=True)
    objective = diverse("n", [1, 2], 2, 0.5)
    values = objective.value({"n": maps}, torch.empty(0))
    driven = torch.stack([maps[b, u].mean() for b, u in enumerate([1, 1, 2, 2])])
    torch.testing.assert_close(values, driven * (1 - 0.5 * likeness(maps, 2)))
    (grad,) = torch.autograd.grad(values[:2].sum(), maps)
    assert (grad[:2] != 0).any()
    assert (grad[2:] == 0).all()
    # In ten times the activations it weighs as much.
    scaled = (maps.detach() * 10).requires_grad_()
    (again,) = torch.autograd.grad(objective.value({"n": scaled}, torch.empty(0)).sum(), scaled)
    (before,) = torch.autograd.grad(objective.value({"n": maps}, torch.empty(0)).sum(), maps)
    torch.testing.assert_close(again, before, rtol=1e-4, atol=1e-6)
