"""ViT-Prisma: `config.json` beside a torch file, or one torch file with a pickled configuration.

    latents = activation((normalized(x) - b_dec) @ W_enc + b_enc)

`b_dec` is always taken from the inputs, after they were normalized: by default as a layer norm.
"""

from collections.abc import Mapping
from typing import Any

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import common
from micrograph.models.dictionaries.hooks import Hooks
from micrograph.models.dictionaries.keys import Keys, whole

NAME = "Prisma"
_NORMALIZATIONS = {
    "none": "none",
    "layer_norm": "layer_norm_sample",
    "constant_norm_rescale": "constant_norm",
}
_ACTIVATIONS = {"relu": "relu", "topk": "topk", "tanh-relu": "tanh_relu"}
_HARMLESS = (
    "_custom_hook_point",
    "b_dec_init_method",
    "cached_activations_path",
    "context_size",
    "d_out",
    "d_sae",
    "expansion_factor",
    "feature_*",
    "from_pretrained_path",
    "hook_point",
    "image_size",
    "is_training",
    "l1_coefficient",
    "lp_norm",
    "min_explained_variance",
    "min_l0",
    "model_*",
    "n_checkpoints",
    "n_validation_runs",
    "return_out_only",
    "total_training_*",
    "transcoder_with_skip_connection",
    "use_cached_activations",
    "vit_model_cfg",
)


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether a configuration of its kind is pickled in it, or lies beside as config.json."""
    cfg = given.tree.get("cfg") if isinstance(given.tree, dict) else None
    if str(getattr(cfg, "path", "")).startswith("vit_prisma."):
        return True
    config = given.json("config.json") if given.has("W_enc", "W_dec") else None
    return config is not None and {"activation_fn_str", "layer_subtype"} & config.keys() != set()


def _config(given: Contents) -> dict[str, Any]:
    """A config.json beside wins over what is pickled, as in the library."""
    if (config := given.json("config.json")) is not None:
        return config
    cfg = given.tree.get("cfg") if isinstance(given.tree, dict) else None
    return {str(name): value for name, value in getattr(cfg, "attributes", {}).items()}


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    said = Keys(_config(given), "its configuration", {"ignore": options.get("ignore")}, _HARMLESS)
    architecture = said.text("architecture", default="standard")
    transcoder = said.flag("is_transcoder", default=False)
    if architecture not in ("standard", "gated"):
        raise BadInput(
            f"architecture {short(architecture)} of Prisma is not understood; expected standard or "
            "gated, which are all that the library can load"
        )
    activation, k = _activation(said, options)
    word = said.text("normalize_activations", default="layer_norm")
    if word not in _NORMALIZATIONS:
        raise BadInput(
            f"its configuration says normalize_activations = {short(word)}, which is not "
            f"understood; expected one of {', '.join(_NORMALIZATIONS)}"
        )
    said.refuse("hook_point_head_index", why="a dictionary of one head is not understood")
    used = ["W_enc", "W_dec", "b_enc", "b_dec"]
    encoder, decoder, bias, b_dec = common.needed(given, NAME, *used)
    common.across(encoder, "W_enc", len(bias), len(b_dec))
    more: dict[str, Any] = {"bias": bias, "decoder_bias": b_dec, "subtract": True}
    if transcoder:
        (out,) = common.needed(given, "a transcoder of Prisma", "b_dec_out")
        more |= {"decoder_bias": out, "input_bias": b_dec, "subtract": False}
        more["skip"] = common.optional(given, "W_skip")
        used += ["b_dec_out", "W_skip"]
    elif architecture == "gated":
        more["gate"] = tuple(common.needed(given, "a gated dictionary", "r_mag", "b_gate", "b_mag"))
        del more["bias"]  # which it has, and does not use
        used += ["r_mag", "b_gate", "b_mag"]
        if activation == "tanh_relu":
            raise BadInput(
                "a gated dictionary with tanh-relu is not understood; expected relu, topk"
            )
    common.only(given, f"{NAME} ({architecture})", used)
    layer = _layer(said.get("hook_point_layer"))
    out_layer = _layer(said.get("out_hook_point_layer"))
    kind, out_kind = said.text("layer_subtype"), said.text("layer_out_subtype")
    common.sizes(len(b_dec), len(encoder.T), said.whole("d_in"), 0)
    notes = []
    if said.flag("cls_token_only", default=False):
        notes.append("trained on class tokens alone: elsewhere its latents mean little")
    if said.flag("use_patches_only", default=False):
        notes.append("trained on patches alone, not on class tokens")
    said.check_all_known()
    return Description(
        NAME,
        ("transcoder" if transcoder else architecture)
        + ("" if activation == "relu" else f", {activation}"),
        encoder=encoder.T,
        decoder=decoder,
        activation=activation,
        k=k,
        normalize=_NORMALIZATIONS[word],
        transcodes=transcoder,
        hooks=Hooks(
            f"blocks.{layer}.{kind}" if layer and kind else "",
            f"blocks.{out_layer}.{out_kind}" if transcoder and out_layer and out_kind else "",
            str(said.get("model_name", default="")),
        ),
        notes=tuple(notes),
        **more,
    )


def _activation(said: Keys, options: Mapping[str, Any]) -> tuple[str, int]:
    word = str(options.get("activation") or said.text("activation_fn_str", default="topk")).lower()
    said.get("activation_fn_str")
    kwargs = said.get("activation_fn_kwargs", default={}) or {}
    if word.replace("_", "-") == "tanh-relu":
        word = "tanh-relu"
    if word not in _ACTIVATIONS:
        raise BadInput(f"activation {short(word)} is unknown; expected {', '.join(_ACTIVATIONS)}")
    if not isinstance(kwargs, dict) or (extra := [key for key in kwargs if key not in ("k",)]):
        raise BadInput(
            f"its configuration says activation_fn_kwargs = {short(kwargs)}; expected k alone"
        )
    del extra
    if word != "topk":
        return _ACTIVATIONS[word], 0
    k = options.get("k") or kwargs.get("k") or 0
    if not k:
        raise BadInput("its activation is topk, and how many speak is not said; say k=...")
    return "topk", whole(k, "k")


def _layer(value: Any) -> str:
    """A number, or a list with one."""
    if isinstance(value, list | tuple):
        value = value[0] if len(value) == 1 else None
    return "" if value is None else str(value)
