"""Non-negative factors of a matrix, the same in every run: no draw is made."""

import torch
from torch import Tensor

ITERATIONS = 200
_NEAR = 1e-3
"""How little factors change, in parts of their length, where going on is not worth it."""
_SMALL = 1e-12


def nonnegative_factors(matrix: Tensor, count: int) -> tuple[Tensor, Tensor, float]:
    """`rows` [row, factor] and `columns` [factor, column], none below zero, whose product is near
    `matrix` [row, column], which has nothing below zero; and the share of its square that the
    product explains.

    At most `count` factors; begins at the singular vectors (NNDSVDa: Boutsidis and Gallopoulos,
    2008) and goes down one factor at a time (HALS: Cichocki and Phan, 2009).
    """
    matrix = matrix.double()
    total = float((matrix**2).sum())
    count = min(count, *matrix.shape)
    if not total:
        return matrix.new_zeros(len(matrix), 0), matrix.new_zeros(0, matrix.shape[1]), 0.0
    scale = matrix.max()
    matrix, total = matrix / scale, total / float(scale) ** 2
    rows, turned = _start(matrix, count)
    for _ in range(ITERATIONS):
        before = turned.clone()
        _descend(rows, matrix @ turned, turned.T @ turned)
        _descend(turned, matrix.T @ rows, rows.T @ rows)
        if (turned - before).norm() <= _NEAR * before.norm():
            break
    left = float(((matrix - rows @ turned.T) ** 2).sum())
    return rows * scale, turned.T, 1 - left / total


def _descend(factors: Tensor, given: Tensor, gram: Tensor) -> None:
    """The best non-negative values of each column of `factors` while all others stay."""
    for k in range(factors.shape[1]):
        step = (given[:, k] - factors @ gram[:, k]) / gram[k, k].clamp(min=_SMALL)
        factors[:, k] = (factors[:, k] + step).clamp(min=0)


def _start(matrix: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """[row, factor] and [column, factor] from the singular vectors, of each the part of one sign
    that is larger; what is 0 there gets a little, or it could never grow."""
    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    rows, columns = matrix.new_zeros(len(matrix), count), matrix.new_zeros(matrix.shape[1], count)
    for k in range(count):
        sides = [((sign * u[:, k]).clamp(min=0), (sign * v[k]).clamp(min=0)) for sign in (1, -1)]
        a, b = max(sides, key=lambda pair: float(pair[0].norm() * pair[1].norm()))
        size = (s[k] * a.norm() * b.norm()).sqrt()
        if size > _SMALL:
            rows[:, k], columns[:, k] = a / a.norm() * size, b / b.norm() * size
    little = matrix.mean() / 100
    return rows.where(rows > 0, little), columns.where(columns > 0, little)
