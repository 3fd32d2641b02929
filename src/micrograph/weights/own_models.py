"""Weights for a model that is in no registry: a file, the library's own, or random ones."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor, nn

from micrograph.cards.model_card import ModelCard
from micrograph.errors import Unavailable
from micrograph.weights.building import build, fill, seeded
from micrograph.weights.conversion import Given
from micrograph.weights.formats import WeightsError
from micrograph.weights.readers import read_any
from micrograph.weights.tensors import tensors_of, to_raw

_NEEDLESS = ("num_batches_tracked", "position_ids", "relative_position_index", "attn_mask")
"""Last parts of the names of buffers that follow from the network, so that files may lack them or
have them where the network does not."""


def with_weights(card: ModelCard, file: Path | None) -> nn.Module:
    """The network of a card, filled from `file`, or as it comes with weights.

    Raises WeightsError for a file of another network, Unavailable if there are no weights.
    """
    if file is not None:
        module = build(card)
        fill_from(module, card, file)
        return module
    if card.pretrained is None:
        raise Unavailable(
            f"{card.spec} comes without weights; give a file with --weights FILE, or "
            "--weights random for the untrained network"
        )
    return seeded(card.pretrained)


def fill_from(module: nn.Module, card: ModelCard, file: Path) -> None:
    """Fill the module from a weights file of any form whose names are those of its state dict,
    with anything in front. Raises WeightsError if names or shapes are others."""
    form, given = read_any(file)
    for conversion in card.conversions:
        if conversion.form == form:
            given = conversion.convert(Given(given, file))
            break
    own = {card.tensor_name(name): tensor for name, tensor in tensors_of(module).items()}
    named = fitting(given, own)
    if not any(name in own and not _is_needless(name) for name in named):
        raise WeightsError(
            f"{file} ({form}) is not for {card.id}: none of its {len(given)} tensors is named as "
            f"in the network's state dict ({_few(given)} instead of {_few(own)})"
        )
    fill(module, card, {name: to_raw(tensor) for name, tensor in named.items()}, file)


def fitting(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What of `given` is meant for the network, by its names there.

    A prefix that all names have (`module.`, `state_dict.model.`) is taken away; what lies beside it
    (an optimizer, other towers) is left out.
    """
    first = next((name for name in own if not _is_needless(name)), "")
    ends = [name for name in given if name == first or name.endswith(f".{first}")]
    prefix = min(ends, key=len).removesuffix(first) if ends else ""
    named = {n.removeprefix(prefix): t for n, t in given.items() if n.startswith(prefix)}
    tops = {name.partition(".")[0] for name in own}
    if len(tops) == 1 and any("." in name for name in own):
        named = {n: t for n, t in named.items() if n.partition(".")[0] in tops}
    found = {n: t for n, t in named.items() if n in own or not _is_needless(n)}
    return {n: t for n, t in own.items() if _is_needless(n)} | found


def _is_needless(name: str) -> bool:
    return name.rpartition(".")[2] in _NEEDLESS


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:2]) + (", ..." if len(listed) > 2 else "")
