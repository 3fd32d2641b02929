"""Universal SAEs: one checkpoint for each of several models, whose latents have the same meaning.

The tensors are those of OverComplete's TopKSAE. How many speak, and the mean and the deviation that
inputs are standardized by, stand in a `config*.yaml` beside the checkpoints.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from micrograph.errors import BadInput
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import overcomplete
from micrograph.models.dictionaries.hooks import Hooks
from micrograph.models.dictionaries.keys import finite

NAME = "Universal SAE"
_EPSILON = 1e-5
_NEARBY = 4
_NOTE = "trained on 14 x 14 tokens, to which those of DINOv2 and CLIP (16 x 16) were brought"


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether it is a checkpoint of a dictionary of OverComplete."""
    checkpoint = isinstance(given.tree, dict) and "model_state_dict" in given.tree
    return checkpoint and overcomplete.claims(given, options)


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    whole, model = _config(given)
    scaled = {"scale", "scalar", "average_norm"} & options.keys()
    said = {"k": _inner(whole, "sae_params").get("top_k"), **options, "architecture": "TopKSAE"}
    if said["k"] is None or not (whole or ("mean" in options and scaled)):
        raise BadInput(
            "how many latents speak, and how inputs were standardized, are not in the checkpoint: "
            "put the config.yaml that names it beside it, or say k=..., mean=... and scalar=... "
            "(its top_k, model_mean and model_std; mean=none and scalar=1 where there are none)"
        )
    found = replace(
        overcomplete.describe(given, said),
        format=NAME,
        hooks=Hooks(model=str(model.get("og_model", ""))),
        notes=(_NOTE,),
    )
    settings = _inner(whole, "global")
    if str(settings.get("divide_norm", "false")).lower() == "true":
        raise BadInput("its config.yaml says divide_norm: inputs of length one are not understood")
    if str(settings.get("standardize", "false")).lower() != "true" or scaled or not model:
        return found
    mean, deviation = _number(model, "model_mean"), _number(model, "model_std")
    return replace(found, mean=torch.full((found.units,), mean), scale=1 / (deviation + _EPSILON))


def _config(given: Contents) -> tuple[dict[str, Any], dict[str, Any]]:
    """The nearest config*.yaml that names this checkpoint, and what it says of its model."""
    for folder in given.path.absolute().parents[:_NEARBY]:
        for file in sorted(folder.glob("config*.yaml")):
            whole = _yaml(file)
            for model in _inner(whole, "model_zoo").values():
                named = str(model.get("checkpoint_path", "")) if isinstance(model, dict) else ""
                if Path(named).name == given.path.name:
                    return whole, model
    return {}, {}


def _inner(whole: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = whole.get(name)
    return found if isinstance(found, dict) else {}


def _number(model: Mapping[str, Any], name: str) -> float:
    return finite(model.get(name), f"in its config.yaml {name}")


def _yaml(file: Path) -> dict[str, Any]:
    """Names and values of a YAML file of nested names, which is all that such files have."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    whole: dict[str, Any] = {}
    open_ones: list[tuple[int, dict[str, Any]]] = [(-1, whole)]
    for line in lines:
        name, colon, value = line.partition(" #")[0].strip().partition(":")
        if not colon or name.startswith("#"):
            continue
        depth = len(line) - len(line.lstrip())
        while open_ones[-1][0] >= depth:
            open_ones.pop()
        if value.strip():
            open_ones[-1][1][name] = value.strip().strip("\"'")
        else:
            inner: dict[str, Any] = {}
            open_ones[-1][1][name] = inner
            open_ones.append((depth, inner))
    return whole
