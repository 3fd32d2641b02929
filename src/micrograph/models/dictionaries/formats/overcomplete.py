"""OverComplete, archetypal dictionaries, and Universal SAEs, as `torch.save` writes them.

    latents = activation(normalized(encoder @ x + bias))

The whole module may be saved, or its state dict, or a checkpoint that holds one. The encoder is one
layer, with or without a batch norm, or the dictionary itself. Thresholds of JumpSAE are logarithms.
A state dict does not say of which class it is: k, and the threshold of BatchTopK, are not in it.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.formats import common
from micrograph.models.dictionaries.keys import finite
from micrograph.models.dictionaries.keys import whole as whole_number
from micrograph.weights.readers.torch_objects import Record

NAME = "OverComplete"
CLASSES = ("SAE", "TopKSAE", "BatchTopKSAE", "JumpSAE", "RATopKSAE", "RAJumpSAE", "MpSAE")
_UNKNOWN = ("QSAE", "OMPSAE")
_NORM = "encoder.final_block.1."
_EPSILON = 1e-5


def claims(given: Contents, options: Mapping[str, Any]) -> bool:
    """Whether it has one of its two kinds of dictionary."""
    return "dictionary._weights" in given.names or given.has("dictionary.W", "dictionary.C")


def describe(given: Contents, options: Mapping[str, Any]) -> Description:
    """See `formats.Format`."""
    whole = given.tree if isinstance(given.tree, Record) else None
    of_class = _class(given, whole, options)
    atoms = _atoms(given, whole, options)
    activation, k, threshold = _activation(given, whole, options, of_class)
    used = ["dictionary._weights", "dictionary.multiplier", "thresholds"]
    used += [f"dictionary.{name}" for name in ("W", "C", "Relax")]
    if activation == "pursuit":
        common.only(given, f"{NAME} ({of_class})", used)
        return Description(
            NAME,
            of_class,
            encoder=atoms,
            decoder=atoms,
            activation="pursuit",
            k=k,
            pursuit=(False, 0.0, True),
            outside=True,
        )
    encoder, bias, names = _encoder(given, whole, atoms)
    common.only(given, f"{NAME} ({of_class})", [*used, *names])
    return Description(
        NAME,
        of_class,
        encoder=encoder,
        decoder=atoms,
        bias=bias,
        threshold=threshold,
        activation=activation,
        k=k,
        outside=True,
    )


def _class(given: Contents, whole: Record | None, options: Mapping[str, Any]) -> str:
    named = str(options.get("architecture") or (whole.name if whole else ""))
    if "thresholds" in given.names:
        named = named or "JumpSAE"
    if not named and options.get("k"):
        named = "TopKSAE"
    if named in _UNKNOWN or "Q" in given.names:
        raise BadInput(
            f"it is of the class {named or 'QSAE'} of OverComplete, which is not understood; "
            f"expected one of {', '.join(CLASSES)}"
        )
    if named and named not in CLASSES:
        raise BadInput(
            f"class {short(named)} of OverComplete is unknown; expected one of {', '.join(CLASSES)}"
        )
    if not named:
        raise BadInput(
            "it is a state dict, which does not say of which class: say architecture=TopKSAE and "
            "k=..., architecture=BatchTopKSAE and threshold=..., or architecture=SAE (ReLU)"
        )
    return named


def _activation(
    given: Contents, whole: Record | None, options: Mapping[str, Any], of_class: str
) -> tuple[str, int, Tensor | None]:
    """Its name, k and threshold."""
    fields = whole.attributes if whole else {}
    if of_class in ("TopKSAE", "RATopKSAE", "MpSAE"):
        name = "k" if of_class == "MpSAE" else "top_k"
        k = options.get("k") or fields.get(name)
        if k is None:
            raise BadInput("how many latents speak is not in the file; say k=...")
        return ("pursuit" if of_class == "MpSAE" else "topk"), whole_number(k, "k"), None
    if of_class == "BatchTopKSAE":
        threshold = options.get("threshold", fields.get("running_threshold"))
        if threshold is None:
            raise BadInput("its running_threshold is not in a state dict; say threshold=...")
        return "jumprelu", 0, _from(torch.tensor(finite(threshold, "threshold")))
    if of_class in ("JumpSAE", "RAJumpSAE"):
        (logarithms,) = common.needed(given, of_class, "thresholds")
        return "jumprelu", 0, _from(logarithms.exp())
    return "relu", 0, None


def _from(threshold: Tensor) -> Tensor:
    """The threshold above which what is at this one speaks, too: here it does."""
    below = torch.nextafter(threshold.float(), torch.tensor(-torch.inf))
    return below.clamp(min=0)


def _atoms(given: Contents, whole: Record | None, options: Mapping[str, Any]) -> Tensor:
    """The rows of the dictionary [latent, unit], as `get_dictionary` gives them."""
    factor = common.optional(given, "dictionary.multiplier")
    factor = torch.zeros(()) if factor is None else factor
    if "dictionary.W" in given.names:
        parts = common.needed(given, NAME, *(f"dictionary.{n}" for n in ("W", "C", "Relax")))
        mix, points, relax = (part.double() for part in parts)
        mix = mix.relu()
        mix = mix / (mix.sum(-1, keepdim=True) + 1e-8)
        delta = _part(whole, "dictionary").get("delta")
        if isinstance(delta, int | float):
            relax = relax * (delta / relax.norm(dim=-1, keepdim=True)).clamp(max=1).nan_to_num(1.0)
        return ((mix @ points + relax) * factor.double().exp()).float()
    (weights,) = common.needed(given, NAME, "dictionary._weights")
    return _normalized(weights, whole, options) * factor.exp()


def _normalized(weights: Tensor, whole: Record | None, options: Mapping[str, Any]) -> Tensor:
    function = _part(whole, "dictionary").get("normalization")
    word = str(options.get("atoms") or "")
    if not word and isinstance(function, Record):
        word = function.name.removeprefix("normalize_")
    lengths = weights.norm(dim=1, keepdim=True)
    if not word:
        if not torch.allclose(lengths, torch.ones_like(lengths), atol=0.2):
            raise BadInput(
                "its atoms are not of length one, and a state dict does not say how they are "
                "normalized: say atoms=l2, max_l2, l1, max_l1 or identity"
            )
        word = "l2"
    sums = weights.abs().sum(1, keepdim=True)
    known: dict[str, Tensor] = {
        "l2": weights / (lengths + 1e-8),
        "max_l2": weights / lengths.max(),
        "l1": weights / (sums + 1e-8),
        "max_l1": weights / sums.max(),
        "identity": weights,
    }
    if word not in known:
        raise BadInput(f"atoms normalized by {short(word)} are not understood; say atoms=...")
    return known[word]


def _encoder(
    given: Contents, whole: Record | None, atoms: Tensor
) -> tuple[Tensor, Tensor | None, list[str]]:
    """Matrix and bias of the encoder, and the names of what they were read from."""
    inner = sorted({name.split(".")[1] for name in given.names if name.startswith("encoder.")})
    if more := [n for n in inner if n in ("mlp_blocks", "attention_blocks", "resnet_blocks")]:
        raise BadInput(f"its encoder has {more[0]}, which is not understood; expected one layer")
    _check_output(whole)
    if "encoder.final_block.0.weight" not in given.names:
        weight = common.optional(given, "encoder.weight")
        names = ["encoder.weight", "encoder.bias"]
        names += [name for name in given.names if name.startswith("encoder.tied_to.")]
        return (atoms if weight is None else weight), common.optional(given, "encoder.bias"), names
    first = ["encoder.final_block.0.weight", "encoder.final_block.0.bias"]
    weight, bias = common.needed(given, NAME, *first)
    if not any(name.startswith(_NORM) for name in given.names):
        return weight, bias, first
    stats = ["running_mean", "running_var", "weight", "bias"]
    if f"{_NORM}running_mean" not in given.names:
        raise BadInput("its encoder has a layer norm over the latents, which is not understood")
    mean, variance, gain, shift = common.needed(given, NAME, *(_NORM + name for name in stats))
    factor = gain.double() / (variance.double() + _eps(whole)).sqrt()
    weight = weight.double() * factor[:, None]
    bias = (bias.double() - mean.double()) * factor + shift.double()
    return weight, bias, [*first, *(_NORM + n for n in (*stats, "num_batches_tracked"))]


def _part(whole: Record | None, *path: str) -> dict[str, Any]:
    """The attributes of a module inside the whole one; empty where there is none."""
    found: Any = whole
    for name in path:
        modules = found.attributes.get("_modules") if isinstance(found, Record) else None
        found = modules.get(name) if isinstance(modules, dict) else None
    return found.attributes if isinstance(found, Record) else {}


def _eps(whole: Record | None) -> float:
    return finite(_part(whole, "encoder", "final_block", "1").get("eps", _EPSILON), "eps")


def _check_output(whole: Record | None) -> None:
    """Raises BadInput where the encoder ends in another activation than a ReLU."""
    modules = _part(whole, "encoder").get("_modules")
    last = modules.get("final_activation") if isinstance(modules, dict) else None
    if isinstance(last, Record) and last.name != "ReLU":
        raise BadInput(f"its encoder ends in {last.name}, which is not understood; expected ReLU")
