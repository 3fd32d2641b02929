"""Taking a weights file of another form into the user's data folder, once, running nothing in it.

Safetensors is read by our own reader; archives of arrays (`.npz`) without pickles; PyTorch files
through `torch.load(weights_only=True)`, which rebuilds tensors and refuses everything else.
"""

import io
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from micrograph.models import weights as store
from micrograph.models.formats import (
    RawTensor,
    WeightsError,
    digest_of,
    read_bytes,
    read_safetensors,
    write_safetensors,
)
from micrograph.models.loading import build, fill
from micrograph.models.registry import card as card_of
from micrograph.models.tensors import to_raw

LARGEST = 20 * 2**30
"""Bytes that an archive may unpack to."""


def import_weights(model_id: str, file: Path) -> Path:
    """Verify and convert `file` for that model and keep it; gives the path where it lies now.

    Tensors may carry the names of the weights file or those of the module's state dict. Raises
    WeightsError if the file cannot be read safely, is damaged, or holds something else (names,
    shapes, digest); then nothing is written. Raises Unavailable if it cannot be read or written.
    """
    card = card_of(model_id)
    module = build(card)
    stored_as = {card.tensor_name(n): n for n in module.state_dict()}
    given = read_any(file)
    if not stored_as.keys() & given.keys():
        given = {card.tensor_name(n): t for n, t in given.items() if n in module.state_dict()} | {
            n: t for n, t in given.items() if n not in module.state_dict()
        }
    fill(module, card, given, file)
    digest = digest_of(given)
    store.check_digest(card, digest, file)
    target = store.import_path(card)
    write_safetensors(target, given, {"format": "pt", "model": card.id, "digest": digest})
    return target


def read_any(file: Path) -> dict[str, RawTensor]:
    """The tensors of a safetensors, `.npz` or PyTorch file, told apart by their content.

    Raises WeightsError for everything else and for files that want to run code.
    """
    data = read_bytes(file)
    if zipfile.is_zipfile(io.BytesIO(data)):
        names = _archive_names(data, file)
        if names and all(name.endswith(".npy") for name in names):
            return _read_npz(data, file)
        return _read_torch(data, file)
    if data[:1] == b"\x80":  # a pickle, as torch.save wrote them before 1.6
        return _read_torch(data, file)
    return read_safetensors(file)


def _archive_names(data: bytes, file: Path) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise WeightsError(f"{file} is a damaged archive: {error}; get the file again") from None
    size = sum(member.file_size for member in members)
    if size > LARGEST:
        raise WeightsError(f"{file} would unpack to {size} bytes, expected at most {LARGEST}")
    return [member.filename for member in members]


def _read_npz(data: bytes, file: Path) -> dict[str, RawTensor]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
            return {name: _raw_array(array) for name, array in arrays.items()}
    except (ValueError, TypeError, OSError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"{file} is no archive of plain arrays: {str(error).splitlines()[0]}; "
            "expected numbers only, as numpy.savez writes them"
        ) from None


def _raw_array(array: "np.ndarray[Any, Any]") -> RawTensor:
    plain = array.astype(array.dtype.newbyteorder("="), order="C")
    return to_raw(torch.from_numpy(plain))


def _read_torch(data: bytes, file: Path) -> dict[str, RawTensor]:
    try:
        with warnings.catch_warnings(action="ignore"):  # on how a foreign pickle is written
            loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{file} holds more than tensors: it would have to run code to be read, so it was "
            "refused and nothing in it was run; expected safetensors, .npz or a plain state dict"
        ) from None
    except Exception as error:  # a damaged file fails in any way inside torch
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise WeightsError(
            f"{file} cannot be read as a PyTorch state dict: {reason[:160]}; "
            "expected safetensors, .npz or a plain state dict"
        ) from None
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping) or not all(
        isinstance(n, str) and isinstance(t, Tensor) for n, t in loaded.items()
    ):
        raise WeightsError(f"{file} holds a {type(loaded).__name__}, expected a dict of tensors")
    return {name: to_raw(tensor) for name, tensor in loaded.items()}
