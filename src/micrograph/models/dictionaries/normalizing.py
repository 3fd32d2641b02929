"""Inputs on a scale of their own at each position, and the way back."""

import torch
from torch import Tensor

NORMALIZATIONS = {
    "none": "as they are",
    "layer_norm": "less their mean, by their standard deviation (of the population)",
    "layer_norm_sample": "less their mean, by the sample's standard deviation (n - 1)",
    "constant_norm": "all brought to the length sqrt(units)",
}
_EPSILON = 1e-5


def normalized(rows: Tensor, kind: str) -> Tensor:
    """`rows` [..., unit] on the scale that the dictionary was trained on."""
    if kind == "none":
        return rows
    mean, divisor = _mean_and_divisor(rows, kind, -1)
    return (rows - mean) / divisor


def scale_back(like: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    """Mean and factor that bring normalized values [batch, unit, ...] back to those of `like`."""
    mean, divisor = _mean_and_divisor(like, kind, 1)
    # The libraries whose convention this is leave the epsilon out on the way back.
    return mean, divisor - _EPSILON if kind == "layer_norm_sample" else divisor


def _mean_and_divisor(values: Tensor, kind: str, dim: int) -> tuple[Tensor, Tensor]:
    if kind == "constant_norm":
        length = values.norm(dim=dim, keepdim=True) / values.shape[dim] ** 0.5
        return torch.zeros_like(length), length
    mean = values.mean(dim, keepdim=True)
    correction = 1 if kind == "layer_norm_sample" else 0
    return mean, values.std(dim, correction=correction, keepdim=True) + _EPSILON
