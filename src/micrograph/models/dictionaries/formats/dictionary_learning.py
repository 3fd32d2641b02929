"""dictionary_learning: `ae.pt` with the state dict of one of its classes, and `config.json`.

    AutoEncoder           relu(encoder @ (x - bias) + encoder.bias)
    AutoEncoderNew        relu(encoder @ x + encoder.bias)
    GatedAutoEncoder      gated, of x - decoder_bias
    JumpReluAutoEncoder   x @ W_enc + b_enc where that is above the threshold
    AutoEncoderTopK       the k largest of relu(encoder @ (x - b_dec) + encoder.bias)
    BatchTopKSAE          those above one threshold, of the same
    MatryoshkaBatchTopKSAE  the same with W_enc, b_enc

TopK and BatchTopK have the same tensors and differ in meaning: only `config.json` tells. What is
read is `encode` of the class, without the lengths of decoder rows that one of its loaders folds in.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import common
from micrograph.models.dictionaries.hooks import Hooks
from micrograph.models.dictionaries.keys import Keys, whole

NAME = "dictionary_learning"
TENSORS = {
    "AutoEncoder": ("encoder.weight", "encoder.bias", "decoder.weight", "bias"),
    "AutoEncoderNew": ("encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias"),
    "GatedAutoEncoder": (
        "encoder.weight",
        "r_mag",
        "gate_bias",
        "mag_bias",
        "decoder.weight",
        "decoder_bias",
    ),
    "JumpReluAutoEncoder": ("W_enc", "b_enc", "W_dec", "b_dec", "threshold"),
    "AutoEncoderTopK": ("encoder.weight", "encoder.bias", "decoder.weight", "b_dec"),
    "BatchTopKSAE": ("encoder.weight", "encoder.bias", "decoder.weight", "b_dec", "threshold"),
    "MatryoshkaBatchTopKSAE": ("W_enc", "b_enc", "W_dec", "b_dec", "threshold", "group_sizes"),
}
_COUNTED = ("AutoEncoderTopK", "BatchTopKSAE", "MatryoshkaBatchTopKSAE")
_MORE = ("k", "threshold")  # which the first versions of the TopK classes lack
_HARMLESS = (
    "activation_dim",
    "dict_size",
    "group_*",
    "layer",
    "lm_name",
    "penalty_*",
    "p_*",
    "submodule_name",
    "threshold_*",
    "top_k_aux",
    "trainer_class",
    "n_sparsity_updates",
    "sparsity_*",
    "bandwidth",
    "target_*",
    "anneal_*",
)
_CROSSCODER = "a crosscoder reads several layers at once, and a node of one place cannot"


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether a config.json of its trainers lies beside, or its tensors are of no other library."""
    if _trainer(given):
        return True
    if str(options.get("architecture")) in (*TENSORS, "CrossCoder"):
        return True
    if given.has("encoder.weight", "decoder.weight"):
        return bool({"bias", "decoder_bias", "b_dec", "decoder.bias"} & given.names)
    return given.has("W_enc", "k", "threshold", "group_sizes")


def _config(given: Contents) -> dict[str, Any]:
    return given.json("config.json") or {}


