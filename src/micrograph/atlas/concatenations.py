"""Which nodes of a model are parts of a concatenation, found once for each state of its files."""

from micrograph.atlas.reading import Reading
from micrograph.atlas.remembered import Remembered
from micrograph.graph import parts_of

_PARTS: Remembered[dict[str, tuple[str, int]]] = Remembered(100_000, lambda found: len(found) + 1)


def concatenations(atlas: Reading) -> dict[str, tuple[str, int]]:
    """As `parts_of` the nodes of a model: node -> (concatenation, number of its first unit)."""
    return _PARTS.get(atlas, None, lambda: parts_of(atlas.nodes))
