"""A model's graph without anything rendered: what the catalogue keeps of models that are known.

One JSON file per model, `<id>.json`: `model` (as ModelRecord), `nodes` (each as NodeRecord) and
`unreleased`, why there is nothing to run. It reads like an atlas in which nothing was rendered.
"""

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograph.atlas.read import aliases_of
from micrograph.atlas.records import (
    Count,
    DatasetRecord,
    DictionaryRecord,
    Hit,
    ModelRecord,
    NodeRecord,
    Picture,
    SampleRecord,
    Tile,
    Visualization,
)
from micrograph.graph import Coverage
from micrograph.subject import Subject

if TYPE_CHECKING:
    import numpy as np


class Outline:
    """A known model. `unreleased` says why it can never be run, "" for all others."""

    parts: tuple[()] = ()
    """The files that it is made of, as `Merged` has them."""

    def __init__(
        self, model: ModelRecord, nodes: Iterable[NodeRecord], unreleased: str = ""
    ) -> None:
        self.model = model
        self.nodes: Mapping[str, NodeRecord] = {node.id: node for node in nodes}
        self.aliases: Mapping[str, str] = aliases_of(self.nodes)
        self.unreleased = unreleased
        self.dictionaries: Mapping[str, DictionaryRecord] = {}

    def dump(self) -> str:
        """As the text of a file of the catalogue, the same for the same content."""
        nodes = ",\n".join(_line(_fields(node)) for node in self.nodes.values())
        model = dataclasses.asdict(self.model)
        del model["coverage"]
        if self.model.coverage is not None:
            model["coverage"] = self.model.coverage.to_json()
        return (
            f'{{"model": {_line(model)},\n'
            f'"unreleased": {_line(self.unreleased)},\n"nodes": [\n{nodes}\n]}}\n'
        )

    @classmethod
    def load(cls, text: str) -> "Outline":
        """The reverse of `dump`."""
        content = json.loads(text)
        coverage = Coverage.from_json(content["model"].pop("coverage", None))
        model = ModelRecord(**_tuples(content["model"]), coverage=coverage)
        nodes = [NodeRecord(**_tuples(node)) for node in content["nodes"]]
        return cls(model, nodes, content["unreleased"])

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """As `Atlas.search`: what has every word of `text`, or a word that begins with it."""
        words = [word.lower() for word in re.findall(r"[^\W_]+", text)[:8]]
        if not words or not all(f" {word}" in self._all_words for word in words):
            return []
        found = (hit for text, hit in self._index if all(f" {word}" in text for word in words))
        return list(islice(found, limit))

    @cached_property
    def _index(self) -> list[tuple[str, Hit]]:
        """What can be found, each with its words in small letters, a space before each."""
        id, labels = self.model.id, self.model.labels
        hits = [(f"{self.model.title} {id}", Hit("model", id, None, None, self.model.title))]
        hits += [
            (" ".join((node.id, *node.aliases)), Hit("node", id, node.id, None, node.id))
            for node in self.nodes.values()
        ]
        outputs = [node.id for node in self.nodes.values() if node.units == len(labels)]
        hits += [
            (label, Hit("label", id, node, unit, label))
            for node in outputs[-1:]
            for unit, label in enumerate(labels)
        ]
        return [
            ("".join(f" {word}" for word in re.findall(r"[^\W_]+", text.lower())), hit)
            for text, hit in hits
        ]

    @cached_property
    def _all_words(self) -> str:
        """Of everything that can be found: most models lack a word of most searches."""
        return "".join(text for text, _ in self._index)

    # Nothing is rendered: all other methods give empty answers.

    def tiles(
        self,
        node: str,
        technique: str,
        variant: str,
        seed: int | None = None,
        min_width: int | None = None,
        units: range | None = None,
        most: int | None = None,
    ) -> list[Tile]:
        return []

    def visualizations(
        self, node: str, unit: int | None, technique: str | None = None
    ) -> list[Visualization]:
        return []

    def about(self, subject: Subject, technique: str | None = None) -> list[Visualization]:
        return []

    def subjects(self, node: str | None = None, technique: str | None = None) -> list[Subject]:
        return []

    def results(
        self, node: str, technique: str, variant: str, units: range | None = None
    ) -> dict[int | None, Visualization]:
        return {}

    def arrays(
        self, node: str, unit: int | None, technique: str, variant: str
    ) -> dict[str, "np.ndarray"]:
        return {}

    def arrays_about(
        self, subject: Subject, technique: str, variant: str
    ) -> dict[str, "np.ndarray"]:
        return {}

    def datasets(self) -> list[DatasetRecord]:
        return []

    def samples(self, dataset: str, numbers: Iterable[int]) -> dict[int, SampleRecord]:
        return {}

    def picture(self, digest: str) -> Picture | None:
        return None

    def counts(self) -> list[Count]:
        return []


def bundled_catalogue() -> Path:
    """The folder of outlines that ship inside the package."""
    return Path(__file__).parent.parent / "catalogue"


def read_catalogue(folder: Path) -> dict[str, Outline]:
    """The outlines in a folder by model, in order of their ids."""
    found = [Outline.load(p.read_text("utf-8")) for p in sorted(folder.glob("*.json"))]
    return {outline.model.id: outline for outline in found}


def _fields(node: NodeRecord) -> dict[str, Any]:
    """A node as a line of the file; without `worth` where that was not decided."""
    fields = dataclasses.asdict(node)
    if node.worth is None:
        del fields["worth"]
    return fields


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    """Lists as tuples, as records have them."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
