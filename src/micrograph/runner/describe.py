"""The engine's model and nodes as the records an atlas keeps."""

import platform
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from micrograph.atlas import DictionaryRecord, ModelRecord, NodeRecord
from micrograph.graph import worth_seeing

if TYPE_CHECKING:
    from micrograph.cards.model_card import ModelCard
    from micrograph.models.model import Model
    from micrograph.models.node import Node


def model_record(model: "Model") -> ModelRecord:
    """What an atlas says of its model."""
    return _with_coverage(card_record(model.card, model.digest), model)


def _with_coverage(record: ModelRecord, model: "Model") -> ModelRecord:
    """The record, with what is not covered where there is something."""
    return replace(record, coverage=model.coverage) if str(model.coverage) else record


def card_record(card: "ModelCard", digest: str) -> ModelRecord:
    """The same from a card, for weights of this digest ("" where they are unknown)."""
    source = card.sources[0] if card.sources else None
    return ModelRecord(
        id=card.id,
        title=card.title,
        digest=digest,
        summary=card.summary,
        parameters=card.parameters,
        labels=tuple(card.labels),
        preprocessing=card.preprocessing.as_dict(),
        paper=card.paper,
        paper_url=card.paper_url,
        licence=card.licence,
        lineage=card.lineage,
        source="" if source is None else source.url or source.title,
    )


def node_records(model: "Model") -> list[NodeRecord]:
    """The records of a model's nodes, in graph order. Which are worth seeing is decided here, once,
    and stored in the atlas."""
    worth = {node.id for node in worth_seeing(model.nodes)}
    return [_node_record(node, node.id in worth) for node in model.nodes.values()]


def _node_record(node: "Node", worth: bool) -> NodeRecord:
    field = node.receptive_field
    return NodeRecord(
        id=node.id,
        index=node.index,
        kind=node.kind,
        units=node.units,
        shape=tuple(node.shape),
        field_size=field.size,
        field_stride=field.stride,
        field_start=field.start,
        field_status=field.status,
        parents=tuple(node.parents),
        aliases=tuple(node.aliases),
        worth=worth,
    )


def dictionary_records(model: "Model") -> list[DictionaryRecord]:
    """What an atlas says of the dictionaries that were attached."""
    found = [model.attached(node) for node in model.nodes]
    return [
        DictionaryRecord(one.node.id, one.dictionary.digest, one.dictionary.about())
        for one in found
        if one is not None
    ]


def made_with(model: "Model") -> dict[str, str]:
    """Versions and device: what a recipe leaves open, and rounding depends on."""
    import torch

    device = torch.device(model.device)
    cuda = device.type == "cuda"
    try:
        package = version("micrograph")
    except PackageNotFoundError:  # run from a source tree that is not installed
        package = "source tree"
    return {
        "micrograph": package,
        "torch": str(torch.__version__),
        "device": torch.cuda.get_device_name(device) if cuda else device.type,
        "machine": platform.machine(),
    }
