import torch
import torch.nn.functional as F

from micrograph.optimize.redirect import LiftedReLU, RedirectedReLU


def gradient(x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    """Gradient behind one redirected ReLU when `g` arrives from above."""
    x = x.clone().requires_grad_(True)
    with RedirectedReLU():
        out = F.relu(x)
    assert torch.equal(out, F.relu(x))
    (grad,) = torch.autograd.grad(out, x, g)
    return grad


def test_a_blocked_sample_gets_the_way_up_only() -> None:
    x = torch.tensor([[-1.0, -2.0, -3.0]])
    g = torch.tensor([[1.0, -1.0, 0.0]])
    assert gradient(x, g).tolist() == [[0.0, -1.0, 0.0]], "minimised: positive pushes down"


def test_a_sample_with_any_plain_gradient_keeps_the_plain_one() -> None:
    x = torch.tensor([[-1.0, 2.0, -3.0]])
    g = torch.tensor([[-1.0, 5.0, -1.0]])
    assert gradient(x, g).tolist() == [[0.0, 5.0, 0.0]]


def test_samples_are_judged_one_by_one() -> None:
    x = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, -1.0]])
    g = torch.tensor([[-2.0, 2.0], [3.0, -3.0], [0.0, -4.0]])
    assert gradient(x, g).tolist() == [[-2.0, 0.0], [3.0, 0.0], [0.0, -4.0]]


def test_outside_the_context_relu_is_plain() -> None:
    gradient(torch.tensor([[-1.0]]), torch.tensor([[-1.0]]))
    x = torch.tensor([[-1.0]], requires_grad=True)
    F.relu(x).sum().backward()
    assert x.grad.tolist() == [[0.0]]


def test_a_lifted_relu_lets_pass_what_pushes_up_at_every_position() -> None:
    x = torch.tensor([[-1.0, 2.0, -3.0, -4.0]], requires_grad=True)
    with LiftedReLU([1]):
        plain = F.relu(x)
        lifted = F.relu(x)
    assert torch.equal(plain, lifted)
    g = torch.tensor([[-1.0, 5.0, 7.0, 0.0]])
    (through_plain,) = torch.autograd.grad(plain, x, g)
    (through_lifted,) = torch.autograd.grad(lifted, x, g)
    assert through_plain.tolist() == [[0.0, 5.0, 0.0, 0.0]]
    assert through_lifted.tolist() == [[-1.0, 5.0, 0.0, 0.0]]
