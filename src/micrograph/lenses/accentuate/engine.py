"""Feature accentuation: what of a unit is in a given picture?

A picture is optimized from a given one, written as its spectrum, to excite a unit, and held near
the given one as a lower node sees both. Hamblin et al., "Feature Accentuation: Revealing 'What'
Features Respond to in Natural Images", 2024 (arXiv 2402.10039).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.lenses.accentuate.lens import LENS, AccentuateParams, AccentuateResult
from micrograph.lenses.attribution.engine import ancestors, dominators_of
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, Sample, StepHook
from micrograph.lenses.engines.source_pictures import SourcePicture, source_pictures
from micrograph.models.model import Model
from micrograph.optimize import (
    FourierImage,
    Objective,
    Pictures,
    Settings,
    activations,
    channel,
    evaluate,
    memory,
    optimize,
)
from micrograph.optimize.objectives import Activations
from micrograph.optimize.parameterize import COLOR_BASIS
from micrograph.optimize.resemblance import PairedImage

DARKEST = 0.02
"""Colours are kept this far from black and white: the spectrum cannot say these exactly."""


@dataclass(frozen=True)
class FromPicture(PairedImage):
    """A picture that starts as `source` [3, size, size], and beside it, as further three channels,
    `source` itself, moved alike by every random transformation."""

    def start(self, rngs: Sequence[np.random.Generator]) -> Tensor:
        """The spectrum that `FourierImage` draws as the source, once for each of `rngs`."""
        fourier = FourierImage(self.size)
        colours = self.source.double().clamp(DARKEST, 1 - DARKEST).logit()
        components = torch.einsum("cr,ryx->cyx", torch.linalg.inv(COLOR_BASIS.double()), colours)
        spectrum = torch.fft.rfft2(4 * components) / fourier.scale()
        return torch.view_as_real(spectrum).float().expand(len(rngs), *([-1] * 4)).clone()


class AccentuateEngine(BatchEngine[AccentuateParams]):
    """The engine of feature accentuation. Its variant is the picture's name."""

    lens = LENS
    revision = 2
    nothing = "no node lies below, in which the picture could stay as it is"

    def plan(self, model: Model, params: AccentuateParams) -> list[Job]:
        """One job for each picture. Raises NotFound for an unknown node or picture, BadInput for a
        file that is no picture."""
        below = model.node(params.below).id if params.below is not None else ""
        size = model.preprocessing.size
        settings = presets.settings(params.preset, model, steps=params.steps, size=size)
        made = {
            **common.dictionaries(model, [below] if below else []),
            "objective": "accentuated channel",
            "below": below,
            "strength": params.strength,
            "parameterization": "fourier from picture",
            **settings.as_dict(),
        }
        return [
            Job(
                self.recipe(model, picture.name, params.seed, source=picture.digest, **made),
                picture,
            )
            for picture in source_pictures(params.images, model)
        ]

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        """None for nodes with nothing below them. Raises BadInput where the node that was named is
        not below."""
        below = job.recipe["below"]
        if below and below not in ancestors(model, node):
            raise BadInput(f"{below} is not below {node}; name a node that leads to it")
        if not (below or half_way(model, node)):
            return 0
        return memory.batch_size(model, node, job.recipe["size"])

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered | Sample]:
        """The source and what became of it for each unit. Scores are the unit's mean activation."""
        node = model.node(node).id
        below = job.recipe["below"] or half_way(model, node)
        picture: SourcePicture = job.context
        source = picture.tensor()
        yield picture.sample

        def climb(part: Sequence[int], hook: StepHook | None) -> Pictures:
            return optimize(
                model,
                accentuated(model, node, part, below, source, job.recipe["strength"]),
                Settings.from_dict(job.recipe),
                seeds=[common.key(job.seed, node, unit) for unit in part],
                parameterization=FromPicture(source[0].to(model.device)),
                on_step=hook,
            )

        before = evaluate(model, channel(node, list(units)), source.expand(len(units), -1, -1, -1))
        known = dict(zip(units, before.tolist(), strict=True))
        for part, done, seconds in common.in_memory(units, climb, on_step):
            scores = evaluate(model, channel(node, list(part)), done.images).tolist()
            moved = distances(model, below, done.images, source).tolist()
            for i, (unit, image) in enumerate(zip(part, done.as_uint8(), strict=True)):
                kept = AccentuateResult(
                    before=known[unit], below=below, moved=moved[i], source=(picture.digest, 0)
                )
                yield Rendered(node, unit, image, scores[i], seconds, kept)

    def score(
        self,
        model: Model,
        node: str,
        units: Sequence[int | None],
        job: Job,
        pictures: Sequence[np.ndarray],
    ) -> Sequence[float]:
        return common.channel_scores(model, node, units, pictures)


def half_way(model: Model, node: str) -> str:
    """The node in the middle of those that every path to `node` runs through; "" without any."""
    passed = dominators_of(model, node)
    return passed[len(passed) // 2] if passed else ""


def accentuated(
    model: Model, node: str, units: Sequence[int], below: str, source: Tensor, strength: float
) -> Objective:
    """For `FromPicture` pictures: how much more the unit answers, less `strength` times how far the
    lower node is from what it sees in the source, which every transformation moves alike.

    The first is the inverse hyperbolic sine of the unit's mean activation, in shares of the root
    mean square of its node on the source: in units of its own where it is small, a logarithm where
    it is large, so that one strength suits networks of all scales. The second is the squared
    distance of the lower node's activations, in shares of their squared length.
    """
    plain = channel(node, list(units))
    with torch.no_grad():
        values = model.run(source.to(model.device), [node])[node].float()
    scale = values.square().mean().sqrt().clamp(min=1e-6).item()

    def value(seen: Activations, images: Tensor) -> Tensor:
        own = (plain.value(seen, images) / scale).asinh()
        with torch.no_grad():
            reader = Objective((below,), lambda _, x: x)
            at_source = activations(model, reader, images[:, 3:])[below]
        return own - strength * _apart(seen[below], at_source).square()

    return Objective((node, below), value, len(units), label=f"accentuated({node})")


@torch.no_grad()
def distances(model: Model, below: str, images: Tensor, source: Tensor) -> Tensor:
    """By how much the lower node's activations on `images` [batch, 3, y, x] differ from those on
    `source` [1, 3, y, x], as shares of their length: [batch]."""
    both = torch.cat([source, images]).to(model.device)
    values = model.run(both, [below])[below]
    return _apart(values[1:], values[:1]).cpu()


def _apart(values: Tensor, others: Tensor) -> Tensor:
    """Distance of activations [batch, ...] as a share of the length of `others`: [batch]."""
    given = others.float().flatten(1)
    difference = values.float().flatten(1) - given
    share: Tensor = difference.norm(dim=1) / given.norm(dim=1).clamp(min=1e-6)
    return share


ENGINE = AccentuateEngine()
