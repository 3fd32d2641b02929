"""From what a file says to the one form that is run: every convention folded into the tensors."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.dictionary import Dictionary, checked
from micrograph.weights.formats import digest_of
from micrograph.weights.tensors import to_raw


def folded(given: Description, tensors: Mapping[str, Tensor]) -> Dictionary:
    """The dictionary of a description. `tensors` are those of its file, for the digest.

    Sums are taken in float64. Raises BadInput where parts do not fit together.
    """
    _check_shapes(given)
    encoder, decoder = given.encoder.double(), given.decoder.double()
    written = decoder.shape[1]
    bias = _or_zeros(given.bias, len(encoder))
    threshold = _or_zeros(given.threshold, len(encoder))
    decoder_bias = _or_zeros(given.decoder_bias, written)
    activation = given.activation
    gain = None
    if given.gate is not None:
        encoder, bias, threshold = _ungated(encoder, given.gate)
        activation = "jumprelu" if activation == "relu" else activation
    if given.decoder_norms != "none":
        norms = decoder.norm(dim=1)
        encoder, bias = encoder * norms[:, None], bias * norms
        norms = norms.clamp(min=1e-8)
        if given.decoder_norms == "latents":
            decoder = decoder / norms[:, None]
        else:
            gain = 1 / norms
    shift = _shift(given, encoder.shape[1], decoder_bias)
    bias = bias - encoder @ shift
    back = given.scale if given.scale_back is None else given.scale_back
    decoder, decoder_bias = decoder / back, decoder_bias / back
    pursuit = given.pursuit
    if activation == "pursuit":  # in proportion to the inputs, as no step has a bias
        gain = torch.full((len(encoder),), given.scale, dtype=torch.float64)
        bias = bias / given.scale
        pursuit = (pursuit[0], pursuit[1] / given.scale, pursuit[2])
    else:
        encoder = encoder * given.scale
    if given.decoder_gain is not None:
        decoder = decoder * given.decoder_gain.double()[:, None]
    if given.mean is not None and not given.transcodes:
        decoder_bias = decoder_bias + given.mean.double()
    made = checked(
        Dictionary(
            kind=given.kind,
            digest="",
            encoder=encoder.float().contiguous(),
            decoder=decoder.float().contiguous(),
            bias=bias.float(),
            decoder_bias=decoder_bias.float(),
            threshold=threshold.float(),
            activation=activation,
            k=given.k,
            normalize=given.normalize,
            gain=None if gain is None else gain.float(),
            skip=None if given.skip is None else given.skip.float().contiguous(),
            transcodes=given.transcodes,
            restores=given.restores,
            pursuit=pursuit,
            facts=tuple(_facts(given).items()),
        )
    )
    return replace(made, digest=_digest(tensors, given, made))


def _check_shapes(given: Description) -> None:
    if given.encoder.ndim != 2 or given.decoder.ndim != 2:
        raise BadInput(
            f"its encoder has shape {list(given.encoder.shape)} and its decoder "
            f"{list(given.decoder.shape)}; expected matrices"
        )
    latents, units = given.encoder.shape
    written = given.decoder.shape[1]
    expected = {
        "bias": (given.bias, latents),
        "threshold": (given.threshold, latents),
        "decoder_bias": (given.decoder_bias, written),
        "input_bias": (given.input_bias, units),
        "mean": (given.mean, units),
        "decoder_gain": (given.decoder_gain, latents),
    }
    for number, part in enumerate(given.gate or ()):
        expected[("the gate's factor", "the gate's bias", "the magnitudes' bias")[number]] = (
            part,
            latents,
        )
    for name, (tensor, length) in expected.items():
        if tensor is not None and tuple(tensor.shape) not in ((length,), *_scalars(name)):
            raise BadInput(
                f"{name} has shape {list(tensor.shape)}, expected [{length}] for {latents} latents "
                f"of {units} units"
            )
    if len(given.decoder) != latents or not (given.transcodes or written == units):
        raise BadInput(
            f"its encoder has {latents} latents of {units} units and its decoder "
            f"{len(given.decoder)} of {written}; they must have as many"
        )


def _scalars(name: str) -> tuple[tuple[int, ...], ...]:
    return ((), (1,)) if name == "threshold" else ()


def _or_zeros(tensor: Tensor | None, length: int) -> Tensor:
    if tensor is None:
        return torch.zeros(length, dtype=torch.float64)
    return tensor.double().expand(length) if tensor.numel() == 1 else tensor.double()


def _ungated(encoder: Tensor, gate: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Encoder, bias and threshold of the JumpReLU that a gated dictionary is.

    Both of its paths read one matrix W: on where W x + gate > 0, and then relu(exp(r) W x + size).
    The second is above size - exp(r) gate exactly where the first is above 0 (Rajamanoharan et
    al., "Improving dictionary learning with gated sparse autoencoders", 2024).
    """
    factor, gate_bias, bias = (part.double() for part in gate)
    factor = factor.exp()
    threshold = (bias - factor * gate_bias).clamp(min=0)
    return encoder * factor[:, None], bias, threshold


def _shift(given: Description, units: int, decoder_bias: Tensor) -> Tensor:
    """What is taken from the inputs after they were scaled."""
    shift = torch.zeros(units, dtype=torch.float64)
    if given.subtract:
        shift = shift + decoder_bias
    if given.input_bias is not None:
        shift = shift + given.input_bias.double()
    if given.mean is not None:
        shift = shift + given.scale * given.mean.double()
    return shift


def _digest(tensors: Mapping[str, Tensor], given: Description, made: Dictionary) -> str:
    """Of the tensors as they are in the file, and of how they are used; titles do not matter."""
    content = digest_of({name: to_raw(tensor) for name, tensor in tensors.items()})
    settings = given.settings()
    if given.outside:
        names = ("encoder", "decoder", "bias", "decoder_bias", "threshold")
        settings["folded"] = digest_of({name: to_raw(getattr(made, name)) for name in names})
    text = json.dumps(["micrograph dictionary 1", content, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _facts(given: Description) -> dict[str, object]:
    """What people may want to know of it, plain JSON."""
    said = {
        "format": given.format,
        "architecture": given.architecture,
        "reads": given.hooks.reads,
        "writes": given.hooks.writes,
        "model": given.hooks.model,
        "normalize": "" if given.normalize == "none" else given.normalize,
    }
    facts = dict(given.figures) | {name: value for name, value in said.items() if value}
    return facts | ({"notes": list(given.notes)} if given.notes else {})
