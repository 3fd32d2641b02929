"""Training pictures: drawn by worker processes once, kept in memory as bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograph.files import fresh_file
from micrograph.organisms.toytown.scenes import PictureBatch, batch

CHUNK = 250
Indices = NDArray[np.int64]


def draw(
    first: int, count: int, *, workers: int = 2, progress: Callable[[int], None] = lambda _: None
) -> PictureBatch:
    """Pictures of the seeds first .. first + count - 1, in that order whatever the workers."""
    ranges = [range(s, min(s + CHUNK, first + count)) for s in range(first, first + count, CHUNK)]
    made: list[PictureBatch] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for piece in pool.map(batch, ranges):
            made.append(piece)
            progress(len(piece.labels))
    return PictureBatch(
        np.concatenate([b.images for b in made]),
        np.concatenate([b.labels for b in made]),
        np.concatenate([b.parts for b in made]),
    )


def cached(
    folder: Path | None, first: int, count: int, progress: Callable[[int], None] = lambda _: None
) -> PictureBatch:
    """As `draw`, kept in `folder` for the next run (empty it when the scenes have changed)."""
    if folder is None:
        return draw(first, count, progress=progress)
    stem = f"pictures-{first}-{count}"
    files = [folder / f"{stem}-{name}.npy" for name in ("images", "labels", "parts")]
    if all(f.exists() for f in files):
        progress(count)
        return PictureBatch(*(np.load(f) for f in files))
    drawn = draw(first, count, progress=progress)
    arrays: list[NDArray[Any]] = [drawn.images, drawn.labels, drawn.parts]
    for file, array in zip(files, arrays, strict=True):
        with fresh_file(file) as fresh:
            np.save(fresh, array)
    return drawn


def shuffled(count: int, size: int, rng: np.random.Generator) -> Iterator[Indices]:
    """Index arrays of whole batches, every picture at most once; the odd rest is left out."""
    order = rng.permutation(count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]
