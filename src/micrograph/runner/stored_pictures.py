"""Pictures as an atlas will keep them, and what they reach then: compression changes a score."""

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograph.atlas import Picture, encode
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, Sample

if TYPE_CHECKING:
    from micrograph.models.model import Model


@dataclass(frozen=True)
class PictureFormat:
    """How an atlas keeps pictures: "avif", "webp" or "png", and the quality, None for the usual."""

    name: str = "avif"
    quality: int | None = None

    def encode(self, image: np.ndarray) -> Picture:
        return encode(image, self.name, self.quality)


def decoded(picture: Picture) -> np.ndarray:
    """What a reader sees of an encoded picture, uint8 [y, x, 3]."""
    from PIL import Image

    with Image.open(io.BytesIO(picture.data)) as opened:
        return np.asarray(opened.convert("RGB"))


def scored_as_stored(
    engine: BatchEngine[Any],
    model: "Model",
    node: str,
    job: Job,
    results: Sequence[Rendered | Sample],
    format: PictureFormat,
) -> tuple[tuple[Rendered | Sample, ...], tuple[Picture | None, ...]]:
    """The results with `stored_score`, where the engine scores pictures, and beside each its
    picture encoded."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        files = tuple(
            threads.map(lambda r: None if r.image is None else format.encode(r.image), results)
        )
    drawn = [
        (place, one, file)
        for place, (one, file) in enumerate(zip(results, files, strict=True))
        if isinstance(one, Rendered) and file is not None and np.isfinite(one.score)
    ]
    if not drawn:
        return tuple(results), files
    if format.name == "png":  # nothing is lost
        scores: Sequence[float] | None = [one.score for _, one, _ in drawn]
    else:
        pictures = [decoded(file) for _, _, file in drawn]
        scores = engine.score(model, node, [one.unit for _, one, _ in drawn], job, pictures)
    found = list(results)
    if scores is not None and engine.lens.can.scores_picture:
        for (place, one, _), score in zip(drawn, scores, strict=True):
            if np.isfinite(score):
                found[place] = replace(one, stored_score=float(f"{score:.7g}"))
    return tuple(found), files
