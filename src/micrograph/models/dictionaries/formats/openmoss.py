"""OpenMOSS (Llama Scope): `hyperparams.json` above `checkpoints/final.safetensors`; since 2025
`config.json` beside `sae_weights.safetensors`, with its matrices named as layers or as W_E, W_D.

    latents = activation(encoder @ (sqrt(units) / average * x) + bias)

`average` is the mean length of the inputs in training. The older form takes the decoder's bias from
the inputs, unless it says otherwise. With `sparsity_include_decoder_norm` latents are chosen by
their size times the length of their decoder rows.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import common
from micrograph.models.dictionaries.hooks import Hooks
from micrograph.models.dictionaries.keys import Keys, finite

NAME = "OpenMOSS"
_AVERAGE = "dataset_average_activation_norm"
_THRESHOLDS = (
    "activation_function.log_jumprelu_threshold",
    "log_jumprelu_threshold",
    "activation_function.jumprelu_threshold",
    "jumprelu_threshold",
)
_HARMLESS = (
    "bias_init_method",
    "ddp_size",
    "decoder_exactly_fixed_norm",
    "exp_*",
    "expansion_factor",
    "finetune_*",
    "jumprelu_threshold_window",
    "k_*",
    "total_training_*",
    "lp",
    "sae_pretrained_name_or_path",
    "sae_type",
    "sparsity_threshold_for_triton_spmm_kernel",
    "strict_loading",
    "tp_size",
    "use_batch_norm_mse",
    "use_triton_kernel",
    "force_unit_decoder_norm",
    "promote_act_fn_dtype",
)


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether one of its configurations lies beside."""
    if given.has("W_E", "W_D"):
        return True
    if not given.has("encoder.weight", "decoder.weight"):
        return False
    config = given.json("config.json") or {}
    return given.json("hyperparams.json") is not None or "act_fn" in config


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    old = given.json("hyperparams.json")
    config = old or given.json("config.json")
    if config is None:
        raise BadInput("its config.json is missing; put the one that belongs to it beside the file")
    where = "hyperparams.json" if old else "config.json"
    said = Keys(config, where, {"ignore": options.get("ignore")}, _HARMLESS)
    said.refuse("use_glu_encoder", why="a gated linear encoder is not understood")
    if (kind := said.text("sae_type", default="sae")) != "sae":
        raise BadInput(f"{where} says sae_type = {kind}; expected sae, a dictionary of one place")
    found, used = _tensors(given)
    encoder, decoder = found["encoder"], found["decoder"]
    reads, writes = str(said.get("hook_point_in") or ""), str(said.get("hook_point_out") or "")
    transcoder = bool(writes) and writes != reads
    activation, k, threshold = _activation(said, given, options, bool(old), where)
    by_norm = said.flag("sparsity_include_decoder_norm", default=True)
    chosen = by_norm and (activation == "topk" or (activation == "jumprelu" and not old))
    normalize, scale, back = _scales(said, given, options, encoder.shape[1], reads, writes, where)
    has_bias = said.flag("use_decoder_bias", default="decoder_bias" in found)
    before = said.flag("apply_decoder_bias_to_pre_encoder", default=bool(old))
    if has_bias != ("decoder_bias" in found):
        raise BadInput(f"{where} and the tensors differ on a bias of the decoder; get a sound file")
    common.only(given, NAME, used, [n for n in given.names if n.startswith(_AVERAGE)])
    common.sizes(encoder.shape[1], len(encoder), said.whole("d_model"), said.whole("d_sae"))
    said.check_all_known()
    return Description(
        NAME,
        ("transcoder, " if transcoder else "") + activation,
        encoder=encoder,
        decoder=decoder,
        bias=found["bias"],
        decoder_bias=found.get("decoder_bias"),
        threshold=threshold,
        activation=activation,
        k=k,
        subtract=before and has_bias and not transcoder,
        normalize=normalize,
        scale=scale,
        scale_back=back if transcoder else None,
        decoder_norms="choice" if chosen else "none",
        transcodes=transcoder,
        outside=True,
        figures={} if scale == 1.0 else {"average_norm": round(encoder.shape[1] ** 0.5 / scale, 6)},
        hooks=Hooks(reads, writes if transcoder else ""),
    )


