"""What `torch.save` wrote: through `torch.load(weights_only=True)`, which rebuilds tensors and
refuses everything else; what holds more is read as data, by our own interpreter of pickles."""

import io
import pickle
import warnings
from typing import Any

import torch

from micrograph.weights.readers import pickles, torch_legacy, torch_objects
from micrograph.weights.readers.common import Damaged, starts_with
from micrograph.weights.readers.zips import Zip


def read(data: memoryview) -> Any:
    """Whatever was saved: dicts, lists, tensors, and records (`torch_objects.Record`) of objects of
    any class, none of which was made. Raises Damaged."""
    _check_size(data)
    try:
        with warnings.catch_warnings(action="ignore"):  # on how a foreign pickle is written
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        pass
    except Exception as error:  # a damaged file fails in any way inside torch
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise Damaged(f"it cannot be read as a file of PyTorch ({reason[:160]})") from None
    try:
        return (
            torch_objects.read(Zip(data)) if starts_with(data, b"PK") else torch_legacy.read(data)
        )
    except RecursionError:
        raise Damaged("its objects are nested without end") from None


def _check_size(data: memoryview) -> None:
    """Raises Damaged for more tensors than a file may hold: torch would take minutes to make them,
    and longer the more there are."""
    if not starts_with(data, b"PK"):
        pickles.check_size(io.BytesIO(data), torch_legacy.PICKLES)
        return
    archive = Zip(data)
    for name in archive.names:
        if name.rpartition("/")[2] == "data.pkl":
            pickles.check_size(io.BytesIO(archive.read(name)))
