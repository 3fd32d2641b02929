"""From a card and a weights file to a model."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import nn

from micrograph.errors import BadInput
from micrograph.models import weights as store
from micrograph.models.card import ModelCard
from micrograph.models.formats import RawTensor, WeightsError
from micrograph.models.model import Model
from micrograph.models.tensors import module_digest, to_torch


def build(card: ModelCard) -> nn.Module:
    """The card's network with random weights; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        return card.build().eval()


def expected_shapes(card: ModelCard, module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that a weights file of this model holds."""
    return {card.tensor_name(n): tuple(t.shape) for n, t in module.state_dict().items()}


def check_names(given: Iterable[str], expected: Iterable[str], path: Path, model: str) -> None:
    """Raises WeightsError unless both name the same tensors."""
    missing, foreign = sorted(set(expected) - set(given)), sorted(set(given) - set(expected))
    if missing or foreign:
        parts = [
            f"{word} {', '.join(names[:3])}{', ...' if len(names) > 3 else ''} ({len(names)})"
            for word, names in (("lacks", missing), ("also holds", foreign))
            if names
        ]
        raise WeightsError(f"{path} is not for {model}: it {' and '.join(parts)}")


def fill(module: nn.Module, card: ModelCard, tensors: Mapping[str, RawTensor], path: Path) -> None:
    """Copy stored tensors into the module, converted to its dtypes. Names and shapes must fit.

    Optional parts (see `ModelCard.optional`) of which there is nothing are taken out of the module.
    """
    for part in card.optional:
        of_part = (f"{part}.{name}" for name in module.get_submodule(part).state_dict())
        if not any(card.tensor_name(name) in tensors for name in of_part):
            setattr(module, part, None)
    expected = expected_shapes(card, module)
    check_names(tensors, expected, path, card.id)
    for name, shape in expected.items():
        if tensors[name].shape != shape:
            raise WeightsError(
                f"{path} is not for {card.id}: {name} has shape {list(tensors[name].shape)}, "
                f"expected {list(shape)}"
            )
    with torch.no_grad():
        for name, target in module.state_dict().items():
            target.copy_(to_torch(tensors[card.tensor_name(name)]))


def load_card(card: ModelCard, *, weights: Path | None = None, device: str = "cpu") -> Model:
    """See `micrograph.models.load`."""
    where = checked_device(device)
    read = store.read(card, weights)
    module = build(card)
    fill(module, card, read.tensors, read.path)
    return Model(card, module.to(where), read.digest)


def untrained(card: ModelCard) -> Model:
    """The network of a card with random weights: its graph without its weights."""
    module = build(card)
    return Model(card, module, module_digest(module))


def checked_device(device: str) -> torch.device:
    """The torch device of that name. Raises BadInput if there is none here."""
    try:
        where = torch.device(device)
        torch.zeros(1, device=where).item()  # "meta" makes tensors but never their values
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"device {device!r} cannot be used here: {reason}; try 'cpu'") from None
    return where
