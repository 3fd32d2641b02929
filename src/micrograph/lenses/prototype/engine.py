"""Prototype: what is a typical picture that a unit answers to like?

A picture is optimized, from noise, until the channels that carry the unit have at lower nodes the
distributions of values that they have on the unit's strongest examples. After VITAL (Görgün et al.,
ICCV 2025, arXiv 2503.22399), with gradient times activation for relevance, distributions weighted
towards the places that count, and the unit's own activation as a term.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from shlex import quote

import numpy as np
import torch
from torch import Tensor

from micrograph.datasets import Dataset, open_dataset
from micrograph.datasets.reading import picture
from micrograph.errors import BadInput
from micrograph.graph import Dag, worth_seeing
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, StepHook
from micrograph.lenses.faceted_feature_vis.facets import dominators_with_maps, has_map
from micrograph.lenses.prototype.examples import Reference, reference, see
from micrograph.lenses.prototype.lens import LENS, PrototypeParams, PrototypeResult
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
    total_variation,
)
from micrograph.optimize.distributions import Wanted, alike, apart
from micrograph.optimize.objectives import Activations

DECAY, START = 1.4, 0.1
"""Of the spectrum: steeper than 1/f, so that fine grain moves last, from a faint start."""
CHANNELS = 128
"""Channels of each node that count, the most relevant."""
COLOURS, SMOOTH = 4.0, 0.25
"""Weights of the picture's colours and of its total variation."""
FEW = 4
"""Nodes that every path passes, below which others are matched too."""
KEPT = 64
"""References that are remembered: those of a batch and of the batches around it."""


@dataclass
class _Examples:
    """A dataset, and what its pictures said of units; remembered for further seeds."""

    dataset: Dataset
    spec: str
    _known: "OrderedDict[tuple[str, int], tuple[Reference | None, tuple[int, ...]]]" = field(
        default_factory=OrderedDict
    )

    def of(
        self, model: Model, node: str, unit: int, job: Job, below: Sequence[str]
    ) -> tuple[Reference | None, tuple[int, ...]]:
        """The reference of a unit, and the numbers of its examples."""
        key = (node, unit)
        if key not in self._known:
            numbers = self._strongest(model, node, unit, job)
            images = common.as_images(
                [picture(self.dataset, model.preprocessing, number) for number in numbers]
            )
            found = reference(images, see(model, images, node, unit, below))
            self._known[key] = found, numbers
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return self._known[key]

    def _strongest(self, model: Model, node: str, unit: int, job: Job) -> tuple[int, ...]:
        """Numbers of the examples. Raises BadInput where the sweep is not there, or kept fewer."""
        wanted = min(int(job.recipe["examples"]), len(self.dataset))
        found = () if job.stored is None else job.stored.top(model, node, unit, self.dataset.digest)
        if not found:
            raise BadInput(f"{node}/{unit} has no {self.missing(model, node)}")
        if len(found) < wanted:
            raise BadInput(
                f"the sweep kept {len(found)} examples of {node}/{unit}, expected {wanted}; "
                f"take --examples {len(found)}, or sweep again with --k {wanted}"
            )
        return tuple(found[:wanted])

    def missing(self, model: Model, node: str) -> str:
        """What is missing, and the command that makes it."""
        return (
            f"dataset examples of {self.dataset.name} in the atlas; make them: micrograph render "
            f"{model.id} --node {node} --technique dataset_examples --dataset {quote(self.spec)}"
        )


