"""Datasets: pictures that a network looks at, numbered from 0, from wherever they lie."""

import os
from collections.abc import Callable
from importlib import import_module

from micrograph.datasets.base import Dataset, Entry
from micrograph.datasets.reading import Batch, batches
from micrograph.errors import BadInput, short
from micrograph.published import listings

_SCHEMES = ("toytown", "hf")


def open_dataset(spec: str) -> Dataset:
    """The dataset that `spec` means.

    `toytown[:N]` (N scenes that were never trained on), `hf:NAME[:SPLIT]` (Hugging Face), a tar
    file, several as `x-{000..003}.tar` or a pattern (`x-*.tar`), or a folder of pictures or of
    class folders, or a published set by its name (`imagenet-samples`), of which the reader has a
    copy. Reads all of it once for its digest.

    Raises BadInput where there is none or it has no picture, Unavailable where an extra is missing.
    """
    spec = str(spec)
    scheme, _, rest = spec.partition(":")
    if scheme in _SCHEMES:
        return _opener(scheme)(rest)
    if spec in listings() and not os.path.isdir(spec):
        return _opener("published")(spec)
    if spec.endswith(".tar"):
        return _opener("shards")(spec)
    if spec and os.path.isdir(spec):
        return _opener("folder")(spec)
    raise BadInput(
        f"dataset {short(spec, 200)} is not there; expected toytown, toytown:N, "
        f"{', '.join(listings())}, hf:NAME:SPLIT, a folder of pictures, or .tar files such as "
        "x-{000..003}.tar"
    )


def _opener(module: str) -> Callable[[str], Dataset]:
    found: Callable[[str], Dataset] = import_module(f"{__name__}.{module}").open_dataset
    return found


__all__ = ["Batch", "Dataset", "Entry", "batches", "open_dataset"]
