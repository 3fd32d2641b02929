"""Experiments: one unit's picture with every setting at somebody's choice.

A longer run begins as a shorter one does, so a picture that was stopped after some steps is the
picture of so many steps: its recipe needs to know of no stop.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from micrograph.address import check_unit
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, StepHook
from micrograph.lenses.experiment.lens import (
    LENS,
    TOGETHER,
    ExperimentParams,
    ExperimentResult,
)
from micrograph.models.model import Model
from micrograph.optimize import (
    NONE,
    STANDARD,
    Affine,
    Objective,
    Settings,
    activations,
    channel,
    neuron,
    optimize,
)
from micrograph.optimize.diversity import likeness
from micrograph.optimize.objectives import Activations, relative_penalty

MOVES = {
    "standard": STANDARD,
    "none": NONE,
    "shift": Affine(jitters=(8, 4), scales=(1.0, 1.0, 1.0), degrees=0, unrotated=0),
    "strong": Affine(jitters=(16, 8), scales=(0.80, 1.20, 0.02), degrees=25, unrotated=5),
}
"""Named transformations: recipes hold their numbers."""


@dataclass(frozen=True)
class Term:
    """A unit of an objective with its weight, `at` a position or the centre of the map."""

    weight: float
    node: str
    unit: int
    at: tuple[int, int] | None


@dataclass(frozen=True)
class Experiment:
    """What is to be done for one unit: the objective and how it is climbed."""

    target: Objective
    settings: Settings
    seeds: tuple[tuple[int, ...], ...]
    columns: int


class ExperimentEngine(BatchEngine[ExperimentParams]):
    """The engine of experiments."""

    lens = LENS

    def plan(self, model: Model, params: ExperimentParams) -> list[Job]:
        """One job for each repeat. Raises BadInput and NotFound for other units that there are
        not."""
        others: list[tuple[float, str, int]] = []
        for one in params.other_units:
            node = model.node(one.node)
            check_unit(one.unit, f"{model.id}/{node.id}", node.units)
            others.append((one.weight, node.id, one.unit))
        settings = replace(
            presets.settings(params.preset, model, steps=params.steps, size=params.size),
            settle=0.0,  # that would look ahead to the last step
        )
        made = {
            **common.dictionaries(model, [node for _, node, _ in others]),
            "objective": params.objective,
            "at": list(params.position or ()),
            "negative": params.sign == "negative",
            "others": [list(other) for other in others],
            "together": params.together,
            "diversity": params.diversity if params.together > 1 else 0.0,
            "parameterization": "fourier",
            **settings.as_dict(),
            "transforms": MOVES[params.transforms].as_dict(),
        }
        view = _view(params, settings)
        return [Job(self.recipe(model, view, seed, **made)) for seed in params.seeds]

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        """One unit at a time: what was seen live is made again to the last bit."""
        model.node(node)
        return 1

    def experiment(self, model: Model, node: str, unit: int, job: Job) -> Experiment:
        """What a job means for one unit. Raises NotFound for a unit that there is not."""
        recipe, node = job.recipe, model.node(node).id
        check_unit(unit, f"{model.id}/{node}", model.node(node).units)
        together = int(recipe["together"])
        keys = [()] if together == 1 else [(k,) for k in range(together)]
        return Experiment(
            _objective(node, unit, job),
            Settings.from_dict(recipe),
            tuple(common.key(job.seed, node, unit, *key) for key in keys),
            TOGETHER[together],
        )

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """The score is the unit's own activation, of the strongest picture (of the weakest where it
        is driven down)."""
        for unit in units:
            started = time.perf_counter()
            one = self.experiment(model, node, unit, job)
            made = optimize(model, one.target, one.settings, seeds=one.seeds, on_step=on_step)
            yield self.finished(model, node, unit, job, made.as_uint8(), started)

    def finished(
        self, model: Model, node: str, unit: int, job: Job, pictures: np.ndarray, started: float
    ) -> Rendered:
        """The result with these pictures, uint8 [picture, y, x, 3], begun at `started`
        (`time.perf_counter`)."""
        node = model.node(node).id
        terms = _terms(node, unit, job)
        values = _values(model, terms, job, pictures)
        own = values[:, 0].tolist()
        best = _best(own, job)
        driven = [
            (f"{term.node}/{term.unit}", float(f"{value:.7g}"))
            for term, value in zip(terms, values[best].tolist(), strict=True)
        ]
        columns = TOGETHER[int(job.recipe["together"])]
        return Rendered(
            node,
            unit,
            common.mosaic(pictures, columns),
            own[best],
            time.perf_counter() - started,
            ExperimentResult(
                columns=columns,
                rows=len(pictures) // columns,
                scores=tuple(own),
                driven=tuple(driven),
            ),
        )

    def score(
        self,
        model: Model,
        node: str,
        units: Sequence[int | None],
        job: Job,
        pictures: Sequence[np.ndarray],
    ) -> Sequence[float]:
        together = int(job.recipe["together"])
        columns, found = TOGETHER[together], []
        for unit, whole in zip(units, pictures, strict=True):
            assert unit is not None
            parts = np.stack(common.cut([whole], columns, together // columns))
            own = _values(model, _terms(node, unit, job)[:1], job, parts)[:, 0].tolist()
            found.append(own[_best(own, job)])
        return found


def _terms(node: str, unit: int, job: Job) -> list[Term]:
    """The unit itself, and those that are added."""
    at = tuple(job.recipe["at"]) or None
    others = [(w, n, u, at if n == node else None) for w, n, u in job.recipe["others"]]
    return [Term(1.0, node, unit, at), *(Term(*one) for one in others)]


def _driving(term: Term, job: Job) -> Objective:
    """What a unit does, as the objective reads it. A position is of the unit's own map: units of
    other nodes count at their centre."""
    negative = job.recipe["negative"]
    if job.recipe["objective"] == "channel":
        return channel(term.node, term.unit, pre_relu=negative)
    return neuron(term.node, term.unit, at=term.at, pre_relu=negative)


def _objective(node: str, unit: int, job: Job) -> Objective:
    """The unit, up or down, and the weighted sum of others, less what pictures made together have
    in common."""
    own, *others = _terms(node, unit, job)
    total = -_driving(own, job) if job.recipe["negative"] else _driving(own, job)
    for term in others:
        total = total + term.weight * _driving(term, job)
    together, weight = int(job.recipe["together"]), float(job.recipe["diversity"])
    if together == 1 or not weight:
        return total

    def value(activations: Activations, images: Tensor) -> Tensor:
        driven = total.value(activations, images)
        return driven - relative_penalty(driven, weight, likeness(activations[node], together))

    return Objective(total.nodes, value, together, total.pre_relu, f"diverse {total.label}")


@torch.no_grad()
def _values(model: Model, terms: Sequence[Term], job: Job, pictures: np.ndarray) -> Tensor:
    """[picture, term]: what each unit reaches, without its weight."""
    images = common.as_images(list(pictures)).to(model.device)
    targets = [_driving(term, job) for term in terms]
    return torch.stack(
        [one.value(activations(model, one, images), images).cpu() for one in targets], 1
    )


def _best(own: Sequence[float], job: Job) -> int:
    chosen = min if job.recipe["negative"] else max
    return chosen(range(len(own)), key=own.__getitem__)


def _view(params: ExperimentParams, settings: Settings) -> str:
    """A name for people, of what differs from a plain picture."""
    words: list[str] = [params.objective]
    words += [f"at-{params.at}"] if params.at else []
    if params.sign == "negative":
        words.append("negative")
    words += [f"{settings.size}px", f"{settings.steps}-steps"]
    if params.transforms != "standard":
        words.append(f"{params.transforms}-transforms")
    if params.together > 1:
        words.append(f"{params.together}-together")
        words += [f"diversity-{params.diversity:g}"] if params.diversity != 1 else []
    for one in params.other_units:
        sign = "minus" if one.weight < 0 else "plus"
        words += [sign, *([f"{abs(one.weight):g}"] if abs(one.weight) != 1 else [])]
        words += [one.node, str(one.unit)]
    return "-".join(words)


ENGINE = ExperimentEngine()
