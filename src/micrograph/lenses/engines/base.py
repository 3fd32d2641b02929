"""What a technique is: a lens pointed at nodes or units of a model.

A technique is one file that defines a `Technique` and registers it; third-party packages add theirs
through the entry point group `micrograph.lenses`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from micrograph.steps import StepHook as StepHook  # those who write a lens look for it here

if TYPE_CHECKING:
    from micrograph.models.model import Model


@dataclass(frozen=True)
class Job:
    """One variant of a technique under one seed, to be done for any number of units.

    `recipe` is complete: all parameters, the model and its digest, the seed, the code's revision.
    `context` is what the job works on and the recipe only names by digest (a dataset, a picture).
    """

    technique: str
    variant: str
    seed: int
    recipe: Mapping[str, Any]
    context: Any = None


@dataclass(frozen=True)
class Rendered:
    """A result: a picture, uint8 [y, x, 3] in RGB, or None where data says it all, with its score
    (what that is, the technique says) and its share of the time.

    `data` is plain JSON; `arrays` are for what is too large for it (uint8, int16, int32, float16 or
    float32). `unit` is None for a result about the node as a whole.
    """

    node: str
    unit: int | None
    image: np.ndarray | None
    score: float
    seconds: float
    data: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Pictures that a technique looks at. `digest` (64 hex digits) stands for which and in what
    order; `size` is the side in pixels at which the network saw them."""

    name: str
    digest: str
    title: str
    pictures: int
    size: int
    licence: str = ""
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """One picture of a source that results refer to by its number: class or -1, and the picture,
    uint8 [y, x, 3], as the network saw it; None where it must not be kept."""

    source: Source
    number: int
    name: str
    cls: int
    image: np.ndarray | None


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
        """How many units of `node` fit the memory there is and run fastest together.

        0 where the lens has nothing to say of the node; `run` is not called for it then. Raises
        BadInput where the options do not fit the node.
        """
        ...

    def run(
        self,
        model: "Model",
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered | Sample]:
        """Render `units` of `node` in one batch. Halves the batch when memory runs out."""
        ...


@runtime_checkable
class Sweep(Protocol):
    """A technique that looks at all nodes in one go. It has `sweep` instead of `batch_size`, `run`.

    Its `level` says what is wanted: every unit ("unit"), or the node as a whole ("node"). It may
    give more than that.
    """

    @property
    def name(self) -> str: ...

    @property
    def level(self) -> str: ...

    def jobs(self, *args: Any, **options: Any) -> list[Job]:
        """As `Technique.jobs`."""
        ...

    def sweep(
        self,
        model: "Model",
        targets: Mapping[str, Sequence[int]],
        job: Job,
        workspace: Path,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered | Sample]:
        """Results for the units of each node in `targets`, samples before what refers to them.

        `workspace` is a folder of this job (it may not exist yet) to leave unfinished work in, so
        that an interrupted sweep goes on; it is deleted when all results are stored.
        """
        ...