def _trainer(given: Contents) -> dict[str, Any]:
    trainer = _config(given).get("trainer")
    return trainer if isinstance(trainer, dict) and "dict_class" in trainer else {}


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    trainer = _trainer(given)
    of_class = _class(given, trainer, options)
    used = TENSORS[of_class]
    common.only(given, f"{NAME} ({of_class})", used, _MORE if of_class in _COUNTED else ())
    said = Keys(trainer, "config.json (trainer)", {"ignore": options.get("ignore")}, _HARMLESS)
    said.get("dict_class")
    k = _k(given, said, options) if of_class in _COUNTED else 0
    said.get("k")
    said.check_all_known()
    found = _tensors(given, of_class)
    common.sizes(
        found["encoder"].shape[1],
        len(found["encoder"]),
        said.whole("activation_dim"),
        said.whole("dict_size"),
    )
    notes: tuple[str, ...] = ()
    if "threshold" in found and of_class != "JumpReluAutoEncoder" and found["threshold"] < 0:
        notes = (
            "its threshold was never estimated: every latent above 0 speaks, as in the library",
        )
        found["threshold"] = found["threshold"].clamp(min=0)
    elif "threshold" in found:
        found["threshold"] = found["threshold"].clamp(min=0)
    topk = of_class == "AutoEncoderTopK"
    if topk and not k:
        raise BadInput("how many latents speak is neither in the file nor beside it; say k=...")
    io = str(
        common.mapping(_config(given).get("buffer"), "buffer in config.json").get("io") or "out"
    )
    if io == "in":
        notes = (*notes, "it reads the input of its module, not the output")
    layer, module = trainer.get("layer"), str(trainer.get("submodule_name") or "")
    return Description(
        NAME,
        of_class,
        activation="topk" if topk else "jumprelu" if "threshold" in found else "relu",
        k=k if topk else 0,
        subtract=of_class not in ("AutoEncoderNew", "JumpReluAutoEncoder"),
        hooks=Hooks(
            module or ("" if layer is None else f"layer_{layer}"),
            model=str(trainer.get("lm_name") or ""),
        ),
        transcodes=io == "in_and_out",
        notes=notes,
        **found,
    )


def _class(given: Contents, trainer: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """The class that wrote it: said, or the only one with these tensors."""
    named = str(options.get("architecture") or trainer.get("dict_class") or "")
    if named == "CrossCoder" or given.tensors.get("encoder.weight", given.path) is None:
        raise BadInput(_CROSSCODER)
    if (weight := given.tensors.get("encoder.weight")) is not None and weight.ndim == 3:
        raise BadInput(_CROSSCODER)
    if named:
        if named not in TENSORS:
            raise BadInput(
                f"class {short(named)} of dictionary_learning is unknown; expected one of "
                f"{', '.join(TENSORS)}"
            )
        return named
    fits = [
        name
        for name, tensors in TENSORS.items()
        if given.has(*tensors) and given.names <= {*tensors, *(_MORE if name in _COUNTED else ())}
    ]
    if fits == ["AutoEncoderNew"] and given.path.suffix not in (".pt", ".pth"):
        fits = ["AutoEncoderNew", "another of these names"]  # OpenMOSS has them, too
    if len(fits) != 1:
        raise BadInput(
            f"its tensors ({', '.join(sorted(given.names))}) fit "
            f"{' and '.join(fits) or 'no class of dictionary_learning'}; put the config.json that "
            "belongs to it beside the file, or say architecture="
            + ("... (its class)" if not fits else fits[0])
        )
    return fits[0]


def _k(given: Contents, said: Keys, options: Mapping[str, Any]) -> int:
    tensor = given.tensors.get("k")
    if tensor is not None and tensor.numel() == 1:
        k = whole(tensor.item(), "k")
        if "k" in said and said.whole("k") != k:
            raise BadInput(f"config.json says k {said.whole('k')}, the file {k}; get a sound file")
        return k
    return whole(options.get("k") or said.whole("k"), "k")


def _tensors(given: Contents, of_class: str) -> dict[str, Any]:
    """The tensors of a description, in its layout."""
    names = TENSORS[of_class]
    part = dict(zip(names, common.needed(given, of_class, *names), strict=True))
    found: dict[str, Tensor | tuple[Tensor, ...]] = {}
    if "W_enc" in part:
        common.across(part["W_enc"], "W_enc", len(part["b_enc"]), len(part["b_dec"]))
        found |= {"encoder": part["W_enc"].T, "decoder": part["W_dec"], "bias": part["b_enc"]}
        found["decoder_bias"] = part["b_dec"]
    else:
        found |= {"encoder": part["encoder.weight"], "decoder": part["decoder.weight"].T}
        biases = ("bias", "decoder.bias", "decoder_bias", "b_dec")
        found["decoder_bias"] = next(part[name] for name in biases if name in part)
        if "encoder.bias" in part:
            found["bias"] = part["encoder.bias"]
    if "r_mag" in part:
        found["gate"] = (part["r_mag"], part["gate_bias"], part["mag_bias"])
    if "threshold" in names:
        found["threshold"] = part["threshold"]
    return found
