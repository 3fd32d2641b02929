"""What an engine is: it makes a lens's results from a model, units and parameters."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from micrograph import recipe as recipes
from micrograph.lenses.contract import Lens
from micrograph.lenses.params import Params
from micrograph.lenses.result import Arrays, Result
from micrograph.steps import StepHook as StepHook  # for engines of other packages

if TYPE_CHECKING:
    from micrograph.models.model import Model

P = TypeVar("P", bound=Params)


class StoredExamples(Protocol):
    """What sweeps have stored of units, for lenses that go on from there."""

    def there(self, model: "Model", node: str, dataset: str) -> bool:
        """Whether there is a sweep of `node` over the dataset of that digest."""
        ...

    def top(self, model: "Model", node: str, unit: int, dataset: str) -> Sequence[int]:
        """The numbers of the pictures on which the unit was largest, largest first, as many as are
        stored; none where the unit was not swept."""
        ...


@dataclass(frozen=True)
class Job(recipes.FromRecipe):
    """A recipe and what it works on, for any number of units.

    `recipe` is complete: the lens, the variant, the seed, all parameters, the model and its digest,
    the code's revision. `context` is what the recipe names only by digest (a dataset, a picture).
    `stored` is what is there already of what follows from model and recipe, given by the runner.
    """

    recipe: Mapping[str, Any]
    context: Any = None
    stored: StoredExamples | None = None


@dataclass(frozen=True)
class Rendered:
    """A result at an address: a picture, uint8 [y, x, 3] in RGB, or None where data says it all,
    its score (what that is, the lens says) and its share of the time.

    `unit` is None for a result about the node as a whole. `stored_score` is the score of the
    picture as it is kept, after compression; None where nobody measured it.
    """

    node: str
    unit: int | None
    image: np.ndarray | None
    score: float
    seconds: float
    result: Result = field(default_factory=Result)
    stored_score: float | None = None

    @property
    def data(self) -> Mapping[str, Any]:
        """The result as plain JSON."""
        return self.result.to_json()

    @property
    def arrays(self) -> Arrays:
        """What of the result is too large for JSON."""
        return self.result.arrays()


@dataclass(frozen=True)
class PictureSource:
    """Pictures that a lens looks at. `digest` (64 hex digits) stands for which and in what order;
    `size` is the side in pixels at which the network saw them."""

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

    source: PictureSource
    number: int
    name: str
    cls: int
    image: np.ndarray | None


class Engine(ABC, Generic[P]):
    """Base of both kinds: `BatchEngine` and `SweepEngine`.

    `lens` is the lens that it belongs to; `revision` goes up when old recipes give other results.
    `nothing` says why some nodes have no result, where that happens.
    """

    lens: ClassVar[Lens]
    revision: ClassVar[int] = 1
    nothing: ClassVar[str] = ""

    @property
    def name(self) -> str:
        return self.lens.name

    @property
    def level(self) -> str:
        """ "unit" or "node": what its results are about."""
        return self.lens.level

    def jobs(self, model: "Model", **options: Any) -> list[Job]:
        """The jobs for these options of the lens: at least one, each with another recipe.

        Raises BadInput or NotFound for unknown options and for values out of range.
        """
        return self.plan(model, self.lens.params.read(options))  # type: ignore[arg-type]

    @abstractmethod
    def plan(self, model: "Model", params: P) -> list[Job]:
        """As `jobs`, from checked parameters."""

    def recipe(self, model: "Model", variant: str, seed: int, /, **more: Any) -> dict[str, Any]:
        """A recipe: the part that every lens has, and `more`."""
        return {
            "technique": self.name,
            recipes.VIEW: variant,
            "seed": seed,
            "model": model.id,
            "weights": model.digest,
            "code": f"{self.name}/{self.revision}",
            **more,
        }


class BatchEngine(Engine[P]):
    """An engine that makes results for some units of one node at a time."""

    @abstractmethod
    def batch_size(self, model: "Model", node: str, job: Job) -> int:
        """How many units of `node` fit the memory there is and run fastest together.

        0 where the lens has no result for the node; `run` is not called for it then. Raises
        BadInput where the options do not fit the node.
        """

    @abstractmethod
    def run(
        self,
        model: "Model",
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered | Sample]:
        """Render `units` of `node` in one batch. Halves the batch when memory runs out."""

    def score(
        self,
        model: "Model",
        node: str,
        units: Sequence[int | None],
        job: Job,
        pictures: Sequence[np.ndarray],
    ) -> Sequence[float] | None:
        """What `run` would give as the score of each of `pictures`, uint8 [y, x, 3], had it come
        out so: one for each of `units`. None, here, where a score is not what a picture reaches;
        with `Can(scores_picture=True)` a lens says that it is.
        """
        return None


class SweepEngine(Engine[P]):
    """An engine that looks at all nodes in one go.

    Its results are about every unit, or about each node as a whole, as the level of its lens says.
    It may give further results.
    """

    @abstractmethod
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

    def unfinished(self, workspace: Path) -> Mapping[str, int] | None:
        """The nodes that the unfinished work in a workspace is about, and how many units they have:
        once the atlas has them all, the folder goes. None where that is not known."""
        return None


AnyEngine = BatchEngine[Any] | SweepEngine[Any]
