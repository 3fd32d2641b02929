"""Several pictures of one unit that are to differ: the diversity penalty.

Olah et al., "Feature Visualization", Distill 2017, section "Diversity"; Gram matrices as the
measure of style are Gatys et al. 2015.
"""

from collections.abc import Sequence

from torch import Tensor

from micrograph.optimize.objectives import Activations, Objective, channel, relative_penalty


def grams(maps: Tensor) -> Tensor:
    """How units occur together, [sample, unit * unit], of norm 1; activations [sample, unit, y, x]
    or [sample, unit]."""
    flat = maps.flatten(2) if maps.ndim > 2 else maps[..., None]
    together = (flat @ flat.transpose(1, 2)).flatten(1)
    unit: Tensor = together / together.norm(dim=1, keepdim=True).clamp(min=1e-12)
    return unit


def likeness(maps: Tensor, facets: int) -> Tensor:
    """[sample]: mean product of a sample's Gram matrix with those of the others of its group, 0..1
    for activations >= 0; samples lie in groups of `facets`, one after the other."""
    flat = grams(maps)
    own = flat.view(len(flat) // facets, facets, -1)
    products = own @ own.transpose(1, 2)
    others: Tensor = products.sum(2) - products.diagonal(dim1=1, dim2=2)
    return others.flatten() / max(1, facets - 1)


def diverse(node: str, units: Sequence[int], facets: int, weight: float) -> Objective:
    """`facets` pictures for each of `units`, one unit after the other: the unit's mean, less
    `weight` times its own present size times `likeness`.

    lucid subtracts a fixed multiple (1e2) of its diversity objective, which suits the activations
    of one network; relative to the unit it means the same everywhere.
    """
    alone = channel(node, [unit for unit in units for _ in range(facets)])

    def value(activations: Activations, images: Tensor) -> Tensor:
        driven = alone.value(activations, images)
        return driven - relative_penalty(driven, weight, likeness(activations[node], facets))

    return Objective((node,), value, alone.samples, label=f"diverse({node}, {list(units)})")
