"""Examples of units that sweeps have left in atlases, for lenses that go on from there."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from micrograph.atlas import Atlas, bundled_gallery
from micrograph.atlas.format import SUFFIX
from micrograph.errors import MicrographError
from micrograph.lenses.dataset_examples.lens import ExamplesResult

if TYPE_CHECKING:
    from micrograph.models.model import Model

LENS = "dataset_examples"


class ExamplesInAtlases:
    """Those in the atlas that a render writes, then those in the gallery that ships; only what was
    made with the weights, and the dictionary, at hand. See `StoredExamples`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def there(self, model: "Model", node: str, dataset: str) -> bool:
        """See `StoredExamples`."""
        node = model.node(node).id
        for atlas in self._atlases(model, node):
            swept = {c.variant for c in atlas.counts() if c.node == node and c.technique == LENS}
            units = {unit for variant in swept for unit in atlas.results(node, LENS, variant)}
            if any(_tops(atlas, model, node, u, dataset) for u in units if u is not None):
                return True
        return False

    def top(self, model: "Model", node: str, unit: int, dataset: str) -> tuple[int, ...]:
        """See `StoredExamples`. Of several sweeps over one dataset the one that kept most."""
        node = model.node(node).id
        found = [
            numbers
            for atlas in self._atlases(model, node)
            for numbers in _tops(atlas, model, node, unit, dataset)
        ]
        return max(found, key=len, default=())

    def _atlases(self, model: "Model", node: str) -> Iterator[Atlas]:
        """The files that know the node, of the model with its weights."""
        for path in (self._path, *sorted(bundled_gallery().glob(f"{model.id}*{SUFFIX}"))):
            try:
                atlas = Atlas.open(path)
                known = atlas.model.id == model.id and atlas.model.digest == model.digest
                if known and node in atlas.nodes:
                    yield atlas
            except MicrographError:  # not there yet, or damaged: whoever writes to it will say so
                continue


def _tops(
    atlas: Atlas, model: "Model", node: str, unit: int, dataset: str
) -> list[tuple[int, ...]]:
    """The strongest examples of a unit in each sweep over the dataset of that digest."""
    attached = model.attached(node)
    expected = {
        "dataset": dataset,
        "weights": model.digest,
        "dictionary": None if attached is None else attached.dictionary.digest,
    }
    return [
        tuple(number for number, _, _ in ExamplesResult.from_json(v.data, {}).top)
        for v in atlas.visualizations(node, unit, LENS)
        if all(v.recipe.get(key) == value for key, value in expected.items())
    ]
