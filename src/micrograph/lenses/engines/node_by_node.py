"""Sweeps that make one result of each node, or say why there is none."""

import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from micrograph.errors import BadInput, Unavailable
from micrograph.lenses.engines.base import Job, P, Rendered, StepHook, SweepEngine
from micrograph.lenses.result import Result

if TYPE_CHECKING:
    from micrograph.models.model import Model


class NodeByNode(SweepEngine[P]):
    """An engine whose results are about nodes as a whole, each worked out on its own."""

    @abstractmethod
    def of_node(self, model: "Model", node: str, job: Job) -> tuple[Result, float]:
        """The result of a node and its score. Raises BadInput and Unavailable with the reason why
        there is none."""

    @abstractmethod
    def nothing_of(self, reason: str) -> Result:
        """What is stored in place of a result."""

    def sweep(
        self,
        model: "Model",
        targets: Mapping[str, Sequence[int]],
        job: Job,
        workspace: Path,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """The results in the order of `targets`."""
        for step, name in enumerate(targets, 1):
            started, node = time.perf_counter(), model.node(name).id
            try:
                result, score = self.of_node(model, node, job)
            except (BadInput, Unavailable) as reason:
                result, score = self.nothing_of(str(reason)), 0.0
            yield Rendered(node, None, None, score, time.perf_counter() - started, result)
            if on_step is not None:
                on_step(step, len(targets))
