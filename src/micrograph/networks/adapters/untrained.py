"""Telling a network that comes with weights from one whose weights are random."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from micrograph.errors import Unavailable

if TYPE_CHECKING:
    from torch import Tensor, nn

_MOST = 0.5
"""Share of a network's numbers; a new head on a trained network is less."""


def not_random(make: "Callable[[], nn.Module]", name: str) -> "nn.Module":
    """What `make` gives, if it gives the same numbers when the random ones begin elsewhere.

    Warns where some tensors are random. Raises Unavailable if most are: pictures of an untrained
    network take as long and look like something too.
    """
    from micrograph.weights.building import seeded
    from micrograph.weights.tensors import tensors_of

    made = make()
    first, again = tensors_of(made), tensors_of(seeded(make, seed=1))
    changed = {n: t for n, t in first.items() if n not in again or not _same(t, again[n])}
    numbers = sum(tensor.numel() for tensor in first.values())
    if sum(tensor.numel() for tensor in changed.values()) > _MOST * numbers:
        raise Unavailable(
            f"{name} gives a network with random weights; give them with --weights FILE, or "
            "--weights random if that is what you want to see"
        )
    if changed:
        some = ", ".join(list(changed)[:3]) + (", ..." if len(changed) > 3 else "")
        warnings.warn(f"{name} gives {len(changed)} tensors at random: {some}", stacklevel=2)
    return made


def _same(a: "Tensor", b: "Tensor") -> bool:
    from torch import strided

    a, b = (t if t.layout is strided else t.to_dense() for t in (a, b))
    return a.equal(b)
