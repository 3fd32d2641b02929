"""Which nodes of a model a graph on one picture is drawn through, and what its target is."""

from collections.abc import Sequence

from micrograph.errors import BadInput, NotFound, not_found, short
from micrograph.graph import Dag, NodeKind, worth_seeing
from micrograph.models.model import Model
from micrograph.models.node import Node


def stages(model: Model, target: str) -> list[str]:
    """The nodes worth seeing that every path from the picture to `target` passes, in order.

    Single tokens count as a part of the node that they are tokens of: what goes past the others in
    a class token is a direct path. Where there is no such node, all those worth seeing on the way.
    """
    own = {id: node for id, node in model.nodes.items() if not NodeKind.of(node.kind).is_attached}
    place = _network_node(model, target)
    whole = {id: _whole(node, own) for id, node in own.items()}
    parents: dict[str, list[str]] = {id: [] for id in own}
    for id, node in own.items():
        parents[whole[id]] += [whole[p] for p in node.parents if p in own]
    merged = Dag({id: [p for p in ps if p != id] for id, ps in parents.items()})
    passed = set(merged.dominators(whole[place]))
    before = merged.ancestors(whole[place]) & Dag.of(own.values()).ancestors(place)
    seen = [
        n.id for n in worth_seeing(own) if n.id in before and not _is_finished_by(n, place, own)
    ]
    if place != target and place in own:
        seen = [id for id in seen if id != place]
    return [id for id in seen if id in passed] or seen


def chosen_nodes(
    model: Model, target: str, nodes: Sequence[str] | None, dictionaries: Sequence[str]
) -> list[str]:
    """The ids of `nodes`, or of the stages before `target`, in the order of a pass; each of
    `dictionaries`, nodes of latents, stands there for the node that it writes.

    Raises BadInput for a node that is not before the target, and for one that is no dictionary's.
    """
    given = stages(model, target) if nodes is None else [model.node(name).id for name in nodes]
    latents = {}
    for name in dictionaries:
        attached = model.attached(name)
        if attached is None:
            raise BadInput(
                f"{model.node(name).id} is no dictionary's; expected a node of latents, such as "
                "mixed4a.sae"
            )
        latents[attached.writes.id] = attached.node.id
    given = [id for id in given if id not in latents] + list(latents.values())
    before = Dag.of(model.nodes.values()).ancestors(target)
    for id in given:
        place = _network_node(model, id)
        if id == target or (place not in before and _network_node(model, target) != place):
            raise BadInput(f"{id} is not before {target}; choose nodes on the way to it")
        if id != place and place == _network_node(model, target):
            raise BadInput(f"{id} is not before {target}; choose nodes on the way to it")
    if not given:
        raise BadInput(f"no node is chosen before {target}; name some on the way to it")
    return sorted(dict.fromkeys(given), key=lambda id: model.node(_network_node(model, id)).index)


def target_of(model: Model, target: str | int | tuple[str, int]) -> tuple[str, int]:
    """Node and unit that a target names: "inception_4c/447", ("inception_4c", 447), a class by its
    number or name.

    Raises NotFound and BadInput for what is none.
    """
    if isinstance(target, tuple) and len(target) == 2:
        node, unit = target
    elif isinstance(target, str) and "/" in target and target not in model.labels:
        name, _, last = target.rpartition("/")
        node, unit = name.removeprefix(f"{model.id}/"), int(last) if last.isdecimal() else -1
    else:
        node, unit = _class(model, target)
    place = model.node(node)
    if isinstance(unit, bool) or not isinstance(unit, int) or not 0 <= unit < place.units:
        raise BadInput(
            f"{short(target)} is no unit of {place.id}; expected {place.id}/0 to "
            f"{place.id}/{place.units - 1}"
        )
    if NodeKind.of(place.kind) is NodeKind.SOFTMAX:
        raise BadInput(
            f"{place.id} is a softmax, whose shares depend on all classes at once; ask for the "
            f"class before it, such as {', '.join(place.parents)}/{unit}"
        )
    return place.id, unit


def logits_of(model: Model) -> Node | None:
    """The node whose units are the labels, before a softmax where there is one."""
    fits = [
        n
        for n in model.nodes.values()
        if n.units == len(model.labels)
        and not n.shape
        and not NodeKind.of(n.kind).is_attached
        and NodeKind.of(n.kind) is not NodeKind.SOFTMAX
    ]
    return fits[-1] if fits else None


def _class(model: Model, given: object) -> tuple[str, int]:
    logits = logits_of(model)
    if logits is None:
        raise BadInput(
            f"{short(given)} given, but {model.id} has no named classes; expected a unit, such as "
            f"{list(model.nodes)[-1]}/0"
        )
    if isinstance(given, int) and not isinstance(given, bool):
        return logits.id, given
    if str(given) in model.labels:
        return logits.id, model.labels.index(str(given))
    folded = [label.lower() for label in model.labels]
    named = [n for n, label in enumerate(folded) if str(given).lower() in label.split(", ")]
    if len(named) == 1:
        return logits.id, named[0]
    if len(named) > 1:
        raise NotFound(
            f"{short(given)} names {len(named)} classes of {model.id}; give one by number: "
            + ", ".join(map(str, named[:8])),
            [],
        )
    raise not_found("class", given, model.labels, model.id)


def _network_node(model: Model, id: str) -> str:
    attached = model.attached(id)
    return model.node(id).id if attached is None else attached.writes.id


def _whole(node: Node, nodes: dict[str, Node]) -> str:
    """The node that a single token is a position of; any other itself."""
    if not NodeKind.of(node.kind).is_token:
        return node.id
    whole = node.id.rpartition(".")[0]
    return whole if whole in nodes else node.id


def _is_finished_by(node: Node, target: str, nodes: dict[str, Node]) -> bool:
    """Whether the target shows the same units, finished: nobody who asks for it wants these."""
    kind = NodeKind.of(nodes[target].kind)
    return (
        node.id in nodes[target].parents
        and kind.is_activation
        and node.units == (nodes[target].units)
    )
