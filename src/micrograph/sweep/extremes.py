"""The largest and smallest values of maps, and where they are.

Maps are read where they were just written: in the processor's cache, some pictures at a time. Where
a value is costs more to find than the value, and hardly any position is asked for once a sweep has
seen some pictures: a bar [unit] says which, those of values beyond it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

TOGETHER = 1 << 20
"""Bytes of a map that are worked on together: they and what is made of them stay in the cache."""

_LANES = 64
"""Numbers side by side that torch reduces at its best speed; narrower maps are folded."""

_FEW = 8
"""Positions are looked up one by one where fewer than one value in so many asks for its own."""


@dataclass(frozen=True)
class Extremes:
    """Of each picture and unit, [picture, unit]: the largest value of a map and the smallest one,
    and the first position where each is, row by row."""

    top: Tensor
    top_at: Tensor
    low: Tensor
    low_at: Tensor


def extremes(
    x: Tensor,
    top_bar: np.ndarray | None = None,
    low_bar: np.ndarray | None = None,
    relu: Tensor | None = None,
) -> Extremes:
    """Those of `x` [picture, unit, y, x]. Positions are sure where the value is above `top_bar`
    [unit], or below `low_bar`; all are without a bar. `relu` is a tensor like `x` that gets its
    ReLU while `x` is at hand."""
    tops: list[Tensor] = []
    tops_at: list[Tensor] = []
    lows: list[Tensor] = []
    for some, part in _parts(x):
        if relu is not None:
            torch.clamp_min(part, 0, out=relu[some])
        if top_bar is None:
            top, at = _pooled(part)
            tops_at.append(at)
        else:
            top = _reduced(part, torch.amax)
        tops.append(top)
        lows.append(_reduced(part, torch.amin))
    top, low = _joined(tops), _joined(lows)
    top_at = _joined(tops_at) if tops_at else _positions(x, top, top_bar, smallest=False)
    return Extremes(top, top_at, low, _positions(x, low, low_bar, smallest=True))


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _parts(x: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Some pictures at a time, and which they are; all of them on a device of its own."""
    size = max(1, x[0].numel() * x.element_size())
    step = len(x) if x.device.type != "cpu" else max(1, TOGETHER // size)
    for first in range(0, len(x), step):
        some = slice(first, first + step)
        yield some, x[some]


def _pooled(x: Tensor) -> tuple[Tensor, Tensor]:
    """The largest value of each map and its first position. Pooling over the whole map gives both
    in one pass over the memory, several times sooner than `max`."""
    top, at = F.max_pool2d(x, (x.shape[2], x.shape[3]), return_indices=True)
    return top[..., 0, 0], at[..., 0, 0]


def _reduced(x: Tensor, reduce: Callable[[Tensor, int], Tensor]) -> Tensor:
    """The largest or smallest value of each map. Units that lie side by side in memory are taken
    together with those of the next positions until they fill the processor's lanes."""
    rows = x.permute(0, 2, 3, 1)
    if not rows.is_contiguous():
        return reduce(x.flatten(2), 2)
    pictures, height, width, units = rows.shape
    positions, fold = height * width, 1
    while fold * units % _LANES and positions % (2 * fold) == 0 and fold * units < 16 * _LANES:
        fold *= 2
    found = reduce(rows.reshape(pictures, positions // fold, fold * units), 1)
    return found if fold == 1 else reduce(found.view(pictures, fold, units), 1)


def _positions(x: Tensor, values: Tensor, bar: np.ndarray | None, *, smallest: bool) -> Tensor:
    """The first position where each of `values` is; 0 may stand for those that pass no bar."""
    none = torch.zeros(1, dtype=torch.int64, device=x.device).expand(values.shape)
    if x.shape[2] * x.shape[3] == 1:
        return none
    if bar is not None and x.device.type == "cpu":
        found = values.numpy()
        asked = found < bar if smallest else found > bar
        count = np.count_nonzero(asked)
        if not count:
            return none
        if count * _FEW < asked.size:
            pictures, units = np.nonzero(asked)
            maps = x.permute(0, 2, 3, 1).flatten(1, 2).numpy()[pictures, :, units]
            at = np.zeros(asked.shape, np.int64)
            at[pictures, units] = maps.argmin(1) if smallest else maps.argmax(1)
            return torch.from_numpy(at)
    return _joined([_pooled(torch.neg(p) if smallest else p)[1] for _, p in _parts(x)])
