"""Neuron groups: which units work together on this picture, and where?

The node's activations on a picture, positions by units, are factored into a few non-negative groups
(Olah et al., "The Building Blocks of Interpretability", Distill 2018): each is a map over the
picture and a direction among the units, which gets a feature visualization.
"""

import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from micrograph.errors import Unavailable, install_line
from micrograph.lenses.engines import common, directions, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, Sample, StepHook
from micrograph.lenses.engines.source_pictures import SourcePicture, source_pictures
from micrograph.lenses.neuron_groups.lens import (
    LENS,
    UNITS,
    GroupOfUnits,
    NeuronGroupsParams,
    NeuronGroupsResult,
)
from micrograph.models.model import Model
from micrograph.optimize import Settings

ITERATIONS = 500


@dataclass(frozen=True)
class Factor:
    """`map` [y, x] in 0..1 (or [] for a flat node), `direction` [unit]: what the group gives where
    its map is 1; `strength`: its share of all that the groups give."""

    map: np.ndarray
    direction: np.ndarray
    strength: float


class NeuronGroupsEngine(BatchEngine[NeuronGroupsParams]):
    """The engine of neuron groups. Its variant is the picture's name."""

    lens = LENS
    revision = 2

    def plan(self, model: Model, params: NeuronGroupsParams) -> list[Job]:
        """One job for each picture. Raises NotFound and BadInput for wrong pictures,
        Unavailable without scikit-learn."""
        _import_nmf()
        settings = presets.settings(params.preset, model, steps=params.steps, size=params.size)
        made = {
            "groups": params.groups,
            "cosine_power": params.cosine_power,
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
        return 1

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered | Sample]:
        """The score is the share of the activations' square that the groups explain."""
        picture: SourcePicture = job.context
        started = time.perf_counter()
        place = model.node(node).id
        with torch.no_grad():
            values = model.run(picture.tensor(model.device), [place])[place][0].float().cpu()
        groups, explained = factor(values.numpy(), job.recipe["groups"], job.seed)
        yield picture.sample
        shown = None
        if groups:
            pictures, _ = directions.render(
                model,
                place,
                torch.from_numpy(np.stack([g.direction for g in groups])),
                Settings.from_dict(job.recipe),
                common.key(job.seed, place),
                power=job.recipe["cosine_power"],
                everywhere=True,
                on_step=on_step,
            )
            shown = common.mosaic(pictures, len(groups))
        yield Rendered(
            place,
            None,
            shown,
            explained,
            time.perf_counter() - started,
            NeuronGroupsResult(
                groups=tuple(_as_stored(group) for group in groups), source=(picture.digest, 0)
            ),
        )


def factor(values: np.ndarray, count: int, seed: int) -> tuple[list[Factor], float]:
    """At most `count` groups of activations [unit, y, x] or [unit], strongest first, and the share
    of their square that the groups explain together.

    Values below zero are split off into units of their own and joined again in the directions.
    Groups that give nothing are left out. There are none of values that are not finite, and the
    share is not finite then either.
    """
    units = len(values)
    flat = values.reshape(units, -1).T.astype(np.float64)
    signed = bool((flat < 0).any())
    parts = directions.halves(flat) if signed else flat
    total = float((parts**2).sum())
    if total == 0 or not np.isfinite(total):
        return [], total
    with warnings.catch_warnings():
        # A few more iterations would change nothing that can be seen.
        warnings.simplefilter("ignore", _import_warning())
        model = _import_nmf()(
            min(count, *parts.shape), init="nndsvda", random_state=seed, max_iter=ITERATIONS
        )
        maps = model.fit_transform(parts)
    vectors = model.components_
    explained = 1 - float(((parts - maps @ vectors) ** 2).sum()) / total
    peaks = maps.max(0)
    masses = maps.sum(0) * vectors.sum(1)
    groups = [
        Factor(
            (maps[:, k] / peaks[k]).reshape(values.shape[1:]),
            ((directions.whole(vectors[k]) if signed else vectors[k]) * peaks[k]).astype("f4"),
            float(masses[k] / masses.sum()),
        )
        for k in np.argsort(-masses, kind="stable")
        if masses[k] > 0
    ]
    return groups, explained


def _as_stored(group: Factor) -> GroupOfUnits:
    order = np.argsort(-np.abs(group.direction), kind="stable")[:UNITS]
    return GroupOfUnits(
        map=np.round(np.atleast_2d(group.map), 3).tolist(),
        units=tuple((int(u), float(f"{group.direction[u]:.4g}")) for u in order),
        strength=round(group.strength, 4),
    )


def _import_nmf() -> Any:
    try:
        from sklearn.decomposition import NMF
    except ImportError:
        raise Unavailable(
            "neuron_groups needs scikit-learn, which is not installed here: "
            f"{install_line('lenses')}"
        ) from None
    return NMF


def _import_warning() -> type[Warning]:
    from sklearn.exceptions import ConvergenceWarning

    kind: type[Warning] = ConvergenceWarning
    return kind


ENGINE = NeuronGroupsEngine()
