"""EleutherAI's sparsify: a folder with `cfg.json` and `sae.safetensors`.

    latents = activation(encoder @ (x - b_dec) + encoder.bias)

A transcoder takes nothing from its inputs. `k` stands in `cfg.json` alone.
"""

from collections.abc import Mapping
from typing import Any

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import common
from micrograph.models.dictionaries.hooks import Hooks
from micrograph.models.dictionaries.keys import Keys

NAME = "sparsify"
_HARMLESS = ("expansion_factor", "normalize_decoder", "multi_topk", "hookpoint*", "layer*")


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether the encoder is a layer and the decoder a matrix."""
    return given.has("encoder.weight", "W_dec")


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    config: dict[str, Any] = {**(given.json("cfg.json") or {}), **given.texts}
    said = Keys(
        config,
        "cfg.json",
        {name: options.get(name) for name in ("activation", "k", "ignore") if name in options},
        (*_HARMLESS, "format"),
    )
    activation, k = _activation(said)
    used = ("encoder.weight", "encoder.bias", "W_dec", "b_dec")
    encoder, bias, decoder, b_dec = common.needed(given, NAME, *used)
    skip = common.optional(given, "W_skip")
    common.only(given, NAME, (*used, "W_skip"))
    transcoder = said.flag("transcode", default=False)
    if said.flag("skip_connection", default=skip is not None) != (skip is not None):
        raise BadInput("its cfg.json and its tensors differ on a skip connection; get a sound file")
    if skip is not None and not transcoder:
        raise BadInput("it has a skip connection and is no transcoder, which is not understood")
    said.refuse("signed", why="latents of both signs are not understood here")
    units, latents = said.whole("d_in"), said.whole("num_latents")
    common.sizes(encoder.shape[1], len(encoder), units, latents)
    said.check_all_known()
    return Description(
        NAME,
        f"{'transcoder' if transcoder else 'autoencoder'}, {activation}",
        encoder=encoder,
        decoder=decoder,
        bias=bias,
        decoder_bias=b_dec,
        activation=activation,
        k=k,
        subtract=not transcoder,
        skip=skip,
        transcodes=transcoder,
        hooks=Hooks(reads=_hookpoint(given)),
    )


def _activation(said: Keys) -> tuple[str, int]:
    """A cfg.json of before it had the word is of TopK."""
    word = said.text("activation", default="topk" if "k" in said else "")
    if not word:
        raise BadInput(
            "its activation is not said, and tensors of these names are mostly of TopK; say "
            "activation (and k), or put the cfg.json that belongs to it beside the file"
        )
    if word not in ("topk", "groupmax", "relu"):
        raise BadInput(f"activation {short(word)} is unknown; expected topk, groupmax or relu")
    return word, said.whole("k") if word != "relu" else 0


def _hookpoint(given: Contents) -> str:
    """The folder is called after the module whose output it reads."""
    name = given.path.parent.name
    return name if given.path.name == "sae.safetensors" and any(c.isdigit() for c in name) else ""
