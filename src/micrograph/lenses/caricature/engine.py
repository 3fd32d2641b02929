"""Caricature: what does a node see in a given picture?

From noise, a picture is optimized for activations at the node that point the same way as those of
the source picture, only stronger: what the node cares for is exaggerated, the rest disappears.
lucid's recipe, of which OpenAI Microscope's "caricatures" came.
"""

import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from micrograph.lenses.caricature.lens import LENS, CaricatureParams
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, Sample, StepHook
from micrograph.lenses.engines.source_pictures import SourcePicture, source_pictures
from micrograph.lenses.result import OnePicture
from micrograph.models.model import Model
from micrograph.optimize import Settings, optimize
from micrograph.optimize.resemblance import PairedImage, resemblance
from micrograph.pictures import shipped


class CaricatureEngine(BatchEngine[CaricatureParams]):
    """The engine of caricature. Its variant is the picture's name."""

    lens = LENS
    revision = 2

    def plan(self, model: Model, params: CaricatureParams) -> list[Job]:
        """One job for each picture and repeat. Raises NotFound and BadInput for pictures that are
        none."""
        size = model.preprocessing.size
        settings = presets.settings(params.preset, model, steps=params.steps, size=size)
        made = {
            "objective": "resemblance",
            "cosine_power": params.cosine_power,
            "parameterization": "fourier",
            **settings.as_dict(),
        }
        return [
            Job(self.recipe(model, picture.name, seed, source=picture.digest, **made), picture)
            for picture in source_pictures(params.images or shipped(), model)
            for seed in range(params.seed, params.seed + params.repeats)
        ]

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        return 1

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered | Sample]:
        """The source picture and its caricature. The score is the cosine of their activations."""
        node, started = model.node(node).id, time.perf_counter()
        picture: SourcePicture = job.context
        settings = Settings.from_dict(job.recipe)
        source = picture.tensor()
        done = optimize(
            model,
            resemblance(
                model,
                node,
                cosine_power=job.recipe["cosine_power"],
                precision=settings.precision,
            ),
            settings,
            seeds=[common.key(job.seed, node)],
            parameterization=PairedImage(source[0].to(model.device)),
            on_step=on_step,
        )
        score = _resemblance(model, node, done.images, source)
        seconds = time.perf_counter() - started
        yield picture.sample
        yield Rendered(
            node, None, done.as_uint8()[0], score, seconds, OnePicture(source=(picture.digest, 0))
        )

    def score(
        self,
        model: Model,
        node: str,
        units: Sequence[int | None],
        job: Job,
        pictures: Sequence[np.ndarray],
    ) -> Sequence[float]:
        source: SourcePicture = job.context
        images = common.as_images(pictures)
        return [_resemblance(model, node, one[None], source.tensor()) for one in images]


def _resemblance(model: Model, node: str, image: Tensor, source: Tensor) -> float:
    """The cosine of the node's activations on two pictures [1, 3, y, x]."""
    with torch.no_grad():
        both = torch.cat([image, source]).to(model.device)
        a, b = model.run(both, [node])[node].float().flatten(1)
    return torch.cosine_similarity(a, b, dim=0).item()


ENGINE = CaricatureEngine()
