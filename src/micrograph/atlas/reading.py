"""What pages read from."""

from collections.abc import Mapping
from typing import Protocol

from micrograph.atlas.records import (
    Count,
    Hit,
    ModelRecord,
    NodeRecord,
    Picture,
    Tile,
    Visualization,
)


class Reading(Protocol):
    """What pages read from: one atlas, or several of one model merged (`Merged`)."""

    @property
    def model(self) -> ModelRecord: ...
    @property
    def nodes(self) -> Mapping[str, NodeRecord]: ...
    @property
    def aliases(self) -> Mapping[str, str]: ...
    def tiles(
        self, node: str, technique: str, variant: str, seed: int | None = None,
        min_width: int | None = None,
    ) -> list[Tile]: ...
    def visualizations(
        self, node: str, unit: int | None, technique: str | None = None
    ) -> list[Visualization]: ...
    def picture(self, digest: str) -> Picture | None: ...
    def counts(self) -> list[Count]: ...
    def search(self, text: str, limit: int = 20) -> list[Hit]: ...
