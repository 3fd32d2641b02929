"""What the tensors and settings of a dictionary are called, by us and by others."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.dictionary import ACTIVATIONS, NORMALIZATIONS

_OURS = "encoder and decoder, each [latent, unit]"
_ENCODERS = ("W_enc", "encoder.weight")
_DECODERS = ("W_dec", "decoder.weight")
_BIASES = ("bias", "b_enc", "encoder.bias", "latent_bias")
_DECODER_BIASES = ("decoder_bias", "b_dec", "decoder.bias", "pre_bias", "bias")
_THRESHOLDS = ("threshold", "thresholds", "log_threshold")
_IGNORED = (
    "k",
    "scaling_factor",
    "num_batches_not_active",
    "n_forward_passes_since_fired",
    "stats_last_nonzero",
)
_GATED = ("r_mag", "b_gate", "b_mag", "gate_bias", "mag_bias")


def read_spelling(tensors: Mapping[str, Tensor], units: int) -> dict[str, Any]:
    """`form` ("directions", "ours", "foreign"), and the parts that there are, float32: `encoder`
    and `decoder` [latent, unit], `bias`, `decoder_bias`, `threshold`, and the number `k`.

    Raises BadInput, saying what is expected, for tensors of another form.
    """
    given = {n: t.float() for n, t in tensors.items() if t.is_floating_point() or n == "k"}
    if gated := [name for name in given if name in _GATED]:
        raise BadInput(
            f"it is a gated dictionary ({gated[0]}), which is not understood; expected one with "
            f"{', '.join(ACTIVATIONS)}"
        )
    if list(given) == ["directions"]:
        matrix = _matrix(given["directions"], "directions", units, oriented=True)
        return {"form": "directions", "encoder": matrix, "decoder": _inverse(matrix)}
    ours = "encoder" in given
    names = {
        "encoder": "encoder" if ours else _named(given, _ENCODERS),
        "decoder": "decoder" if ours and "decoder" in given else _named(given, _DECODERS),
        "threshold": _named(given, _THRESHOLDS),
    }
    if names["encoder"] is None or names["decoder"] is None:
        raise BadInput(
            f"no dictionary in {', '.join(map(short, list(tensors)[:6])) or 'no tensors'}; "
            f"expected `directions` [direction, unit], or {_OURS}, or W_enc and W_dec, or "
            "encoder.weight and decoder.weight"
        )
    parts: dict[str, Any] = {"form": "ours" if ours else "foreign"}
    for part in ("encoder", "decoder"):
        name = names[part]
        assert name is not None
        parts[part] = _matrix(given[name], name, units, oriented=ours)
    if parts["encoder"].shape != parts["decoder"].shape:
        raise BadInput(
            f"{names['encoder']} has {len(parts['encoder'])} latents and {names['decoder']} "
            f"{len(parts['decoder'])}; they must have as many"
        )
    biases = _biases(given, ours, len(parts["encoder"]), units)
    if names["threshold"] is not None:
        threshold = given[names["threshold"]]
        biases["threshold"] = threshold.exp() if "log" in names["threshold"] else threshold
    if "k" in given and given["k"].numel() == 1:
        parts["k"] = int(given["k"].item())
    of_topk = (names["encoder"], names["decoder"]) == ("encoder.weight", "W_dec")
    parts["must_say"] = of_topk or "latent_bias" in given
    used = {*names.values(), *biases.pop("names"), *_IGNORED}
    if left := [name for name in given if name not in used]:
        raise BadInput(
            f"tensors {', '.join(map(short, left[:4]))} are not understood; {_OURS}, bias, "
            "decoder_bias and threshold are all that a dictionary has"
        )
    return parts | biases


def _named(given: Mapping[str, Tensor], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in given), None)


def _biases(given: Mapping[str, Tensor], ours: bool, latents: int, units: int) -> dict[str, Any]:
    """`bias` belongs to latents in our form and to units in others, unless its size decides."""
    of_latents = _BIASES if ours or latents != units else _BIASES[1:]
    bias = next((n for n in of_latents if n in given and given[n].shape == (latents,)), None)
    rest = [n for n in _DECODER_BIASES if n in given and n != bias]
    found: dict[str, Any] = {"names": {bias, *rest[:1]}}
    if bias:
        found["bias"] = given[bias]
    if rest:
        if given[rest[0]].shape != (units,):
            raise BadInput(
                f"{rest[0]} has shape {list(given[rest[0]].shape)}, expected [{latents}] (a bias "
                f"of latents) or [{units}] (of units)"
            )
        found["decoder_bias"] = given[rest[0]]
    return found


def _matrix(matrix: Tensor, name: str, units: int, *, oriented: bool) -> Tensor:
    """As [latent, unit]. Raises BadInput where the shape does not say which axis is which."""
    if matrix.ndim != 2 or units not in matrix.shape:
        raise BadInput(
            f"{name} has shape {list(matrix.shape)}, and the node has {units} units; expected "
            f"[latent, {units}]: attach it to the node that it was made for"
        )
    if matrix.shape[0] == matrix.shape[1] and not oriented:
        raise BadInput(
            f"{name} is square, {list(matrix.shape)}, and its name does not say which axis is "
            f"which; rename the tensors to {_OURS}"
        )
    return matrix if matrix.shape[1] == units else matrix.T


def _inverse(directions: Tensor) -> Tensor:
    """The smallest changes of the values that change one projection each, [direction, unit]."""
    if not directions.isfinite().all():
        raise BadInput("some of the numbers in directions are not finite; get a sound file")
    inverse: Tensor = torch.linalg.pinv(directions.double()).T.float()
    return inverse


_ACTIVATION_NAMES = {
    "none": "none",
    "identity": "none",
    "linear": "none",
    "relu": "relu",
    "standard": "relu",
    "tanh-relu": "",
    "topk": "topk",
    "jumprelu": "jumprelu",
    "jump_relu": "jumprelu",
    "batchtopk": "jumprelu",
    "batch_topk": "jumprelu",
}
_NORMALIZATION_NAMES = {
    "none": "none",
    "expected_average_only_in": "none",
    "layer_norm": "layer_norm",
}


def settings(said: Mapping[str, Any], parts: Mapping[str, Any]) -> dict[str, Any]:
    """activation, k, normalize, scale (a factor on the inputs) and subtract (whether the decoder's
    bias is taken from the inputs), from what a file says of itself in any of the known spellings.

    Raises BadInput for what is unknown, and where the activation must be said and is not.
    """
    if parts["form"] == "directions":
        return {"activation": "none", "k": 0, "normalize": "none", "scale": 1.0, "subtract": False}
    k = _number(said, "k", said.get("activation_fn_kwargs"), default=parts.get("k", 0))
    activation = _activation(said, parts, k)
    normalize = str(said.get("normalize", said.get("normalize_activations", "none"))).lower()
    if normalize not in _NORMALIZATION_NAMES:
        raise BadInput(
            f"inputs normalized by {short(normalize)} are not understood; expected "
            f"{' or '.join(NORMALIZATIONS)}, or scale, a factor on all of them"
        )
    if normalize == "expected_average_only_in" and "scale" not in said:
        raise BadInput(
            "its inputs were scaled to an average length, by a factor that is not in the file; "
            "say it as scale=..., or fold it into the weights"
        )
    # Most are trained with the bias subtracted from the inputs; Gemma Scope and others with
    # JumpReLU are not.
    subtract = said.get(
        "subtract", said.get("apply_b_dec_to_input", activation != "jumprelu" or "k" in parts)
    )
    scale = _number(said, "scale", None, default=1.0)
    if not 0 < scale < math.inf:
        raise BadInput(f"scale {scale} is out of range; expected a finite number above 0")
    return {
        "activation": activation,
        "k": int(k) if activation == "topk" else 0,
        "normalize": _NORMALIZATION_NAMES[normalize],
        "scale": scale,
        "subtract": subtract if isinstance(subtract, bool) else str(subtract).lower() == "true",
    }


def _activation(said: Mapping[str, Any], parts: Mapping[str, Any], k: float) -> str:
    for key in ("activation", "activation_fn_str", "activation_fn", "architecture"):
        if key in said and str(said[key]):
            named = str(said[key]).lower()
            if not _ACTIVATION_NAMES.get(named):
                raise BadInput(
                    f"activation {short(named)} is unknown; expected {', '.join(ACTIVATIONS)}"
                )
            if named.startswith("batch") and "threshold" not in parts:
                return "topk"
            # SAELens says "relu" of a JumpReLU's inner part, and what it is in `architecture`.
            if named in ("relu", "standard") and "threshold" in parts:
                return "jumprelu"
            return _ACTIVATION_NAMES[named]
    if "threshold" in parts:
        return "jumprelu"
    if k:
        return "topk"
    if parts["must_say"]:
        raise BadInput(
            "its activation is not said, and tensors of these names are mostly of TopK; say "
            "activation (and k) in the file's metadata or in a cfg.json beside it"
        )
    return "relu"


def _number(said: Mapping[str, Any], key: str, more: Any, default: float) -> float:
    value = said.get(key, more.get(key, default) if isinstance(more, Mapping) else default)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadInput(f"{key} {short(value)} is no number") from None