class PrototypeEngine(BatchEngine[PrototypeParams]):
    """The engine of prototypes. Its variant is the dataset's name."""

    lens = LENS
    nothing = "no node with a map lies below, whose values could be matched"

    def plan(self, model: Model, params: PrototypeParams) -> list[Job]:
        """One job for each repeat. Raises as `micrograph.datasets.open_dataset`."""
        examples = _Examples(open_dataset(params.dataset), params.dataset)
        settings = replace(
            presets.settings(params.preset, model, steps=params.steps, size=params.size),
            start=START,
        )
        made = {
            "objective": "distributions",
            "dataset": examples.dataset.digest,
            "examples": params.examples,
            "layers": params.layers,
            "strength": params.strength,
            "parameterization": "fourier",
            **settings.as_dict(),
        }
        return [
            Job(self.recipe(model, examples.dataset.name, seed, **made), examples)
            for seed in params.seeds
        ]

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        """None for nodes with no map below them. Raises BadInput where the atlas has no examples of
        the node."""
        if not matched_nodes(model, node, 1):
            return 0
        examples: _Examples = job.context
        if job.stored is None or not job.stored.there(model, node, examples.dataset.digest):
            raise BadInput(f"{node} has no {examples.missing(model, node)}")
        return memory.batch_size(model, node, job.recipe["size"])

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """Scores are the unit's own mean activation. A unit that no example excites has no
        picture, and its result says so."""
        node = model.node(node).id
        below = matched_nodes(model, node, job.recipe["layers"])
        examples: _Examples = job.context
        known = {unit: examples.of(model, node, unit, job, below) for unit in units}
        digest = examples.dataset.digest
        for unit, (found, numbers) in known.items():
            if found is None:
                reason = f"none of its strongest pictures of {examples.dataset.name} excites it"
                nothing = PrototypeResult(dataset=digest, examples=numbers, reason=reason)
                yield Rendered(node, unit, None, 0.0, 0.0, nothing)
        references = {unit: found for unit, (found, _) in known.items() if found is not None}
        settings = Settings.from_dict(job.recipe)

        def climb(part: Sequence[int], hook: StepHook | None) -> tuple[Pictures, list[list[float]]]:
            wanted = _wanted([references[unit] for unit in part])
            done = optimize(
                model,
                _objective(node, part, references, wanted, job.recipe["strength"]),
                settings,
                seeds=[common.key(job.seed, node, unit) for unit in part],
                parameterization=FourierImage(settings.size, sd=settings.start, decay=DECAY),
                on_step=hook,
            )
            return done, _distances(model, wanted, done.images)

        if not references:
            return
        made = common.in_memory(list(references), climb, on_step)
        for part, (done, apart_at), seconds in made:
            scores = evaluate(model, channel(node, list(part)), done.images).tolist()
            for i, (unit, image) in enumerate(zip(part, done.as_uint8(), strict=True)):
                kept = PrototypeResult(
                    dataset=digest,
                    examples=known[unit][1],
                    nodes=tuple(
                        (name, distance)
                        for name, distance in zip(below, apart_at[i], strict=True)
                        if bool(references[unit].nodes[name][1].any())
                    ),
                    typical=references[unit].typical,
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


def matched_nodes(model: Model, node: str, most: int) -> list[str]:
    """At most `most` nodes with maps below `node`: the last, and others at equal steps, so that
    early ones keep the grain of pictures natural.

    They are those that every path to it passes; where these are few, as in transformers, whose
    class token goes past the positions, also others that are worth seeing.
    """
    passed = dominators_with_maps(model, node, len(model.nodes))
    if len(passed) < FEW:
        known = Dag.of(model.nodes.values()).ancestors(node)
        seen = {one.id for one in worth_seeing(model.nodes) if one.id in known and has_map(one)}
        passed = [id for id in model.nodes if id in seen.union(passed)]
    if len(passed) <= most:
        return passed
    places = np.linspace(len(passed) - 1, 0, most).round().astype(int)
    return [passed[place] for place in sorted(places)]


def _wanted(references: Sequence[Reference]) -> dict[str, Wanted]:
    """What each node's values are to be like, for a picture of each; "" are the colours."""
    found = {
        name: Wanted.stacked(
            [Wanted.most_relevant(*one.nodes[name], CHANNELS) for one in references]
        )
        for name in references[0].nodes
    }
    colours = [Wanted.most_relevant(one.colours, torch.ones(3), 3) for one in references]
    return {**found, "": Wanted.stacked(colours)}


def _objective(
    node: str,
    units: Sequence[int],
    references: dict[int, Reference],
    wanted: dict[str, Wanted],
    strength: float,
) -> Objective:
    """The distributions, smooth colours, and the unit's own activation: the inverse hyperbolic sine
    of its mean, in shares of the mean size of its values on the examples."""
    nodes = {name: one for name, one in wanted.items() if name}
    matched = alike(nodes, wanted[""], COLOURS) - SMOOTH * total_variation()
    if not strength:
        return matched
    plain = channel(node, list(units))
    scales = torch.tensor([references[unit].scale for unit in units]).clamp(min=1e-12)

    def own(seen: Activations, images: Tensor) -> Tensor:
        return (plain.value(seen, images) / scales.to(images)).asinh()

    driven = Objective((node,), own, len(units), label=f"driven({node})")
    return matched + strength * driven


@torch.no_grad()
def _distances(model: Model, wanted: dict[str, Wanted], images: Tensor) -> list[list[float]]:
    """Of each picture, how far it is from the examples at each node."""
    nodes = [name for name in wanted if name]
    seen = activations(model, Objective(tuple(nodes), lambda a, x: x), images.to(model.device))
    found = torch.stack([apart(seen[name], wanted[name]).sqrt() for name in nodes], 1)
    rounded: list[list[float]] = [[float(f"{d:.4g}") for d in row] for row in found.tolist()]
    return rounded


ENGINE = PrototypeEngine()
