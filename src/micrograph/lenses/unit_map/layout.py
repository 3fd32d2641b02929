"""Units laid out in two dimensions by their profiles, one to a cell of a square grid.

Principal components, then t-SNE (van der Maaten & Hinton, JMLR 2008), started from the first two
components so that the large is in order as well (Kobak & Berens, Nature Communications 2019), then
the cheapest assignment to cells, so that pictures can stand where dots would be.
"""

from dataclasses import dataclass

import numpy as np

from micrograph.errors import Unavailable, install_line
from micrograph.lenses.unit_map.shapes import Shapes

COMPONENTS = 50
PERPLEXITY = 30
ROOM = 1.3
"""Cells per unit; free cells show where islands end."""

_AT_ONCE = 1200
"""Points that are assigned to cells together; the time grows with the cube."""

_MOST_MEASURED = 4000
"""Points whose neighbourhoods are measured; memory grows with the square."""


@dataclass(frozen=True)
class Layout:
    """`xy`: float32 [unit, 2] in 0..1, centres of the cells of a grid of `columns` squared.

    `trustworthiness` (Venna & Kaski 2001, 10 neighbours, 1 is best; None if not measured),
    `near`, `random`: mean correlation of the profiles of the 8 nearest on the map, and of any two.
    """

    xy: np.ndarray
    columns: int
    perplexity: float
    trustworthiness: float | None
    near: float
    random: float


def lay_out(profiles: np.ndarray, seed: int = 0) -> Layout:
    """A map of units by profile, float [unit, picture]; similar units correlate.

    Units that are always the same are put into the last corner. The same seed gives the same map.
    Raises Unavailable without scikit-learn.
    """
    units = len(profiles)
    shapes = Shapes(profiles)
    alive = shapes.alive
    xy = np.ones((units, 2))
    perplexity = min(PERPLEXITY, (len(shapes) - 1) / 3)
    xy[alive] = _unit_square(_to_two_dimensions(shapes, perplexity, seed))
    columns = max(1, int(np.ceil(np.sqrt(ROOM * units))))
    side = (np.arange(columns) + 0.5) / columns
    cells = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    xy = cells[_assign(xy, cells)]
    near, random = _neighbour_correlations(shapes, xy[alive])
    return Layout(
        xy.astype(np.float32),
        columns,
        float(perplexity),
        _trustworthiness(shapes, xy[alive]),
        near,
        random,
    )


def _to_two_dimensions(shapes: Shapes, perplexity: float, seed: int) -> np.ndarray:
    """Rows of length 1 to two dimensions, [row, 2]."""
    if len(shapes) < 2:
        return np.zeros((len(shapes), 2))
    components = shapes.components(COMPONENTS)
    # The sign of a component is arbitrary: the largest value counts as positive.
    top = np.abs(components).argmax(0)
    components *= np.sign(components[top, np.arange(components.shape[1])] + 1e-12)
    start = np.pad(components[:, :2], ((0, 0), (0, max(0, 2 - components.shape[1]))))
    if len(shapes) < 8:
        return start
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        raise Unavailable(f"a map of units needs scikit-learn: {install_line('lenses')}") from None
    start = start / max(float(start[:, 0].std()), 1e-12) * 1e-4
    moved: np.ndarray = TSNE(
        perplexity=perplexity, init=start, learning_rate="auto", random_state=seed
    ).fit_transform(components)
    return moved


def _unit_square(xy: np.ndarray) -> np.ndarray:
    """Into 0..1 on both axes, whole map filled."""
    if len(xy) == 0:
        return xy
    low, high = xy.min(0), xy.max(0)
    spread: np.ndarray = (xy - low) / np.where(high > low, high - low, 1)
    return spread


def _assign(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The cell of each point, no cell twice, at the least total squared distance (many points are
    halved along the longer axis first, and so are the cells): int [point]."""
    if len(points) <= _AT_ONCE:
        from scipy.optimize import linear_sum_assignment

        cost = ((points[:, None] - cells[None]) ** 2).sum(2)
        return np.asarray(linear_sum_assignment(cost)[1])
    axis = int(np.ptp(cells, axis=0).argmax())
    by_point = points[:, axis].argsort(kind="stable")
    by_cell = cells[:, axis].argsort(kind="stable")
    half = len(points) // 2
    cut = len(cells) * half // len(points)
    found = np.empty(len(points), int)
    for mine, free in (by_point[:half], by_cell[:cut]), (by_point[half:], by_cell[cut:]):
        found[mine] = free[_assign(points[mine], cells[free])]
    return found


def _neighbour_correlations(shapes: Shapes, xy: np.ndarray) -> tuple[float, float]:
    """Mean correlation of the 8 nearest on the map, and of two units in general."""
    count = len(shapes)
    if count < 3:
        return 0.0, 0.0
    from sklearn.neighbors import NearestNeighbors

    order = (
        NearestNeighbors(n_neighbors=min(8, count - 1)).fit(xy).kneighbors(return_distance=False)
    )
    near = np.empty((order.shape[1], count))
    for some in shapes.blocks():
        rows = shapes[some]
        for k in range(order.shape[1]):
            near[k, some] = (rows * shapes[order[some, k]]).sum(1)
    total = shapes.sum()
    random = (float(total @ total) - count) / (count * (count - 1))
    return float(np.mean(near)), random


def _trustworthiness(shapes: Shapes, xy: np.ndarray) -> float | None:
    if not 24 <= len(shapes) <= _MOST_MEASURED:
        return None
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(shapes[:], xy, n_neighbors=10))
