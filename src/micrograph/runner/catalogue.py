"""Making the catalogue: the graph of every model of the zoo, from its network with random weights.

`python -m micrograph.runner.catalogue [MODEL ...]` writes it into the package; without models it
writes all, and takes away what is no longer in the zoo.
"""

import gc
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from pkgutil import iter_modules

from micrograph.atlas.outline import Outline, bundled_catalogue
from micrograph.cards import card, zoo
from micrograph.files import write_atomically
from micrograph.models import ModelCard
from micrograph.models.model import Model
from micrograph.runner.describe import card_record, model_record, node_records
from micrograph.weights.building import build


def outline(card: ModelCard) -> Outline:
    """What the catalogue says of a model. The digest is the card's, "" where it states none."""
    if card.unreleased:
        return Outline(card_record(card, card.digest), (), card.unreleased)
    model = Model(card, build(card), card.digest)
    for node, name, _ in card.dictionaries:
        model.attach_bundled(f"{node}.{name}")
    return Outline(replace(model_record(model), digest=card.digest), node_records(model))


def zoo_models() -> list[str]:
    """The ids of the models that have a file in the zoo."""
    return [m.name for m in iter_modules(zoo.__path__) if not m.name.startswith("_")]


def write(folder: Path, models: Sequence[str] = ()) -> None:
    """Write the outlines of `models`, or of the whole zoo and nothing else."""
    for id in models or zoo_models():
        text = outline(card(id)).dump()
        write_atomically(folder / f"{id}.json", [text.encode()])
        print(f"{id}: {len(text) / 1000:.0f} kB", flush=True)
        gc.collect()  # a network of a gigabyte goes before the next one comes
    if not models:
        for path in folder.glob("*.json"):
            if path.stem not in zoo_models():
                path.unlink()


if __name__ == "__main__":
    write(bundled_catalogue(), sys.argv[1:])
