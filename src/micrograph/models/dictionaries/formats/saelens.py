"""SAELens: `cfg.json` and `sae_weights.safetensors`, of inference, of checkpoints, and before v6.

    latents = activation((normalized(x) - b_dec) @ W_enc + b_enc)

`b_dec` is taken from the inputs unless `apply_b_dec_to_input` is false, and never by transcoders.
With `rescale_acts_by_decoder_norm` latents are weighed by the length of their rows of W_dec, which
also holds for files whose norms were folded: their rows have length one. BatchTopK is saved as
JumpReLU for inference; in a checkpoint it has its threshold in `topk_threshold`.
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

NAME = "SAELens"
ACTIVATIONS = {
    "standard": "relu",
    "topk": "topk",
    "abstopk": "abstopk",
    "jumprelu": "jumprelu",
    "batchtopk": "jumprelu",
    "matryoshka_batchtopk": "jumprelu",
    "gated": "relu",
    "transcoder": "relu",
    "skip_transcoder": "relu",
    "jumprelu_transcoder": "jumprelu",
    "jumprelu_skip_transcoder": "jumprelu",
    "matching_pursuit": "pursuit",
}
NORMALIZATIONS = {
    "none": "none",
    "expected_average_only_in": "none",
    "constant_norm_rescale": "constant_norm",
    "layer_norm": "layer_norm_sample",
}
_WEIGHED = ("topk", "abstopk", "batchtopk", "matryoshka_batchtopk")
_HARMLESS = (
    "*compil*",
    "act_store_*",
    "disable_concat*",
    "finetuning_method",
    "finetuning_tokens",
    "l0_*",
    "resume*",
    "scale_sparsity_penalty*",
    "sequence_*",
    "subset_*",
    "activation_fn*",
    "context_size",
    "d_out",
    "decoder_*",
    "exclude_special_tokens",
    "expansion_factor",
    "from_pretrained_path",
    "hf_hook_name*",
    "hook_layer",
    "hook_point_layer",
    "is_transcoder",
    "jumprelu_*",
    "matryoshka_widths",
    "metadata",
    "model_*",
    "mse_*",
    "n_*",
    "neuronpedia*",
    "normalize_sae_decoder",
    "pre_act*",
    "prepend_bos",
    "sae_lens*",
    "seqpos*",
    "tokens_per_buffer",
    "topk_threshold_lr",
    "total_training*",
    "use_cached_activations",
    "use_matryoshka*",
    "use_sparse_activations",
    "cached_activations_path",
    "b_dec_init_method",
    "is_dataset_*",
    "ghost_*",
    "streaming",
    "autocast*",
    "hook_eval",
    "hook_head_index",
)


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether it has SAELens' names, and a cfg.json beside or a pickled one in it."""
    return "W_dec" in given.names and (given.json("cfg.json") is not None or _pickled(given) != {})


