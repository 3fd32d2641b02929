"""Caricature: what does a node see in a given picture?

From noise, a picture is optimized for activations at the node that point the same way as those of
the source picture, only stronger: what the node cares for is exaggerated, the rest disappears.
lucid's recipe, of which OpenAI Microscope's "caricatures" came.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import Job, Rendered, Sample, StepHook
from micrograph.lenses.engines.source_pictures import SourcePicture, source_pictures
from micrograph.models.model import Model
from micrograph.optimize import Settings, optimize
from micrograph.optimize.resemblance import Accompanied, resemblance
from micrograph.pictures import shipped


@dataclass(frozen=True)
class Caricature:
    """The technique; see `lenses.engines.base.Technique`. Its variant is the picture's name.

    `data`: "source", digest and number of the picture it is a caricature of.
    """

    name: str = "caricature"
    level: str = "node"
    revision: int = 1

    def jobs(
        self,
        model: Model,
        *,
        images: Sequence[str] = (),
        preset: str = "standard",
        steps: int | None = None,
        seed: int = 0,
        repeats: int = 1,
        cosine_power: float = 1.0,
    ) -> list[Job]:
        """One job for each picture and repeat; `images` are paths, or names of pictures that ship
        (default: all of these). A larger `cosine_power` keeps closer to the source."""
        settings = presets.settings(preset, model, steps=steps, size=model.preprocessing.size)
        common.in_range("cosine_power", cosine_power, 0.0, 16.0)
        return [
            Job(
                self.name,
                picture.name,
                each,
                {
                    **common.signature(self, model, each),
                    "objective": "resemblance",
                    "cosine_power": float(cosine_power),
                    "source": picture.digest,
                    "parameterization": "fourier",
                    **settings.as_dict(),
                },
                picture,
            )
            for picture in source_pictures(images or shipped(), model)
            for each in common.seeds(seed, repeats)
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
            parameterization=Accompanied(source[0].to(model.device)),
            on_step=on_step,
        )
        with torch.no_grad():
            both = torch.cat([done.images, source]).to(model.device)
            a, b = model.run(both, [node])[node].float().flatten(1)
        score = torch.cosine_similarity(a, b, dim=0).item()
        seconds = time.perf_counter() - started
        yield picture.sample
        yield Rendered(
            node, None, done.as_uint8()[0], score, seconds, {"source": [picture.digest, 0]}
        )


CARICATURE = Caricature()
