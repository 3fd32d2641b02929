"""Transcoders of circuit-tracer: `layer_N.safetensors`, and `config.yaml` for all layers.

    latents = activation(W_enc @ x + b_enc)

`W_enc` lies [latent, unit], transposed against SAELens; `W_dec` either way.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import common
from micrograph.models.dictionaries.hooks import Hooks

NAME = "circuit-tracer"
_NAMES = ("W_enc", "b_enc", "W_dec", "b_dec")
_THRESHOLDS = ("activation_function.threshold", "threshold")
_LINE = re.compile(r"^(model_name|feature_input_hook|feature_output_hook)\s*:\s*(.+?)\s*$", re.M)


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether its encoder lies the other way than its biases say of all others, or its name and the
    config.yaml beside it are circuit-tracer's."""
    if any(name.startswith(("W_enc_", "b_enc_")) for name in given.names):
        return True
    if not given.has(*_NAMES) or given.json("cfg.json") is not None:
        return False
    encoder, bias = given.tensors["W_enc"], given.tensors["b_enc"]
    turned = encoder.ndim == 2 and len(encoder) == len(bias) != encoder.shape[1]
    layer = re.fullmatch(r"layer_\d+\.safetensors", given.path.name)
    return turned or bool(layer and given.path.with_name("config.yaml").is_file())


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    if any(name.startswith(("W_enc_", "b_enc_")) for name in given.names):
        raise BadInput(
            "it is a cross-layer transcoder, which writes several layers at once; expected one "
            "that reads one place and writes one"
        )
    encoder, bias, decoder, b_dec = common.needed(given, NAME, *_NAMES)
    if len(encoder) != len(bias):
        raise BadInput(f"W_enc has shape {list(encoder.shape)}, expected [{len(bias)}, units]")
    if "log_thresholds" in given.names:
        raise BadInput("it holds log_thresholds, which circuit-tracer itself does not read")
    threshold = next((t for n in _THRESHOLDS if (t := common.optional(given, n)) is not None), None)
    common.only(given, NAME, (*_NAMES, "W_skip", *_THRESHOLDS))
    said = _config(given.path.with_name("config.yaml"))
    layer = re.search(r"\d+", given.path.stem)
    place = f"blocks.{layer[0]}." if layer else ""
    return Description(
        NAME,
        "transcoder" if threshold is None else "transcoder, jumprelu",
        encoder=encoder,
        decoder=_decoder(decoder, len(bias), len(b_dec)),
        bias=bias,
        decoder_bias=b_dec,
        threshold=threshold,
        activation="relu" if threshold is None else "jumprelu",
        skip=common.optional(given, "W_skip"),
        transcodes=True,
        hooks=Hooks(
            place + said["feature_input_hook"] if "feature_input_hook" in said else "",
            place + said["feature_output_hook"] if "feature_output_hook" in said else "",
            said.get("model_name", ""),
        ),
    )


def _decoder(decoder: Tensor, latents: int, units: int) -> Tensor:
    """As [latent, unit]: older files have it the other way."""
    if tuple(decoder.shape) == (latents, units) and latents != units:
        return decoder
    if tuple(decoder.shape) == (units, latents) and latents != units:
        return decoder.T
    raise BadInput(
        f"W_dec has shape {list(decoder.shape)}, expected [{latents}, {units}] or the other way "
        "round, and not as many latents as units, which does not say which axis is which"
    )


def _config(file: Path) -> dict[str, str]:
    """The lines of a config.yaml that name the model and the places."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    return {name: value.strip("\"'") for name, value in _LINE.findall(text)}
