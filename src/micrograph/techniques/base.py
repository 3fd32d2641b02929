"""What a technique is: a lens pointed at nodes or units of a model.

A technique is one file that defines a `Technique` and registers it; third-party packages add theirs
through the entry point group `micrograph.techniques`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from micrograph.models.model import Model


@dataclass(frozen=True)
class Job:
    """One variant of a technique under one seed, to be done for any number of units.

    `recipe` is complete: all parameters, the model and its digest, the seed, the code's revision.
    """

    technique: str
    variant: str
    seed: int
    recipe: Mapping[str, Any]


@dataclass(frozen=True)
class Rendered:
    """A finished picture, uint8 [y, x, 3], RGB, with its score and its share of the time."""

    node: str
    unit: int | None
    image: np.ndarray
    score: float
    seconds: float
    data: Mapping[str, Any] = field(default_factory=dict)


StepHook = Callable[[int, int], None]
"""Called after each optimization step with (step from 1, steps in all); may raise to stop."""


class Technique(Protocol):
    """A lens. `name` is what commands, URLs and atlases call it; `level` is "unit" or "node".

    What it means to a reader (its question, how to read it) stands in the site's list of lenses.
    """


    @property
    def name(self) -> str: ...

    @property
    def level(self) -> str: ...

    def jobs(self, *args: Any, **options: Any) -> list[Job]:
        """`jobs(model, **options)`: what the options (preset, steps, size, ...) ask for.

        Each technique names its own. Raises BadInput on absurd values.
        """
        ...

    def batch_size(self, model: "Model", node: str, job: Job) -> int:
        """How many units of `node` fit the memory there is and run fastest together."""
        ...

    def run(
        self, model: "Model", node: str, units: Sequence[int], job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """Render `units` of `node` in one batch. Halves the batch when memory runs out."""
        ...
