"""Gemma Scope 1 (`params.npz`) and 2 (`params.safetensors`, `config.json`).

    latents = x @ W_enc + b_enc where that is above the threshold

Nothing is taken from the inputs. The tensors of the second are spelled in lower case.
"""

from collections.abc import Mapping
from typing import Any

from micrograph.errors import BadInput
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import common
from micrograph.models.dictionaries.hooks import Hooks
from micrograph.models.dictionaries.keys import Keys

NAME = "Gemma Scope"
_FIRST = ("W_enc", "W_dec", "b_enc", "b_dec", "threshold")
_SECOND = ("w_enc", "w_dec", "b_enc", "b_dec", "threshold")
_HARMLESS = ("model_name", "hf_hook_point_*", "width", "l0", "type", "layer*", "target_l0", "size")


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether it has the tensors of one of the two, the first in numpy's archive."""
    first = given.path.suffix == ".npz" and given.has("W_enc", "W_dec", "threshold")
    return first or given.has(*_SECOND)


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    second = "w_enc" in given.names
    names = _SECOND if second else _FIRST
    encoder, decoder, bias, b_dec, threshold = common.needed(given, NAME, *names)
    if encoder.ndim != 2 or decoder.ndim != 2 or given.path.stem.startswith("params_layer_"):
        raise BadInput(
            "it is a crosscoder or a cross-layer transcoder, which reads or writes several layers "
            "at once; expected a dictionary of one place"
        )
    skip = common.optional(given, "affine_skip_connection")
    common.only(given, NAME, (*names, "affine_skip_connection"))
    config = given.json("config.json") or {} if second else {}
    said = Keys(config, "config.json", {"ignore": options.get("ignore")}, _HARMLESS)
    if (word := said.text("architecture", default="jump_relu")) not in ("jump_relu", "jumprelu"):
        raise BadInput(f"config.json says architecture = {word}; expected jump_relu")
    affine = said.flag("affine_connection", default=skip is not None)
    if affine != (skip is not None):
        raise BadInput("its config.json and its tensors differ on an affine connection")
    said.check_all_known()
    transcoder = bool(config.get("hf_hook_point_out")) or skip is not None
    transcoder = transcoder or any("transcoder" in part for part in given.path.parts[-6:])
    if not transcoder:
        common.across(encoder, names[0], len(bias), len(b_dec))
    embedding = any(part.startswith("embedding") for part in given.path.parts[-4:])
    if embedding:
        # Embeddings are read before the network multiplies them by that.
        root = encoder.shape[0] ** 0.5
        encoder, decoder = encoder / root, decoder * root
    return Description(
        NAME,
        ("2" if second else "1") + (", transcoder" if transcoder else ""),
        encoder=encoder.T,
        decoder=decoder,
        bias=bias,
        decoder_bias=b_dec,
        threshold=threshold.clamp(min=0),
        activation="jumprelu",
        skip=None if skip is None else skip.T,
        transcodes=transcoder,
        outside=embedding,
        hooks=Hooks(
            str(config.get("hf_hook_point_in") or ""),
            str(config.get("hf_hook_point_out") or ""),
            str(config.get("model_name") or ""),
        ),
    )
