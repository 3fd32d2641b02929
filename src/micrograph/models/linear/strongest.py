"""The strongest inputs of a unit, and what share is left to all others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from micrograph.errors import BadInput, NotFound, short
from micrograph.models.linear.weights import Weights

ORDERS = {
    "weight": "Σ|w|, the sum of the absolute weights of its kernel",
    "activation": "Σ|w| x typical activation of the source",
}
"""What inputs may be ordered by."""


@dataclass(frozen=True)
class Input:
    """A unit of the source as an input of a unit: `strength` is the sum over its kernel, which says
    by its sign whether it excites or inhibits; `size` what it is ordered by, and `share` that of
    the sum over all inputs. `typical` is its typical activation, where that was given."""

    unit: int
    strength: float
    size: float
    share: float
    kernel: Tensor
    typical: float | None = None


@dataclass(frozen=True)
class Rest:
    """All inputs that a list leaves out: how many, and their share together."""

    count: int
    share: float


@dataclass(frozen=True)
class Strongest:
    """The strongest inputs of `unit`, the largest first, and the rest. `total` is the sum of the
    sizes of all; `by` says of what (see `ORDERS`)."""

    target: str
    unit: int
    source: str
    by: str
    inputs: tuple[Input, ...]
    rest: Rest
    total: float

    def rest_in_words(self) -> str:
        """Such as "other 480 inputs: 31 % of Σ|w|"."""
        if not self.rest.count:
            return "no other inputs"
        of = "Σ|w|" if self.by == "weight" else "Σ|w| x activation"
        plural = "" if self.rest.count == 1 else "s"
        return f"other {self.rest.count} input{plural}: {_percent(self.rest.share)} of {of}"

    def to_json(self) -> dict[str, Any]:
        """Every number of it."""
        return {
            "target": self.target,
            "unit": self.unit,
            "source": self.source,
            "by": self.by,
            "total": self.total,
            "inputs": [
                {
                    "unit": one.unit,
                    "strength": one.strength,
                    "size": one.size,
                    "share": one.share,
                    "typical": one.typical,
                    "kernel": one.kernel.tolist(),
                }
                for one in self.inputs
            ],
            "rest": {"count": self.rest.count, "share": self.rest.share},
        }


def strongest(
    weights: Weights,
    unit: int,
    n: int = 50,
    *,
    by: str = "weight",
    typical: Sequence[float] | Mapping[int, float] | Tensor | None = None,
) -> Strongest:
    """The `n` strongest inputs of a unit among the sources of `weights`.

    Parameters:
        unit: number of a unit of the target whose kernels are in `weights`.
        by: "weight" or "activation", see `ORDERS`.
        typical: the typical activation of each source unit, by its number; needed for
            "activation". Those below 0 count with their size.

    Raises NotFound for a unit whose kernels are not there, BadInput for other values.
    """
    if by not in ORDERS:
        raise BadInput(f"by {short(by)} given; expected {' or '.join(ORDERS)}")
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise BadInput(f"n {short(n)} given; expected a number of inputs from 1 on")
    if unit not in weights.units:
        raise NotFound(
            f"the kernels of {weights.target}/{unit} are not among those that were asked for; "
            "expected one of `units`"
        )
    row = weights.units.index(unit)
    kernels = weights.kernels[row]
    strengths, sizes = kernels.sum((1, 2)).double(), kernels.abs().sum((1, 2)).double()
    levels = None if typical is None else _levels(weights, typical)
    if by == "activation":
        if levels is None:
            raise BadInput(
                f"the order by activation needs the typical activations of {weights.source}; pass "
                "typical=, or sweep it over a dataset first"
            )
        sizes = sizes * sizes.new_tensor(levels).abs()
    total = float(sizes.sum())
    order = sizes.argsort(descending=True, stable=True)[:n].tolist()
    inputs = tuple(
        Input(
            weights.sources[s],
            float(strengths[s]),
            float(sizes[s]),
            float(sizes[s]) / total if total else 0.0,
            kernels[s],
            None if levels is None else levels[s],
        )
        for s in order
    )
    left = total - sum(one.size for one in inputs)
    rest = Rest(len(sizes) - len(inputs), max(0.0, left / total) if total else 0.0)
    return Strongest(weights.target, unit, weights.source, by, inputs, rest, total)


def _levels(
    weights: Weights, typical: Sequence[float] | Mapping[int, float] | Tensor
) -> list[float]:
    """The typical activation of each source of `weights`."""
    if isinstance(typical, Mapping):
        missing = [unit for unit in weights.sources if unit not in typical]
        if missing:
            raise BadInput(
                f"no typical activation of {weights.source}/{missing[0]} given; expected one of "
                "each source"
            )
        return [float(typical[unit]) for unit in weights.sources]
    if len(typical) <= max(weights.sources):
        raise BadInput(
            f"{len(typical)} typical activations given; expected one of each unit of "
            f"{weights.source}"
        )
    return [float(typical[unit]) for unit in weights.sources]


def _percent(share: float) -> str:
    """Of the whole, without pretending to be nothing or all."""
    if 0 < share < 0.005:
        return "under 1 %"
    return f"{round(100 * share)} %"