def _tensors(given: Contents) -> tuple[dict[str, Tensor], list[str]]:
    if given.has("W_E", "W_D"):
        names = ["W_E", "b_E", "W_D"]
        encoder, bias, decoder = common.needed(given, NAME, *names)
        encoder, last = encoder.T, "b_D"
    else:
        names = ["encoder.weight", "encoder.bias", "decoder.weight"]
        encoder, bias, decoder = common.needed(given, NAME, *names)
        decoder, last = decoder.T, "decoder.bias"
    found = {"encoder": encoder, "decoder": decoder, "bias": bias}
    if (decoder_bias := common.optional(given, last)) is not None:
        found["decoder_bias"] = decoder_bias
    return found, [*names, last, *_THRESHOLDS]


def _activation(
    said: Keys, given: Contents, options: Mapping[str, Any], old: bool, where: str
) -> tuple[str, int, Tensor | None]:
    """Its name, k and threshold."""
    word = said.text("act_fn", default="relu")
    fixed = said.number("jump_relu_threshold", default=0.0)
    k = said.whole("top_k")
    if word == "batchtopk" and options.get("threshold") is None:
        raise BadInput(
            f"{where} says act_fn = batchtopk: which latents speak depends on the batch; say "
            "threshold=..., or activation=topk"
        )
    if word not in ("relu", "topk", "jumprelu", "batchtopk"):
        raise BadInput(f"{where} says act_fn = {short(word)}; expected relu, topk or jumprelu")
    if word != "jumprelu":
        return ("topk", k, None) if word == "topk" else ("relu", 0, None)
    name = next((name for name in _THRESHOLDS if name in given.names), None)
    if name is None and not old:
        raise BadInput("its activation is jumprelu, and it holds no threshold; get a sound file")
    encoder = given.tensors["encoder.weight" if "encoder.weight" in given.names else "W_D"]
    threshold = torch.full((len(encoder),), fixed, dtype=torch.float64)
    if name is not None:
        threshold = common.floats(given.tensors[name])
        threshold = threshold.exp() if "log" in name else threshold
    return "jumprelu", 0, threshold


def _scales(
    said: Keys,
    given: Contents,
    options: Mapping[str, Any],
    units: int,
    reads: str,
    writes: str,
    where: str,
) -> tuple[str, float, float | None]:
    """The normalization, and the factors on what is read and on what is written."""
    word = said.text("norm_activation", default="dataset-wise")
    averages = common.mapping(said.get(_AVERAGE), _AVERAGE)
    if word in ("none", "inference"):
        return "none", 1.0, None
    if word == "token-wise":
        return "constant_norm", 1.0, None
    if word != "dataset-wise":
        raise BadInput(
            f"{where} says norm_activation = {short(word)}: latents would depend on the batch; "
            "expected dataset-wise, token-wise, inference or none"
        )
    if {"scale", "scalar", "average_norm"} & {n for n, v in options.items() if v is not None}:
        return "none", 1.0, _root(units, options.get("average_norm_out"))
    inside = _average(given, averages, "in", reads)
    if inside is None:
        raise BadInput(
            f"its inputs were scaled by their average length, {_AVERAGE}, which is neither in "
            f"{where} nor in the file; say average_norm=..."
        )
    outside = _average(given, averages, "out", writes)
    return "none", units**0.5 / inside, _root(units, outside)


def _root(units: int, average: Any) -> float | None:
    return None if average is None else units**0.5 / finite(average, _AVERAGE)


def _average(given: Contents, averages: Mapping[str, Any], side: str, hook: str) -> float | None:
    """The average length, in the configuration or among the tensors. A number that nobody measured
    is written as whatever stood in memory."""
    value = averages.get(side, averages.get(hook))
    if value is None and (tensor := given.tensors.get(f"{_AVERAGE}.{hook}")) is not None:
        value = tensor.item() if tensor.numel() == 1 else None
    if value is None:
        return None
    found = finite(value, _AVERAGE)
    return found if 1e-6 < found < 1e9 else None
