"""Synthetic tuning: which lines, borders, patterns and colours does a unit prefer?

Families of drawn stimuli, whose geometry is known exactly, are shown to the network, and the
response of every unit at the centre of its map is kept for each. Cammarata et al., "Curve
Detectors", Distill 2020.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from micrograph.lenses.engines.base import (
    Job,
    PictureSource,
    Rendered,
    Sample,
    StepHook,
    SweepEngine,
)
from micrograph.lenses.tuning.lens import LENS, ResponseAxis, TuningParams, TuningResult
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.optimize.memory import is_out_of_memory
from micrograph.stimuli import Stimuli, blank, family
from micrograph.stimuli.family import Axis

BATCH = 16
"""Stimuli in one forward pass; more are hardly faster."""


class TuningEngine(SweepEngine[TuningParams]):
    """The engine of synthetic tuning."""

    lens = LENS

    def plan(self, model: Model, params: TuningParams) -> list[Job]:
        """One job for each family of stimuli."""
        size = model.preprocessing.size
        return [self._job(model, family(v).at(size)) for v in dict.fromkeys(params.variants)]

    def _job(self, model: Model, stimuli: Stimuli) -> Job:
        made = {
            "family": stimuli.family.name,
            "dataset": stimuli.digest,
            "size": stimuli.size,
            "position": "centre",
        }
        return Job(self.recipe(model, stimuli.family.name, 0, **made), stimuli)

    def sweep(
        self,
        model: Model,
        targets: Mapping[str, Sequence[int]],
        job: Job,
        workspace: Path,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered | Sample]:
        """The stimuli, then for each node its responses to all of them.

        Responses are after the activation, at the position whose receptive field lies nearest to
        the picture's centre. The score of a node is the largest response of any unit; it is not
        finite, and the node is left out, where a response is not. A few batches do not need
        `workspace`.
        """
        stimuli: Stimuli = job.context
        started = time.perf_counter()
        nodes = [model.node(name) for name in targets]
        source = _source(stimuli)
        found: dict[str, list[np.ndarray]] = {node.id: [] for node in nodes}
        places = {node.id: centre(node, stimuli.size) for node in nodes}
        together = model.together(BATCH)
        for first in range(0, len(stimuli), together):
            numbers = range(first, min(first + together, len(stimuli)))
            pictures = [stimuli.picture(number) for number in numbers]
            for name, values in _measure_responses(model, pictures, places).items():
                found[name].append(values)
            for number, picture in zip(numbers, pictures, strict=True):
                yield Sample(source, number, stimuli.label(number), -1, picture)
            if on_step is not None:
                on_step(numbers.stop, len(stimuli))
        baseline = _measure_responses(model, [blank(stimuli.size)], places)
        seconds = (time.perf_counter() - started) / max(1, len(nodes))
        for node in nodes:
            responses = np.concatenate(found.pop(node.id)).T
            yield Rendered(
                node.id,
                None,
                None,
                float(responses.max()),
                seconds,
                TuningResult(
                    family=stimuli.family.name,
                    title=stimuli.family.title,
                    dataset=stimuli.digest,
                    axes=tuple(_axis(axis) for axis in stimuli.axes),
                    position=_position(node, places[node.id]),
                    responses=_as_small_floats(responses.reshape(-1, *stimuli.shape)),
                    baseline=_as_small_floats(baseline[node.id][0]),
                ),
            )


def centre(node: Node, size: int) -> tuple[int, ...]:
    """Where in the node's map (y, x) the field of view is centred nearest to the middle of a
    picture of `size` px; the middle of the map where fields are unknown; () for a flat node.

    The two differ where padding is lopsided: in GoogLeNet as Caffe pools, by most of a cell.
    """
    field = node.receptive_field
    if field.status != "exact" or field.stride <= 0:
        return tuple(side // 2 for side in node.shape)
    best = (size / 2 - field.size / 2 - field.start) / field.stride
    return tuple(min(max(math.floor(best + 0.5), 0), side - 1) for side in node.shape)


def _measure_responses(
    model: Model, pictures: Sequence[np.ndarray], places: Mapping[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """Responses of each node, float32 [picture, unit]; in halves where memory runs out."""
    try:
        return _responses_at(model, pictures, places)
    except (RuntimeError, MemoryError) as error:
        if len(pictures) == 1 or not is_out_of_memory(error):
            raise
    half = len(pictures) // 2
    parts = [_measure_responses(model, part, places) for part in (pictures[:half], pictures[half:])]
    return {node: np.concatenate([part[node] for part in parts]) for node in places}


@torch.inference_mode()
def _responses_at(
    model: Model, pictures: Sequence[np.ndarray], places: Mapping[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    # Pictures are in memory as channels_last already, the fastest format for convolutions.
    images = torch.from_numpy(np.stack(pictures)).to(model.device).permute(0, 3, 1, 2).float() / 255

    def at_place(node: str, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        index: tuple[slice | int, ...] = (slice(None), slice(None), *places[node])
        return (values[index].float().clone(),)  # so that the map's memory is free again

    found = model.reduced(images, list(places), at_place)
    return {node: values.cpu().numpy() for node, (values,) in found.items()}


def _as_small_floats(values: np.ndarray) -> np.ndarray:
    """As float16 where its range suffices."""
    fits = np.abs(values).max(initial=0) <= np.finfo(np.float16).max
    return values.astype(np.float16 if fits else np.float32)


def _source(stimuli: Stimuli) -> PictureSource:
    return PictureSource(
        name=f"tuning-{stimuli.family.name}",
        digest=stimuli.digest,
        title=f"Drawn stimuli: {stimuli.family.title.lower()}",
        pictures=len(stimuli),
        size=stimuli.size,
        licence="CC0-1.0",
    )


def _axis(axis: Axis) -> ResponseAxis:
    return ResponseAxis(
        axis.name, axis.title, axis.unit, list(axis.values), axis.circular, axis.period
    )


def _position(node: Node, place: tuple[int, ...]) -> int:
    return place[0] * node.shape[1] + place[1] if len(place) == 2 else 0


ENGINE = TuningEngine()
