"""The network of a card: with random weights, or filled with those of a file."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from torch import nn

from micrograph.cards.model_card import ModelCard
from micrograph.weights.formats import RawTensor, WeightsError
from micrograph.weights.tensors import tensors_of, to_torch


def build(card: ModelCard) -> nn.Module:
    """The card's network with random weights, the same every time; the global random state stays as
    it was."""
    return seeded(card.build).eval()


def seeded(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """What `make` gives when the random numbers of torch begin at `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return make()


def expected_shapes(card: ModelCard, module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that a weights file of this model holds."""
    return {card.tensor_name(n): tuple(t.shape) for n, t in tensors_of(module).items()}


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
        for name, target in tensors_of(module).items():
            given = to_torch(tensors[card.tensor_name(name)])
            part, _, last = name.rpartition(".")
            if last == "_extra_state":  # what a module gives of itself, and takes in its own way
                module.get_submodule(part).set_extra_state(given)
            else:
                target.copy_(given)