def _pickled(given: Contents) -> dict[str, Any]:
    """The configuration in a pickled file of versions 1 to 3."""
    cfg = given.tree.get("cfg") if isinstance(given.tree, dict) else None
    fields = getattr(cfg, "attributes", cfg)
    return dict(fields) if isinstance(fields, dict) else {}


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    config = _pickled(given) or given.json("cfg.json") or {}
    inner = config.get("metadata")
    meta: dict[str, Any] = inner if isinstance(inner, dict) else {}
    said = Keys(config, "cfg.json", {"ignore": options.get("ignore")}, _HARMLESS)
    architecture = _architecture(said, options)
    activation = _activation(said, architecture)
    transcoder = "transcoder" in architecture
    scale = _scale(said, options, given)
    normalize = _normalization(said)
    # "hook_z" lays heads one behind the other, as the nodes of heads do.
    said.refuse("reshape_activations", why="it is not understood", unless=("none", "hook_z"))
    heads = [c for c in (config, meta) if c.get("hook_head_index") is not None]
    if heads:
        raise BadInput(
            f"cfg.json says hook_head_index = {short(heads[0]['hook_head_index'])}: a dictionary "
            "of one head is not understood; expected one of a whole node"
        )
    subtract = said.flag("apply_b_dec_to_input", default=not transcoder) and not transcoder
    rescale = said.flag("rescale_acts_by_decoder_norm", default="batchtopk" in architecture)
    found = _tensors(given, architecture, transcoder)
    weighed = rescale and architecture in _WEIGHED
    if rescale and not weighed:
        _refuse_lengths(found["decoder"], architecture)
    common.sizes(
        found["encoder"].shape[1], len(found["encoder"]), said.whole("d_in"), said.whole("d_sae")
    )
    # For BatchTopK it is an average, and the threshold decides.
    k = int(said.number("k", default=0.0) or finite(_kwargs(said).get("k", 0), "k"))
    pursuit = (True, 0.0, False)
    if activation == "pursuit":
        k = said.whole("max_iterations") or found["encoder"].shape[1]
        enough = said.number("residual_threshold", default=1e-2)
        pursuit = (True, enough, not said.flag("stop_on_duplicate_support", default=True))
        found["decoder_bias"] = found["decoder_bias"] if subtract else None
    found["decoder_gain"] = _finetuned(given, said)
    where = {**config, **meta}
    said.get("hook_name", "hook_point", "hook_name_out", "model_name")
    said.check_all_known()
    return Description(
        NAME,
        architecture,
        activation=activation,
        k=k if activation in ("topk", "abstopk", "pursuit") else 0,
        subtract=subtract,
        normalize=normalize,
        scale=scale,
        decoder_norms="latents" if weighed else "none",
        transcodes=transcoder,
        restores=not transcoder,
        pursuit=pursuit,
        hooks=Hooks(
            str(where.get("hook_name") or where.get("hook_point") or ""),
            str(where.get("hook_name_out") or ""),
            str(where.get("model_name") or ""),
        ),
        **found,
    )


def _architecture(said: Keys, options: Mapping[str, Any]) -> str:
    named = str(
        options.get("architecture") or said.text("architecture", default="standard")
    ).lower()
    said.get("architecture")
    if named == "temporal":
        raise BadInput(
            "it is a temporal dictionary of SAELens, whose latents depend on the positions before "
            "them; pictures have no such order: expected any other architecture"
        )
    if named not in ACTIVATIONS:
        raise BadInput(
            f"architecture {short(named)} of SAELens is unknown; expected one of "
            f"{', '.join(ACTIVATIONS)}"
        )
    return named


def _activation(said: Keys, architecture: str) -> str:
    """Before v6 the activation is a word of its own beside `architecture`."""
    word = said.text("activation_fn", "activation_fn_str", default="relu")
    kwargs = _kwargs(said)
    if extra := [key for key in kwargs if key not in ("k", "use_sparse_activations")]:
        raise BadInput(f"cfg.json says activation_fn_kwargs.{extra[0]}, which is not understood")
    if architecture != "standard" or word == "relu":
        if architecture == "standard" and "architecture" not in said and "k" in said:
            return "topk"
        if architecture in ("topk", "abstopk") or word in ("relu", "topk"):
            return ACTIVATIONS[architecture]
        raise BadInput(
            f"activation {short(word)} with architecture {architecture} is not understood"
        )
    if word in ("topk", "tanh-relu"):
        return word.replace("-", "_")
    raise BadInput(f"activation {short(word)} is unknown; expected relu, topk or tanh-relu")


def _kwargs(said: Keys) -> Mapping[str, Any]:
    return common.mapping(said.get("activation_fn_kwargs"), "activation_fn_kwargs in cfg.json")


def _normalization(said: Keys) -> str:
    given = said.get("normalize_activations", default="none")
    word = {"false": "none", "true": "expected_average_only_in"}.get(
        str(given).lower(), str(given).lower()
    )
    if word not in NORMALIZATIONS:
        raise BadInput(
            f"cfg.json says normalize_activations = {short(given)}, which is not understood; "
            f"expected one of {', '.join(NORMALIZATIONS)}"
        )
    return NORMALIZATIONS[word]


