"""What lies in the file of a dictionary and beside it, as plain data; nothing in it is ever run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from micrograph.errors import BadInput
from micrograph.weights.formats import WeightsError, parse_safetensors, read_bytes
from micrograph.weights.readers import npz, torch_file, torch_objects
from micrograph.weights.readers.common import Damaged, check_names, starts_with
from micrograph.weights.readers.torch_objects import Record
from micrograph.weights.readers.zips import Zip
from micrograph.weights.tensors import to_torch

WEIGHTS = (
    "sae_weights.safetensors",
    "sae.safetensors",
    "ae.pt",
    "params.npz",
    "params.safetensors",
    "checkpoints/final.safetensors",
    "sae.pt",
    "weights.pt",
)
"""What the libraries call the weights in a folder, in the order of asking."""

_SUFFIXES = (".safetensors", ".pt", ".pth", ".npz")
_LONGEST_LINE = 2**20


@dataclass(frozen=True)
class Contents:
    """The file at `path`: its `tensors` by name; the `texts` in a safetensors header; the `line` of
    JSON before the weights (saev); and `tree`, what a pickle holds, with inert records of objects.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    texts: Mapping[str, str] = field(default_factory=dict)
    line: Mapping[str, Any] | None = None
    tree: Any = None
    pickled: bool = False

    def json(self, name: str) -> dict[str, Any] | None:
        """The JSON object of that name in the same folder, or above one of checkpoints.

        Raises BadInput for one that cannot be read: what it says would be missed.
        """
        folders = [self.path.parent]
        if folders[0].name.startswith("checkpoint"):
            folders.append(folders[0].parent)
        for folder in folders:
            file = folder / name
            if not file.is_file():
                continue
            try:
                found = json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError) as error:
                raise BadInput(f"{file} is no readable JSON ({str(error)[:80]})") from None
            if not isinstance(found, dict):
                raise BadInput(f"{file} holds no JSON object")
            return found
        return None

    @cached_property
    def names(self) -> frozenset[str]:
        """Of its tensors."""
        return frozenset(self.tensors)

    def has(self, *names: str) -> bool:
        """Whether it has all these tensors."""
        return self.names.issuperset(names)


def contents(path: Path) -> Contents:
    """What lies at `path`, a file or a folder with one dictionary.

    Raises WeightsError for what is damaged or no dictionary, Unavailable if it cannot be read.
    """
    path = _file_of(path)
    data = memoryview(read_bytes(path))
    try:
        found = _read(path, data)
        check_names(found.tensors)
        return found
    except Damaged as error:
        raise WeightsError(
            f"{path} cannot be used: {error}; get the file again or check its source"
        ) from None


def _file_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in WEIGHTS:
        if (path / name).is_file():
            return path / name
    found = sorted(f for f in path.iterdir() if f.suffix in _SUFFIXES and f.is_file())
    found = [f for f in found if not f.name.startswith(("sparsity", "optimizer"))]
    if len(found) != 1:
        known = ", ".join(f.name for f in found[:4]) or "no file of weights"
        raise WeightsError(f"{path} holds {known}; expected the file of one dictionary: name it")
    return found[0]


def _read(path: Path, data: memoryview) -> Contents:
    line = None
    if _is_safetensors(data):  # first of all: its length may begin like any other form
        raw = parse_safetensors(data, path)
        return Contents(path, {name: to_torch(t) for name, t in raw.items()}, _texts(data))
    if starts_with(data, b"{"):
        line, data = _line(data)
    if starts_with(data, b"PK"):
        archive = Zip(data)
        if archive.names and all(name.endswith(".npy") for name in archive.names):
            return Contents(path, npz.read(data))
        if torch_objects.is_one(archive):
            tree = torch_objects.read(archive)
            return Contents(path, tensors_of(tree), {}, line, tree, True)
        raise Damaged("it is an archive of something else than a dictionary")
    if starts_with(data, b"\x80"):
        tree = torch_file.read(data)
        return Contents(path, tensors_of(tree), {}, line, tree, True)
    parse_safetensors(data, path)  # which says what is wrong with it
    raise Damaged("it is of no form that is known")


def _is_safetensors(data: memoryview) -> bool:
    length = int.from_bytes(data[:8], "little")
    return starts_with(data, b"{", 8) and length <= len(data) - 8


def _line(data: memoryview) -> tuple[dict[str, Any], memoryview]:
    """The JSON in the first line, and what follows it."""
    start = bytes(data[:_LONGEST_LINE])
    end = start.find(b"\n")
    try:
        found = json.loads(start[:end]) if end > 0 else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Damaged("it begins as JSON, and its first line is no JSON object")
    return found, data[end + 1 :]


def _texts(data: memoryview) -> dict[str, str]:
    """The metadata in a safetensors header that was found sound."""
    length = int.from_bytes(data[:8], "little")
    found = json.loads(bytes(data[8 : 8 + length])).get("__metadata__", {})
    return dict(found) if isinstance(found, dict) else {}


def tensors_of(tree: Any, prefix: str = "") -> dict[str, Tensor]:
    """The tensors in what a pickle held, by dotted names: of dicts, of modules as in their state
    dict, and one alone as `tensor`."""
    found: dict[str, Tensor] = {}
    if isinstance(tree, Tensor):
        found["tensor"] = tree
    elif isinstance(tree, Record):
        if not tree.is_module:
            return found
        fields = tree.attributes
        for kind in ("_parameters", "_buffers"):
            for name, tensor in (fields.get(kind) or {}).items():
                if isinstance(tensor, Tensor):
                    found[f"{prefix}{name}"] = tensor
        for name, module in (fields.get("_modules") or {}).items():
            found |= tensors_of(module, f"{prefix}{name}.")
    elif isinstance(tree, dict):
        for name, value in tree.items():
            if isinstance(value, Tensor):
                found[f"{prefix}{name}"] = value
            elif isinstance(value, dict) and name in STATE_DICTS:
                found |= tensors_of(value, prefix)
    return found


STATE_DICTS = ("state_dict", "model_state_dict", "sae")
"""The keys under which checkpoints keep the tensors of a dictionary."""
