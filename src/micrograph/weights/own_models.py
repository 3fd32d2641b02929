"""Weights for a model that is in no registry: a file, the library's own, or random ones."""

from collections.abc import Iterable
from pathlib import Path

from torch import nn

from micrograph.cards.model_card import ModelCard
from micrograph.errors import Unavailable
from micrograph.weights.building import build, fill, seeded
from micrograph.weights.checkpoints import Chosen, choose, is_needless, largest
from micrograph.weights.conversion import Given
from micrograph.weights.formats import WeightsError
from micrograph.weights.readers import read_sets
from micrograph.weights.tensors import tensors_of, to_raw

def with_weights(card: ModelCard, file: Path | None, key: str = "") -> tuple[nn.Module, str]:
    """The network of a card, filled from `file`, or as it comes with weights; and where in the file
    they stood (see `fill_from`).

    Raises WeightsError for a file of another network, Unavailable if there are no weights.
    """
    if file is not None:
        module = build(card)
        return module, fill_from(module, card, file, key)
    if card.pretrained is None:
        raise Unavailable(
            f"{card.spec} comes without weights; give a file with --weights FILE, or "
            "--weights random for the untrained network"
        )
    return seeded(card.pretrained), ""


def fill_from(module: nn.Module, card: ModelCard, file: Path, key: str = "") -> str:
    """Fill the module from a weights file of any form whose names are those of its state dict,
    with anything in front. `key` says which of several sets of tensors is meant.

    Returns where in the file they stood, "" if they are all that it holds. Raises WeightsError if
    names or shapes are others, or if several sets fit.
    """
    form, sets = read_sets(file)
    own = {card.tensor_name(name): tensor for name, tensor in tensors_of(module).items()}
    chosen = choose(sets, own, file, key)
    for conversion in card.conversions:
        if conversion.form == form:
            given = largest(sets, chosen, file, key)
            made = conversion.convert(Given(given.tensors, file))
            chosen = Chosen(given.key, choose({"": made}, own, file).tensors)
            break
    if not any(name in own and not is_needless(name) for name in chosen.tensors):
        given_names = [name for tensors in sets.values() for name in tensors]
        raise WeightsError(
            f"{file} ({form}) is not for {card.id}: none of its {len(given_names)} tensors is named "
            f"as in the network's state dict ({_few(given_names)} instead of {_few(own)})"
        )
    fill(module, card, {name: to_raw(t) for name, t in chosen.tensors.items()}, file)
    return chosen.key


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:2]) + (", ..." if len(listed) > 2 else "")
