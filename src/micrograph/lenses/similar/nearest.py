"""The nearest units of each unit among those of one file, worked out once for an index.

What is kept only says where to look: a page works out the values that it shows itself, and searches
all profiles where what is kept does not go far enough down.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from micrograph.lenses.similar.profiles import Profiles

DEPTH = 24
"""Units that are kept of each; a row of a page has half as many."""
MOST_PRODUCTS = 10**11
"""Products of two bytes beyond which nothing is worked out: 10,000 units on 1,000 pictures."""
_ROWS = 256
"""Units that are compared with all others at a time: 8 MB with 8,000."""


@dataclass(frozen=True)
class Nearest:
    """Of each row of profiles the rows nearest to it, itself among them, int32 [unit, DEPTH], and
    the correlations, float32, NaN where there are no more. Rows of `hidden` nodes are in none."""

    rows: "np.ndarray"
    values: "np.ndarray"
    hidden: frozenset[str] = frozenset()

    def values_for(self, row: int) -> tuple["np.ndarray", float]:
        """The correlations of all rows with one, float32 [unit], NaN for those that are not kept;
        and a value that none of those exceeds."""
        import numpy as np

        found = np.full(len(self.rows), np.nan, np.float32)
        kept = self.values[row]
        known = np.isfinite(kept)
        found[self.rows[row][known]] = kept[known]
        return found, float(kept.min()) if known.all() else -np.inf


def nearest_in(whole: "Profiles", shown: "np.ndarray", hidden: frozenset[str]) -> Nearest | None:
    """What is kept of the profiles of one file: `shown` (bool [unit]) may be near a unit. None
    where there are too many to compare each with each, or too few to be worth it."""
    import numpy as np

    units, pictures = whole.values.shape
    if units <= DEPTH or units * units * pictures > MOST_PRODUCTS:
        return None
    (mean, _), scale = whole.moments, whole.scale
    never = ~(shown & np.isfinite(scale))
    rows = np.empty((units, DEPTH), np.int32)
    values = np.empty((units, DEPTH), np.float32)
    for first in range(0, units, _ROWS):
        own = slice(first, first + _ROWS)
        probes = (whole.values[own] - mean[own, None]) * scale[own, None]
        alike = whole.products(probes.T).T
        alike *= scale
        alike[:, never] = -np.inf
        alike[~np.isfinite(scale[own])] = -np.inf
        rows[own] = np.argpartition(alike, -DEPTH, axis=1)[:, -DEPTH:]
        values[own] = np.take_along_axis(alike, rows[own].astype(np.intp), 1)
    values[values == -np.inf] = np.nan
    return Nearest(rows, values, hidden)
