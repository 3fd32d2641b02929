"""Our own form, directions, and tensors of known names about which no configuration lies beside.

    latents = activation(encoder @ (scale * x - decoder_bias) + bias)

What is not said of foreign tensors is asked for where it matters: files of several libraries have
the names W_enc, b_enc, W_dec and b_dec, and some take b_dec from the inputs while others do not.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.activations import ACTIVATIONS, WITH_K
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import common
from micrograph.models.dictionaries.hooks import Hooks
from micrograph.models.dictionaries.keys import Keys, whole
from micrograph.models.dictionaries.options import FACTS

NAME = "Micrograph"
_FORM = "encoder and decoder, each [latent, unit]"
_WORDS = {
    "identity": "none",
    "linear": "none",
    "standard": "relu",
    "tanh-relu": "tanh_relu",
    "jump_relu": "jumprelu",
    "batchtopk": "jumprelu",
    "batch_topk": "jumprelu",
}
_NORMALIZATIONS = {"layer_norm": "layer_norm", "expected_average_only_in": "none"}
_FOREIGN_NORMALIZATIONS = {"layer_norm": "layer_norm_sample"}
_HARMLESS = ("format", "model", "node", "digest", *FACTS)


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """It takes what no other format does, and says what is expected where it is none either."""
    return True


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    beside = given.json("cfg.json") or {}
    config = {**beside, **given.texts, **options}
    said = Keys(config, "its metadata", None, _HARMLESS)
    facts = {name: config[name] for name in FACTS if name in config}
    if set(given.tensors) == {"directions"}:
        return _directions(common.floats(given.tensors["directions"]), facts)
    own = "encoder" in given.names
    found = _own(given) if own else _foreign(given)
    k = int(found.pop("k", 0))
    threshold = found.get("threshold")
    k = said.whole("k") or _kwargs_k(said) or k
    activation = _activation(said, threshold is not None, k, own)
    if activation == "jumprelu" and threshold is None and "threshold" in said:
        found["threshold"] = torch.tensor(said.number("threshold", default=0.0))
    if activation not in ("jumprelu", "topk"):
        found.pop("threshold", None)
    normalize = _normalization(said, own)
    subtract = _subtract(said, activation, own, found.get("decoder_bias"), "k" in given.names)
    scale = said.number("scale", default=1.0)
    if not 0 < scale < float("inf"):
        raise BadInput(f"scale {scale} is out of range; expected a finite number above 0")
    hooks = Hooks(str(said.get("node", default="")), "", str(said.get("model", default="")))
    for name in ("mean", "scalar", "average_norm", "average_norm_out", "threshold"):
        said.get(name)
    said.check_all_known()
    return Description(
        "" if own else "bare tensors",
        "",
        activation=activation,
        k=k if activation in WITH_K else 0,
        subtract=subtract,
        normalize=normalize,
        scale=scale,
        hooks=hooks if own else Hooks(),
        figures=facts,
        **found,
    )


def _directions(matrix: Tensor, facts: Mapping[str, Any]) -> Description:
    """Projections: put back by the smallest changes that change one of them each."""
    if matrix.ndim != 2:
        raise BadInput(f"directions have shape {list(matrix.shape)}, expected [direction, unit]")
    if not matrix.isfinite().all():
        raise BadInput("some of the numbers in directions are not finite; get a sound file")
    inverse: Tensor = torch.linalg.pinv(matrix.double()).T.float()
    return Description(
        "",
        "",
        encoder=matrix,
        decoder=inverse,
        activation="none",
        kind="directions",
        figures=facts,
    )


def _own(given: Contents) -> dict[str, Any]:
    """The tensors of our own form."""
    names = ("encoder", "decoder", "bias", "decoder_bias", "threshold")
    left = sorted(given.names - {*names, "k"})
    if left:
        raise BadInput(
            f"tensors {', '.join(map(short, left[:4]))} are not understood; {_FORM}, bias, "
            "decoder_bias and threshold are all that a dictionary has"
        )
    common.needed(given, "a dictionary", "encoder", "decoder")
    found: dict[str, Any] = {n: common.floats(given.tensors[n]) for n in names if n in given.names}
    if "k" in given.names and given.tensors["k"].numel() == 1:
        found["k"] = whole(given.tensors["k"].item(), "k")
    return found


def _foreign(given: Contents) -> dict[str, Any]:
    """Tensors with the names of SAELens, saev and others, whose biases tell which axis is which."""
    if not given.has("W_enc", "W_dec"):
        shown = ", ".join(map(short, list(given.tensors)[:6])) or "no tensors"
        raise BadInput(
            f"no dictionary in {shown}; expected `directions` [direction, unit], or {_FORM}, or "
            "the file of a library (docs/dictionaries.md names them) with its configuration beside"
        )
    names = ("W_enc", "W_dec", "b_enc", "b_dec", "threshold")
    gated = sorted(given.names & {"r_mag", "b_gate", "b_mag"})
    if gated:
        raise BadInput(
            f"it is a gated dictionary ({gated[0]}) without its configuration; put the cfg.json or "
            "config.json that belongs to it beside the file"
        )
    common.only(given, "bare tensors", (*names, "k"), ("scaling_factor",))
    encoder, decoder = common.needed(given, "a dictionary", "W_enc", "W_dec")
    if encoder.ndim != 2 or decoder.ndim != 2:
        raise BadInput(f"W_enc has shape {list(encoder.shape)}, expected [unit, latent]")
    if encoder.shape[0] == encoder.shape[1] and "b_dec" not in given.names:
        raise BadInput(
            f"W_enc is square, {list(encoder.shape)}, and nothing says which axis is which; rename "
            f"the tensors to {_FORM}"
        )
    found: dict[str, Any] = {"encoder": encoder.T, "decoder": decoder}
    for name, part in (("b_enc", "bias"), ("b_dec", "decoder_bias"), ("threshold", "threshold")):
        if name in given.names:
            found[part] = common.floats(given.tensors[name])
    if "bias" in found and "decoder_bias" in found:
        common.across(encoder, "W_enc", len(found["bias"]), len(found["decoder_bias"]))
    if "k" in given.names and given.tensors["k"].numel() == 1:
        found["k"] = whole(given.tensors["k"].item(), "k")
    return found


def _kwargs_k(said: Keys) -> int:
    kwargs = said.get("activation_fn_kwargs", default={})
    return whole(kwargs.get("k", 0), "k") if isinstance(kwargs, Mapping) else 0


def _activation(said: Keys, threshold: bool, k: float, own: bool) -> str:
    word = said.text("activation", "activation_fn_str", "activation_fn", "architecture")
    if word:
        named = _WORDS.get(word, word)
        if named not in ACTIVATIONS:
            raise BadInput(
                f"activation {short(word)} is unknown; expected {', '.join(ACTIVATIONS)}"
            )
        if word.startswith("batch") and not threshold:
            return "topk"
        # SAELens says "relu" of a JumpReLU's inner part, and what it is in `architecture`.
        return "jumprelu" if named == "relu" and threshold else named
    if threshold:
        return "jumprelu"
    if k:
        return "topk"
    if own:
        return "relu"
    raise BadInput(
        "its activation is not said, nor whether b_dec is taken from the inputs: say "
        "activation=relu (or activation=topk and k=...) and subtract=true or false, or put the "
        "configuration that belongs to it beside the file"
    )


def _normalization(said: Keys, own: bool) -> str:
    word = said.text("normalize", default="")
    foreign = said.text("normalize_activations", default="none")
    names = _NORMALIZATIONS if own else _FOREIGN_NORMALIZATIONS
    if foreign == "expected_average_only_in" and "scale" not in said:
        raise BadInput(
            "its inputs were scaled to an average length, by a factor that is not in the file; "
            "say it as scale=..., or fold it into the weights"
        )
    return names.get(word or foreign, word or foreign)


def _subtract(
    said: Keys, activation: str, own: bool, decoder_bias: Tensor | None, batch: bool
) -> bool:
    if "subtract" in said or "apply_b_dec_to_input" in said:
        return said.flag("subtract", "apply_b_dec_to_input", default=True)
    usual = activation != "jumprelu" or batch
    if own or decoder_bias is None or not decoder_bias.any():
        return usual
    raise BadInput(
        "whether b_dec is taken from the inputs is not said, and libraries with these names "
        "differ: say subtract=true (SAELens, Prisma), subtract=false (saev, Gemma), or put the "
        "configuration that belongs to it beside the file"
    )
