"""Activation grid: what does the node see at each position of a picture?

For every position of the map a small feature visualization of the activation vector there, laid
out in the same order. Olah et al., "The Building Blocks of Interpretability", Distill 2018.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.lenses.activation_grid.lens import (
    LENS,
    ActivationGridParams,
    ActivationGridResult,
)
from micrograph.lenses.engines import directions, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, Sample, StepHook
from micrograph.lenses.engines.source_pictures import SourcePicture, source_pictures
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.optimize import Settings

MOST = 14
"""Cells along each axis at most; finer maps are averaged."""

STEPS = {"draft": 20, "standard": 28, "microscope": 256}
RATE = 0.12
CELL = {"draft": 48, "standard": 64, "microscope": 96}
"""Side in pixels of the picture that is optimized for a cell, for networks with small inputs."""

WIDE_INPUT = 160
"""Networks with inputs from here on get cells half as large again: their fields are larger."""

SMALL = 8
"""Maps of at most this many cells along an axis get larger pictures, and more of each is shown."""

SHOWN, SHOWN_OF_SMALL = 3 / 8, 1 / 2
"""Side of a tile in the mosaic, as a share of the cell's picture: only its centre is driven."""

FAINTEST = 0.35
"""Contrast of a tile whose vector has no length; that of the longest tenth is 1."""


class ActivationGridEngine(BatchEngine[ActivationGridParams]):
    """The engine of activation grids. Its variant is the picture's name."""

    lens = LENS
    revision = 2

    def plan(self, model: Model, params: ActivationGridParams) -> list[Job]:
        """One job for each picture. Raises NotFound and BadInput for wrong pictures."""
        settings = _settings(model, params.preset, params.steps, params.size)
        made = {"cosine_power": params.cosine_power, **settings.as_dict()}
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
        """The score is the mean length of the vectors, NaN where one is not finite."""
        picture: SourcePicture = job.context
        started = time.perf_counter()
        place = model.node(node)
        vectors = cells(model, place.id, picture)
        if not vectors.isfinite().all():
            yield Rendered(place.id, None, None, float("nan"), 0.0)
            return
        rows, columns, _ = vectors.shape
        settings = taken(
            model,
            place,
            cell_settings(place, model, max(rows, columns), Settings.from_dict(job.recipe)),
        )
        pictures, _ = directions.render(
            model,
            place.id,
            vectors.flatten(0, 1),
            settings,
            (job.seed, 0),
            power=job.recipe["cosine_power"],
            on_step=on_step,
        )
        norms = vectors.norm(dim=2)
        shown = mosaic(pictures, norms.numpy(), centre(place, model, settings.size))
        yield picture.sample
        yield Rendered(
            place.id,
            None,
            shown,
            norms.mean().item(),
            time.perf_counter() - started,
            ActivationGridResult(
                rows=rows,
                columns=columns,
                norms=tuple(tuple(float(f"{v:.4g}") for v in row) for row in norms.tolist()),
                source=(picture.digest, 0),
            ),
        )


def _settings(model: Model, preset: str, steps: int | None, size: int | None) -> Settings:
    own = presets.settings(preset, model, steps=steps, size=size)
    wide = model.preprocessing.size >= WIDE_INPUT
    return replace(
        own,
        rate=RATE,
        momentum=0.5,
        steps=steps if steps is not None else STEPS[preset],
        size=size if size is not None else CELL[preset] * 3 // 2 if wide else CELL[preset],
    )


@torch.no_grad()
def cells(model: Model, node: str, picture: SourcePicture) -> Tensor:
    """The node's activation vectors on the picture, [row, column, unit] in float32; maps of more
    than `MOST` positions along an axis averaged, in equal blocks where that is possible."""
    values = model.run(picture.tensor(model.device), [node])[node].float().cpu()
    if values.ndim == 2:
        return values[None]
    rows, columns = (_cells_along_axis(side) for side in values.shape[2:])
    return F.adaptive_avg_pool2d(values, (rows, columns))[0].permute(1, 2, 0)


def _cells_along_axis(side: int) -> int:
    """The most cells that divide `side` positions evenly, if at least half of `MOST`."""
    if side <= MOST:
        return side
    even = [n for n in range(MOST // 2, MOST + 1) if side % n == 0]
    return even[-1] if even else MOST


def cell_settings(node: Node, model: Model, cells: int, settings: Settings) -> Settings:
    """For shallow nodes smaller pictures: twice what a position sees is enough. For few cells
    larger ones, for a single cell the model's own input size."""
    size, field = settings.size, node.receptive_field
    if cells == 1:
        size = max(size, model.preprocessing.size)
    elif cells <= SMALL:
        size = max(size, min(size * 3 // 2, model.preprocessing.size))
    if field.status == "exact":
        size = min(size, max(16, -(-2 * field.size // 16) * 16))
    return replace(settings, size=size)


def taken(model: Model, node: Node, settings: Settings) -> Settings:
    """`settings` in a size that the network takes up to the node: its own if no other."""
    if model.takes(settings.size, node.id):
        return settings
    return replace(settings, size=model.preprocessing.size)


def centre(node: Node, model: Model, size: int) -> int:
    """The pixel, along each axis, in the middle of what the objective's position sees in a picture
    of `size` px: not always the middle of the picture."""
    field = node.receptive_field
    if field.status != "exact" or not node.shape:
        return size // 2
    positions = -(-node.shape[0] * size // model.preprocessing.size)
    return field.start + positions // 2 * field.stride + field.size // 2


def mosaic(pictures: np.ndarray, norms: np.ndarray, middle: int) -> np.ndarray:
    """Pictures uint8 [cell, y, x, 3] and the norms [row, column] as one picture, uint8.

    What is shown of each lies around the pixel (`middle`, `middle`). Neighbours fade into each
    other, and tiles with short vectors are fainter.
    """
    rows, columns = norms.shape
    if norms.size == 1:
        only: np.ndarray = pictures[0]
        return only
    size = pictures.shape[1]
    tile = round(size * (SHOWN_OF_SMALL if max(rows, columns) <= SMALL else SHOWN))
    fade = tile // 2
    side = tile + fade
    low = int(np.clip(middle - side // 2, 0, size - side))
    ramp = np.sin(np.clip((np.arange(side) + 0.5) / fade, 0, 1) * np.pi / 2) ** 2
    window = np.outer(ramp * ramp[::-1], ramp * ramp[::-1])[..., None]
    longest = np.quantile(norms, 0.9)
    contrast = FAINTEST + (1 - FAINTEST) * np.clip(norms / max(longest, 1e-12), 0, 1)
    total = np.zeros((rows * tile + fade, columns * tile + fade, 3))
    weight = np.zeros((*total.shape[:2], 1))
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        here = (slice(row * tile, row * tile + side), slice(column * tile, column * tile + side))
        part = picture[low : low + side, low : low + side] - 127.5
        total[here] += window * part * contrast[row, column]
        weight[here] += window
    edge = fade // 2
    inner = (slice(edge, edge + rows * tile), slice(edge, edge + columns * tile))
    shown: np.ndarray = (total[inner] / weight[inner] + 127.5).round().clip(0, 255)
    return shown.astype(np.uint8)


ENGINE = ActivationGridEngine()
