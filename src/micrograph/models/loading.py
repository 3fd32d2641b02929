"""From a card and a weights file to a model."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from micrograph.errors import BadInput
from micrograph.models import weights as store
from micrograph.models.card import ModelCard, WeightsSource
from micrograph.models.formats import RawTensor, WeightsError
from micrograph.models.model import Model
from micrograph.models.tensors import module_digest, to_torch
from micrograph.models.uninitialized import Uninitialized

RANDOM = "random"
"""Named instead of a weights file: the untrained network."""


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


def load_card(
    card: ModelCard, *, weights: Path | str | None = None, device: str = "cpu"
) -> Model:
    """See `micrograph.models.load`."""
    where = checked_device(device)
    if card.spec:
        card = _named_by(card, weights)
    weights = weights or card.weights or None
    file = None if weights is None or weights == RANDOM else Path(weights)
    if weights == RANDOM:  # what its logits mean nobody knows
        model = untrained(_told(replace(card, labels=()), "random weights"))
    elif card.spec:
        model = _brought(card, file)
    else:
        model = _verified(card, file)
    model.module.to(where)
    return model


def _verified(card: ModelCard, file: Path | None) -> Model:
    read = store.read(card, file)
    with Uninitialized():
        module = build(card)
    fill(module, card, read.tensors, read.path)
    return Model(card, module, read.digest)


def _named_by(card: ModelCard, weights: Path | str | None) -> ModelCard:
    """With the words of the command that names it as its source."""
    said = card.spec
    if weights or (card.weights and " --weights " not in said):
        said = f"{said.partition(' --weights ')[0]} --weights {weights or card.weights}"
    return replace(card, sources=(WeightsSource(said),))


def _brought(card: ModelCard, file: Path | None) -> Model:
    from micrograph.models.adapters.loading import with_weights

    file = file or store.status(card).path
    told = f"weights from {file.name}" if file else "weights as they come with it"
    return _whole(_told(card, told), with_weights(card, file))


def _told(card: ModelCard, weights: str) -> ModelCard:
    return replace(card, lineage=f"{card.lineage}; {weights}".removeprefix("; "))


def untrained(card: ModelCard) -> Model:
    """The network of a card with random weights, the same every time."""
    return _whole(card, build(card))


def _whole(card: ModelCard, module: nn.Module) -> Model:
    """The model of a network that holds all its tensors; one from elsewhere has run once."""
    from micrograph.models.adapters.loading import first_pass

    if not card.spec:
        return Model(card, module, module_digest(module))
    module = module.float()
    card = replace(card, parameters=sum(p.numel() for p in module.parameters()))
    names = {name: card.tensor_name(name) for name in module.state_dict()}
    return first_pass(Model(card, module, module_digest(module, names)))


def checked_device(device: str) -> torch.device:
    """The torch device of that name. Raises BadInput if there is none here."""
    try:
        where = torch.device(device)
        torch.zeros(1, device=where).item()  # "meta" makes tensors but never their values
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"device {device!r} cannot be used here: {reason}; try 'cpu'") from None
    return where
