import pytest
import torch
import torch.nn.functional as F

from micrograph.optimize.stem import FastStem

CASES = [
    # kernel, stride, padding, input size
    ((7, 7), 2, (3, 3), (224, 224)),
    ((7, 7), 2, (3, 3), (33, 40)),
    ((3, 3), 2, (0, 0), (30, 31)),
    ((11, 11), 4, (2, 2), (67, 64)),
    ((3, 3), 1, (1, 1), (12, 9)),
    ((1, 1), 3, (0, 0), (10, 11)),
    ((5, 3), 2, (2, 0), (21, 18)),
    ((4, 4), 4, (0, 0), (18, 19)),
    ((2, 2), 3, (1, 1), (16, 17)),
]


@pytest.mark.parametrize(("kernel", "stride", "padding", "size"), CASES)
def test_input_gradient_equals_autograds(kernel, stride, padding, size) -> None:
    torch.manual_seed(0)
    weight, bias = torch.randn(8, 3, *kernel, dtype=torch.double), torch.randn(8).double()
    x = torch.randn(2, 3, *size, dtype=torch.double, requires_grad=True)
    out = F.conv2d(x, weight, bias, stride, padding)
    above = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, x, above)
    with FastStem():
        fast = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    assert torch.equal(fast, out)
    assert type(fast.grad_fn).__name__ == "_StemBackward"
    (got,) = torch.autograd.grad(fast, x, above)
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize(
    "changed",
    [
        {"weight": torch.randn(4, 5, 3, 3), "x": torch.randn(1, 5, 9, 9)},
        {"groups": 2, "weight": torch.randn(4, 1, 3, 3), "x": torch.randn(1, 2, 9, 9)},
        {"dilation": 2},
        {"padding": "same"},
        {"stride": (1, 2)},
        {"weight": torch.randn(4, 3, 3, 3, requires_grad=True)},
        {"x": torch.randn(3, 9, 9)},
    ],
)
def test_other_convolutions_are_left_alone(changed: dict) -> None:
    given = {"weight": torch.randn(4, 3, 3, 3), "x": torch.randn(1, 3, 9, 9), **changed}
    x, weight = given.pop("x").requires_grad_(True), given.pop("weight")
    with FastStem():
        out = F.conv2d(x, weight, None, **given)
    assert "Stem" not in type(out.grad_fn).__name__
    assert torch.equal(out, F.conv2d(x, weight, None, **given))