def _scale(said: Keys, options: Mapping[str, Any], given: Contents) -> float:
    """The factor on the inputs, which a checkpoint keeps in a file of its own."""
    word = str(said.get("normalize_activations", default="none")).lower()
    if word not in ("expected_average_only_in", "true"):
        return 1.0
    beside = given.json("activation_scaler.json") or {}
    if isinstance(factor := beside.get("scaling_factor"), int | float):
        return finite(factor, "scaling_factor")
    if not {"scale", "scalar", "average_norm"} & {k for k, v in options.items() if v is not None}:
        raise BadInput(
            "its inputs were scaled to an average length, by a factor that is not in the file; "
            "say it as scale=..., or their average length as average_norm=..."
        )
    return 1.0


def _refuse_lengths(decoder: Tensor, architecture: str) -> None:
    if not torch.allclose(decoder.norm(dim=1), torch.ones(()), atol=1e-3):
        raise BadInput(
            f"cfg.json says rescale_acts_by_decoder_norm, which {architecture} of SAELens does not "
            "know, and its decoder's rows are not of length one; fold them, or say "
            "ignore=rescale_acts_by_decoder_norm"
        )


def _tensors(given: Contents, architecture: str, transcoder: bool) -> dict[str, Any]:
    """The tensors of a description, in its layout."""
    used = ["W_enc", "W_dec", "b_dec"]
    decoder, decoder_bias = common.needed(given, f"{architecture} of SAELens", "W_dec", "b_dec")
    if architecture == "matching_pursuit":
        common.only(given, NAME, used)
        return {"encoder": decoder, "decoder": decoder, "decoder_bias": decoder_bias}
    (encoder,) = common.needed(given, f"{architecture} of SAELens", "W_enc")
    latents, units = len(decoder), len(encoder)
    common.across(encoder, "W_enc", latents, units if transcoder else len(decoder_bias))
    found: dict[str, Any] = {"encoder": encoder.T, "decoder": decoder, "decoder_bias": decoder_bias}
    if architecture == "gated":
        found["gate"] = tuple(
            common.needed(given, "a gated dictionary", "r_mag", "b_gate", "b_mag")
        )
        used += ["r_mag", "b_gate", "b_mag"]
    else:
        (found["bias"],) = common.needed(given, f"{architecture} of SAELens", "b_enc")
        used.append("b_enc")
    if ACTIVATIONS[architecture] == "jumprelu":
        found["threshold"] = _threshold(given, architecture)
        used += ["threshold", "log_threshold", "topk_threshold"]
    if "skip" in architecture:
        (found["skip"],) = common.needed(given, f"{architecture} of SAELens", "W_skip")
        used.append("W_skip")
    common.only(given, f"{NAME} ({architecture})", used, ("scaling_factor",))
    return found


def _threshold(given: Contents, architecture: str) -> Tensor:
    """Below 0 it makes no difference: what is below 0 never speaks."""
    if (threshold := common.optional(given, "threshold")) is None:
        if (log := common.optional(given, "log_threshold")) is not None:
            threshold = log.exp()
        else:
            (threshold,) = common.needed(given, f"{architecture} of SAELens", "topk_threshold")
    return threshold.clamp(min=0)


def _finetuned(given: Contents, said: Keys) -> Tensor | None:
    """Factors on the latents as they are decoded, of versions before 6."""
    on = said.flag("finetuning_scaling_factor", default=False)
    factors = common.optional(given, "scaling_factor")
    if factors is None or torch.allclose(factors, torch.ones_like(factors)):
        return None
    if not on:
        raise BadInput(
            "it holds a scaling_factor that cfg.json does not switch on "
            "(finetuning_scaling_factor); get a sound file"
        )
    return factors
