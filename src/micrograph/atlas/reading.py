"""What pages read from."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

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
from micrograph.subject import Subject

if TYPE_CHECKING:
    import numpy as np


class Reading(Protocol):
    """What pages read from: one atlas, or several of one model merged (`Merged`)."""

    @property
    def model(self) -> ModelRecord: ...
    @property
    def nodes(self) -> Mapping[str, NodeRecord]: ...
    @property
    def aliases(self) -> Mapping[str, str]: ...
    @property
    def dictionaries(self) -> Mapping[str, DictionaryRecord]: ...
    def tiles(
        self,
        node: str,
        technique: str,
        variant: str,
        seed: int | None = None,
        min_width: int | None = None,
        units: range | None = None,
        most: int | None = None,
    ) -> list[Tile]: ...
    def visualizations(
        self, node: str, unit: int | None, technique: str | None = None
    ) -> list[Visualization]: ...
    def about(self, subject: Subject, technique: str | None = None) -> list[Visualization]: ...
    def subjects(self, node: str | None = None, technique: str | None = None) -> list[Subject]: ...
    def results(
        self, node: str, technique: str, variant: str, units: range | None = None
    ) -> dict[int | None, Visualization]: ...
    def arrays(
        self, node: str, unit: int | None, technique: str, variant: str
    ) -> dict[str, "np.ndarray"]: ...
    def arrays_about(
        self, subject: Subject, technique: str, variant: str
    ) -> dict[str, "np.ndarray"]: ...
    def datasets(self) -> list[DatasetRecord]: ...
    def samples(self, dataset: str, numbers: Iterable[int]) -> dict[int, SampleRecord]: ...
    def picture(self, digest: str) -> Picture | None: ...
    def counts(self) -> list[Count]: ...
    def search(self, text: str, limit: int = 20) -> list[Hit]: ...
