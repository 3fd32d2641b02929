"""From a card and a weights file to a model."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.models.uninitialized import Uninitialized
from micrograph.weights import store
from micrograph.weights.building import build, fill
from micrograph.weights.checkpoints import split_key
from micrograph.weights.own_models import with_weights
from micrograph.weights.tensors import extra_state, module_digest
from micrograph.weights.usable import usable

RANDOM = "random"
"""Named instead of a weights file: the untrained network."""


def load_card(card: ModelCard, *, weights: Path | str | None = None, device: str = "cpu") -> Model:
    """See `micrograph.models.load`."""
    where = checked_device(device)
    if card.spec:
        card = _with_command_as_source(card, weights)
    weights = weights or card.weights or None
    file, key = (None, "") if weights in (None, RANDOM) else split_key(weights)
    if weights == RANDOM:  # its logits have no meaning
        model = untrained(_with_lineage(replace(card, labels=()), "random weights"))
    elif card.spec:
        model = _of_unregistered_card(card, file, key)
    else:
        model = _verified(card, file)
    model.module.to(where)
    return model


def _verified(card: ModelCard, file: Path | None) -> Model:
    """The model of a card of the registry, with weights whose digest is the card's."""
    read = store.read(card, file)
    with Uninitialized():
        module = build(card)
    fill(module, card, read.tensors, read.path)
    return Model(card, module, read.digest)


def _with_command_as_source(card: ModelCard, weights: Path | str | None) -> ModelCard:
    """With the words of the command that names it as its source."""
    said = card.spec
    if weights or (card.weights and " --weights " not in said):
        said = f"{said.partition(' --weights ')[0]} --weights {weights or card.weights}"
    return replace(card, sources=(WeightsSource(said),))


def _of_unregistered_card(card: ModelCard, file: Path | None, key: str) -> Model:
    """The model of a card that is in no registry, with weights from `file` or its library."""
    file = file or store.status(card).path
    module, place = with_weights(card, file, key)
    inside = f", those under {place!r}" if place else ""
    if file and (own := extra_state(module)):  # only tensors are read from files
        inside += f" (what {', '.join(own[:3])} keeps besides tensors is as it was made)"
    lineage = f"weights from {file.name}{inside}" if file else "weights as they come with it"
    return _checked_complete(_with_lineage(card, lineage), module)


def _with_lineage(card: ModelCard, weights: str) -> ModelCard:
    """`card`, whose lineage also says which weights these are."""
    return replace(card, lineage=f"{card.lineage}; {weights}".removeprefix("; "))


def untrained(card: ModelCard) -> Model:
    """The network of a card with random weights, the same every time."""
    return _checked_complete(card, build(card))


def _checked_complete(card: ModelCard, module: nn.Module) -> Model:
    """The model of a network that holds all its tensors; one from elsewhere has run once."""
    if not card.spec:
        return Model(card, module, module_digest(module))
    module = usable(module, card.spec).float()
    card = replace(card, parameters=sum(p.numel() for p in module.parameters()))
    names = {name: card.tensor_name(name) for name in module.state_dict()}
    return _checked_by_running(Model(card, module, module_digest(module, names)))


def _checked_by_running(model: Model) -> Model:
    """`model` itself, once it has run. Raises BadInput for one that does not run on pictures."""
    if not model.nodes:
        raise BadInput(
            f"{model.card.spec} has no nodes: none of its modules gives a tensor whose units could "
            "be told"
        )
    return model


def checked_device(device: str) -> torch.device:
    """The torch device of that name. Raises BadInput if there is none here."""
    try:
        where = torch.device(device)
        torch.zeros(1, device=where).item()  # "meta" makes tensors but never their values
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"device {device!r} cannot be used here: {reason}; try 'cpu'") from None
    return where
