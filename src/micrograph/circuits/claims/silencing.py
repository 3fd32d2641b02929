"""Running a network again and again with other values at one node, and only what comes behind.

What lies before or beside that node gives the same values every time. The heavy calls among these
are found by changing the node's values at random once, and from then on answered from memory.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from micrograph.circuits.claims.answers import as_map
from micrograph.models.model import Model
from micrograph.models.replacing import replaced

_HEAVY: frozenset[Callable[..., Any]] = frozenset(
    {
        torch.conv2d,
        F.conv2d,
        F.linear,
        torch.batch_norm,
        F.batch_norm,
        F.layer_norm,
        F.group_norm,
        F.local_response_norm,
        F.scaled_dot_product_attention,
        torch.matmul,
        torch.bmm,
        torch.relu,
        F.relu,
        torch.max_pool2d,
        F.max_pool2d,
        F.avg_pool2d,
        torch.cat,
    }
)
"""Functions that change none of their arguments, and take most of the time."""


def _in_place(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return func is F.relu and bool(args[1] if len(args) > 1 else kwargs.get("inplace"))


class _Calls(TorchFunctionMode):
    """A context, for one run, that keeps what the heavy calls give, in calling order. `known` are
    answers to some of them, by number, which are then not computed."""

    def __init__(self, known: dict[int, Tensor] | None = None) -> None:
        super().__init__()
        self.known = known
        self.results: list[tuple[Tensor, int]] = []
        self._count = 0
        self._inside = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func not in _HEAVY or self._inside or _in_place(func, args, kwargs or {}):
            return func(*args, **(kwargs or {}))
        number, self._count = self._count, self._count + 1
        if self.known is not None and number in self.known:
            return self.known[number]
        self._inside = True  # heavy functions call each other, and count once
        try:
            result = func(*args, **(kwargs or {}))
        finally:
            self._inside = False
        if self.known is None and isinstance(result, Tensor):
            self.results.append((result, result._version))
        return result


class Replaying:
    """Runs of `model` on `images` from `source` to `target`, before the target's activation.

    `values` [picture, unit, ...] is what the source has on them, `base` [picture, unit, y, x] what
    the target has. Raises BadInput where the source cannot be replaced.
    """

    @torch.no_grad()
    def __init__(self, model: Model, images: Tensor, source: str, target: str) -> None:
        self.model, self.source, self.target = model, source, target
        self.images = images
        self.values = model.run(images, [source])[source].clone()
        self._known: dict[int, Tensor] = {}
        self.base = as_map(model.run(images, [target], pre_relu=True)[target])
        self._known = self._unchanged()
        if self._known and not torch.equal(self.run(self.values), self.base):
            self._known = {}  # the network does not call alike each time

    def _unchanged(self) -> dict[int, Tensor]:
        """The heavy calls whose results do not depend on the source, none where in doubt."""
        draw = torch.Generator().manual_seed(0)
        noise = torch.rand(self.values.shape, generator=draw).to(self.values)
        other = self.values.flip(0) * 1.5 + noise * self.values.abs().amax().clamp(min=1)
        found = []
        for values in (self.values, other):
            with _Calls() as calls, replaced(self.model, self.source, values):
                out = as_map(self.model.run(self.images, [self.target], pre_relu=True)[self.target])
            found.append(calls.results)
            if values is self.values and not torch.equal(out, self.base):
                return {}
        before, after = found
        if len(before) != len(after):
            return {}
        return {
            n: x
            for n, ((x, version), (y, _)) in enumerate(zip(before, after, strict=True))
            # One that was written into later is no longer what the call gave.
            if x._version == version and x.shape == y.shape and torch.equal(x, y)
        }

    @torch.no_grad()
    def run(self, values: Tensor) -> Tensor:
        """The target's values [picture, unit, y, x] with `values` at the source."""
        with _Calls(self._known), replaced(self.model, self.source, values):
            found = self.model.run(self.images, [self.target], pre_relu=True)[self.target]
        return as_map(found)

    def silenced(
        self,
        sets: Sequence[Sequence[int]],
        rest: Tensor,
        positions: Tensor,
        on_step: Callable[[int, int], None] | None = None,
    ) -> Tensor:
        """Values of all the target's units at one position [picture] of its map, row by row, with
        each of the sets of source units in turn at `rest` [unit]: [set, picture, unit]."""
        found = []
        for number, units in enumerate(sets):
            values = self.values.clone()
            chosen = list(units)
            values[:, chosen] = rest[chosen].view(1, -1, *[1] * (values.ndim - 2)).to(values)
            found.append(at(self.run(values), positions))
            if on_step is not None:
                on_step(number + 1, len(sets))
        return torch.stack(found)


def at(values: Tensor, positions: Tensor) -> Tensor:
    """[picture, unit] of [picture, unit, y, x], each picture at its position, row by row."""
    flat = values.flatten(2)
    where = positions.to(flat.device).view(-1, 1, 1).expand(-1, flat.shape[1], 1)
    return flat.gather(2, where)[..., 0].float().cpu()
