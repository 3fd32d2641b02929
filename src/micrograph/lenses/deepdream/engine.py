"""DeepDream: what does a whole node respond to most?

A picture is optimized from noise for the mean square of all activations of a node, so that whatever
is strong already grows stronger. Mordvintsev et al. 2015; the objective is lucid's.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from micrograph.lenses.deepdream.lens import LENS, DeepDreamParams
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, StepHook
from micrograph.models.model import Model
from micrograph.optimize import Settings, energy, evaluate, optimize

START = 0.5
"""Standard deviation of the spectrum at the start: as much contrast as a photograph. From faint
noise, 0.01, the picture of a node that answers to plain grey stays grey (a local optimum; toytown's
early nodes reached a fifth of the energy, less than a photograph has there)."""


class DeepDreamEngine(BatchEngine[DeepDreamParams]):
    """The engine of DeepDream. A result is a picture alone."""

    lens = LENS
    revision = 2

    def plan(self, model: Model, params: DeepDreamParams) -> list[Job]:
        settings = presets.settings(params.preset, model, steps=params.steps, size=params.size)
        made = {
            "objective": "energy",
            "parameterization": "fourier",
            **replace(settings, start=START).as_dict(),
        }
        return [Job(self.recipe(model, "node", seed, **made)) for seed in params.seeds]

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        return 1

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """One picture of the node. The score is the mean square of its activations."""
        node, started = model.node(node).id, time.perf_counter()
        settings = Settings.from_dict(job.recipe)
        done = optimize(
            model,
            energy(node),
            settings,
            seeds=[common.key(job.seed, node)],
            on_step=on_step,
        )
        seconds = time.perf_counter() - started
        yield Rendered(node, None, done.as_uint8()[0], done.scores.item(), seconds)

    def score(
        self,
        model: Model,
        node: str,
        units: Sequence[int | None],
        job: Job,
        pictures: Sequence[np.ndarray],
    ) -> Sequence[float]:
        found: list[float] = evaluate(model, energy(node), common.as_images(pictures)).tolist()
        return found


ENGINE = DeepDreamEngine()
