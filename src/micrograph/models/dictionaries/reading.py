"""Dictionaries from files: our own form, and the spellings that are found in the wild.

Only safetensors are read: nothing in a file is ever run. docs/dictionaries.md lists the forms.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.dictionaries import spelling
from micrograph.models.dictionaries.dictionary import Dictionary, checked
from micrograph.weights.formats import WeightsError, digest_of, read_safetensors
from micrograph.weights.tensors import to_raw, to_torch


def read(path: Path, units: int, **settings: Any) -> Dictionary:
    """The dictionary in a safetensors file, for a node of that many `units`.

    `settings` (activation, k, ...) win over the file and a cfg.json beside it.
    Raises WeightsError for a file that is none, or is made for another node.
    """
    raw = read_safetensors(path)
    said = {**_cfg_json(path), **_metadata(path), **settings}
    found = {name: to_torch(tensor) for name, tensor in raw.items()}
    try:
        return _dictionary(found, said, units)
    except BadInput as error:
        raise WeightsError(f"{path}: {error}") from None


def directions(matrix: Tensor, units: int) -> Dictionary:
    """The rows of `matrix` [direction, unit] as a dictionary: projections, without activation."""
    return _dictionary({"directions": matrix.detach().cpu()}, {}, units)


def of_tensors(tensors: Mapping[str, Tensor], units: int, **settings: Any) -> Dictionary:
    """As `read`, from tensors by their names in a file."""
    return _dictionary({n: t.detach().cpu() for n, t in tensors.items()}, settings, units)


def _dictionary(tensors: dict[str, Tensor], said: Mapping[str, Any], units: int) -> Dictionary:
    parts = spelling.read_spelling(tensors, units)
    settings = spelling.settings(said, parts)
    encoder, decoder = parts["encoder"], parts["decoder"]
    latents = len(encoder)
    scale, subtract = settings["scale"], settings["subtract"]
    decoder_bias = parts.get("decoder_bias", torch.zeros(units))
    bias = parts.get("bias", torch.zeros(latents))
    encoder = encoder * scale
    if subtract:  # from the inputs on their own scale
        bias = bias - encoder @ (decoder_bias / scale)
    threshold = parts.get("threshold", torch.zeros(latents))
    facts = {
        name: said[name]
        for name in ("title", "l0", "explained", "trained", "licence")
        if name in said
    }
    return checked(
        Dictionary(
            kind="directions" if parts["form"] == "directions" else "dictionary",
            digest=_digest(tensors, settings),
            encoder=encoder.contiguous(),
            decoder=(decoder / scale).contiguous(),
            bias=bias,
            decoder_bias=decoder_bias / scale,
            threshold=threshold.expand(latents).contiguous()
            if threshold.numel() == 1
            else threshold,
            activation=settings["activation"],
            k=settings["k"],
            normalize=settings["normalize"],
            facts=tuple(facts.items()),
        )
    )


def _digest(tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> str:
    """Of the tensors as they are in the file, and of how they are used; titles do not matter."""
    content = digest_of({name: to_raw(tensor) for name, tensor in tensors.items()})
    text = json.dumps(["micrograph dictionary 1", content, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _metadata(path: Path) -> dict[str, Any]:
    """The texts in the header of a file that `read_safetensors` has found sound."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        given = json.loads(file.read(length)).get("__metadata__", {})
    return dict(given) if isinstance(given, dict) else {}


def _cfg_json(path: Path) -> dict[str, Any]:
    """The content of a cfg.json in the folder of the file, as SAELens and sparsify write it."""
    try:
        given = json.loads(path.with_name("cfg.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return dict(given) if isinstance(given, dict) else {}
