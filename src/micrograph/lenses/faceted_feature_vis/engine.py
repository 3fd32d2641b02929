"""Faceted feature visualization: what would excite this unit, and belong to a given theme?

Beside the unit's own activation the picture climbs what lower nodes contribute to it, as far as a
linear probe finds a theme in that. Goh et al., "Multimodal Neurons in Artificial Neural Networks",
Distill 2021; the gradient is rectified as in the code that they released.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, StepHook
from micrograph.lenses.faceted_feature_vis.facets import (
    ProbeFile,
    ScenePlan,
    check_theme,
    dominators_with_maps,
)
from micrograph.lenses.faceted_feature_vis.lens import LENS, FacetedParams, FacetedResult
from micrograph.models.model import Model
from micrograph.optimize import Objective, Pictures, Settings, channel, evaluate, memory, optimize


def faceted(target: Objective, probes: Mapping[str, Tensor], strength: float) -> Objective:
    """`target` plus the share of it that lies in a theme, as probes [unit] at lower nodes see it.

    At each node that is the sum of activation * gradient of the target * probe over units and
    positions, with the gradient rectified and held constant; the mean over nodes counts `strength`
    times. Where gradients are off (for a score) it is the target alone.
    """

    def value(activations: Mapping[str, Tensor], images: Tensor) -> Tensor:
        plain = target.value(activations, images)
        if not torch.is_grad_enabled():
            return plain
        maps = [activations[node] for node in probes]
        slopes = torch.autograd.grad(plain.sum(), maps, retain_graph=True)
        facets = [
            torch.einsum("buyx,buyx,u->b", a, slope.clamp_min(0), probe.to(a))
            for a, slope, probe in zip(maps, slopes, probes.values(), strict=True)
        ]
        return plain + strength * torch.stack(facets).mean(0)

    nodes = tuple(dict.fromkeys((*target.nodes, *probes)))
    return Objective(
        nodes,
        value,
        target.samples,
        label=f"faceted({target.label})",
        driven=target.drives,
    )


class FacetedFeatureVisEngine(BatchEngine[FacetedParams]):
    """The engine of facets by theme. Its variants are the themes."""

    lens = LENS
    revision = 2
    nothing = "no node with a map lies below, in which a theme could be told"

    def plan(self, model: Model, params: FacetedParams) -> list[Job]:
        """One job for each theme and repeat.

        Probes are fitted at lower nodes on toytown scenes, or read from a safetensors file (see
        `facets.ProbeFile`), which then is the one theme. Always in fp32: the gradient of a lower
        node must reach the very tensor it had. Raises NotFound for an unknown theme.
        """
        settings = replace(
            presets.settings(params.preset, model, steps=params.steps, size=params.size),
            precision="fp32",
        )
        source, themes, of_probes = self._probes(model, params)
        made = {
            "objective": "faceted channel",
            "parameterization": "fourier",
            "strength": params.strength,
            "layers": params.layers,
            **of_probes,
            **settings.as_dict(),
        }
        return [
            Job(self.recipe(model, theme, seed, theme=theme, **made), source)
            for seed in params.seeds
            for theme in dict.fromkeys(themes)
        ]

    def _probes(
        self, model: Model, params: FacetedParams
    ) -> tuple[ScenePlan | ProbeFile, tuple[str, ...], dict[str, Any]]:
        """Where probes come from, the themes they are for, and the recipe's words for it."""
        if params.probes is not None:
            file = ProbeFile(model, Path(params.probes))
            return file, (file.theme,), {"probes": file.digest}
        for theme in params.variants:
            check_theme(theme, self.name)
        return ScenePlan(model, params.scenes), params.variants, {"scenes": params.scenes}

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        if not self._steered(model, node, job):
            if not isinstance(job.context, ProbeFile):
                return 0
            raise BadInput(
                f"none of the probes is for a node below {node}; they are for "
                f"{', '.join(job.context.nodes())}"
            )
        return memory.batch_size(model, node, job.recipe["size"])

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """Scores are the unit's own activation."""
        node = model.node(node).id
        found = job.context.probes(job.variant, self._steered(model, node, job))
        probes = {name: probe for name, (probe, _) in found.items()}

        def climb(part: Sequence[int], hook: StepHook | None) -> Pictures:
            target = channel(node, list(part))
            return optimize(
                model,
                faceted(target, probes, job.recipe["strength"]),
                Settings.from_dict(job.recipe),
                seeds=[common.key(job.seed, node, unit) for unit in part],
                on_step=hook,
            )

        kept = FacetedResult(
            probes=tuple(
                (name, None if area is None else round(area, 3))
                for name, (_, area) in found.items()
            )
        )
        for part, done, seconds in common.in_memory(units, climb, on_step):
            scores = evaluate(model, channel(node, list(part)), done.images).tolist()
            for unit, picture, score in zip(part, done.as_uint8(), scores, strict=True):
                yield Rendered(node, unit, picture, score, seconds, kept)

    def _steered(self, model: Model, node: str, job: Job) -> list[str]:
        """The nodes below whose probes are used."""
        nodes = dominators_with_maps(model, node, job.recipe["layers"])
        if isinstance(job.context, ProbeFile):
            return [
                name
                for name in dominators_with_maps(model, node, len(model.nodes))
                if name in job.context.nodes()
            ]
        return nodes

    def score(
        self,
        model: Model,
        node: str,
        units: Sequence[int | None],
        job: Job,
        pictures: Sequence[np.ndarray],
    ) -> Sequence[float]:
        return common.channel_scores(model, node, units, pictures)


ENGINE = FacetedFeatureVisEngine()
