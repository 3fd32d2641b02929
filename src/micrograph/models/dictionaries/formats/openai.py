"""OpenAI's sparse_autoencoder: a torch file of a state dict, with its activation among the tensors.

    latents = activation(encoder @ (x - pre_bias) + latent_bias)

The library normalizes the inputs (as a layer norm, by the sample's deviation) exactly where the
activation is TopK. Its counts of how often latents speak lie in the state dict, too.
"""

from collections.abc import Mapping
from typing import Any

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import common
from micrograph.models.dictionaries.keys import whole

NAME = "OpenAI"
_COUNTS = ("stats_last_nonzero", "latents_activation_frequency", "latents_mean_square")
_WORDS = {"relu": "relu", "identity": "none", "none": "none", "topk": "topk"}


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether it has the names of its two biases."""
    return given.has("pre_bias", "latent_bias", "encoder.weight")


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    encoder, bias, pre_bias = common.needed(
        given, NAME, "encoder.weight", "latent_bias", "pre_bias"
    )
    tied = "decoder.weight" not in given.names
    decoder = encoder if tied else common.needed(given, NAME, "decoder.weight")[0].T
    used = ("encoder.weight", "latent_bias", "pre_bias", "decoder.weight", "decoder.linear.weight")
    common.only(given, NAME, used, _COUNTS)
    activation, k = _activation(given, options)
    return Description(
        NAME,
        "TopK" if activation.startswith("topk") else "ReLU" if activation == "relu" else activation,
        encoder=encoder,
        decoder=decoder,
        bias=bias,
        decoder_bias=pre_bias,
        activation=activation,
        k=k,
        subtract=True,
        normalize="layer_norm_sample" if activation.startswith("topk") else "none",
    )


def _activation(given: Contents, options: Mapping[str, Any]) -> tuple[str, int]:
    tree = given.tree if isinstance(given.tree, dict) else {}
    state = common.mapping(tree.get("activation_state_dict"), "activation_state_dict")
    texts = {name.lower(): value for name, value in given.texts.items()}
    word = str(options.get("activation") or tree.get("activation") or texts.get("activation") or "")
    if not word:
        raise BadInput(
            "its activation is not said, and tensors of these names are mostly of TopK; say "
            "activation=topk and k=..., or activation=relu"
        )
    if (activation := _WORDS.get(word.lower())) is None:
        raise BadInput(f"activation {short(word)} is unknown; expected TopK, ReLU or Identity")
    if activation != "topk":
        return activation, 0
    k = options.get("k") or state.get("k") or tree.get("activation.k") or texts.get("k")
    if k is None:
        raise BadInput("its activation is TopK, and how many speak is not said; say k=...")
    after = str(state.get("postact_fn", "ReLU")).lower()
    if after not in ("relu", "identity"):
        raise BadInput(f"postact_fn {short(after)} is unknown; expected ReLU or Identity")
    return "topk" if after == "relu" else "topk_signed", whole(k, "k")
