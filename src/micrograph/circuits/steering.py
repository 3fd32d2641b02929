"""Steering: what changes on a picture when some units are silenced, scaled or given more.

The same is done to random units of the same node that were about as active on the picture, so that
what any change of this size would do can be told from what these units do.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from micrograph.circuits.altering import ALIKE, Change, altered_answers, check_units, matched_units
from micrograph.circuits.choosing import logits_of
from micrograph.circuits.seen_picture import SeenPicture, seen_picture
from micrograph.circuits.steered import Effect, NodeEffects, Steered
from micrograph.errors import BadInput, short
from micrograph.graph import Dag, NodeKind, worth_seeing
from micrograph.models.model import Model
from micrograph.steps import StepHook

CONTROLS = 20
MOST_CONTROLS = 1000
UNITS = 10
"""Units that are told of each node: those that change most."""
CLASSES = 10
WAYS = {"silence": Change(0.0), "halve": Change(0.5), "double": Change(2.0)}


def steer(
    model: Model,
    picture: "SeenPicture | Tensor | np.ndarray | str",
    node: str,
    units: int | Sequence[int],
    how: str | float = "silence",
    *,
    add: float | None = None,
    controls: int = CONTROLS,
    nodes: Sequence[str] | None = None,
    seed: int = 0,
    on_step: StepHook | None = None,
) -> Steered:
    """What becomes of classes and of units behind `node` when `units` of it are changed.

    Parameters:
        picture: a file or the name of one that ships, or RGB [3, y, x] in 0..1.
        node, units: a unit, or a group of units of one node; latents of a dictionary too.
        how: "silence", "halve", "double", or a factor for their values at every position.
        add: instead of that, what is added to their values at every position.
        controls: with how many random units (or groups of as many) of the node it is compared.
            They are matched by mean activation on this picture.
        nodes: which nodes behind are looked at; by default all those worth seeing.
        seed: for drawing the controls.

    Raises NotFound and BadInput for what is not there, and for nodes that are not behind.

    >>> from micrograph import load
    >>> found = steer(load("toytown"), "car", "mixed4c", 3, nodes=["logits"])
    >>> len(found.controls), found.nodes[0].node, len(found.classes)
    (20, 'logits', 10)
    """
    place = model.node(node).id
    group = [units] if isinstance(units, int) else list(units)
    check_units(model, place, group)
    if not 2 <= controls <= MOST_CONTROLS:
        raise BadInput(f"controls {controls} given; expected a number from 2 to {MOST_CONTROLS}")
    change, words = _change(how, add)
    behind = _behind(model, place, nodes)
    seen = seen_picture(picture, model)
    logits = logits_of(model)
    after = Dag.of(model.nodes.values()).descendants(_written(model, place))
    classes = [logits.id] if logits is not None and logits.id in after else []
    watch = list(dict.fromkeys([*behind, *classes]))
    with torch.no_grad():
        levels = _per_unit(model.run(seen.tensor, [place])[place].float())[0].cpu().numpy()
    matched = matched_units(levels.tolist(), group, controls, seed)
    if len(matched) < 2:
        raise BadInput(
            f"{place} has {len(levels)} units, too few for controls of {len(group)}; "
            "choose fewer units"
        )
    groups: list[Mapping[str, Sequence[int]]] = [{}, {place: group}]
    groups += [{place: one} for one in matched]
    answers = _answers(model, seen.tensor, groups, change, watch, on_step)
    level = float(np.abs(levels[group]).mean())
    others = [float(np.abs(levels[one]).mean()) for one in matched]
    return Steered(
        model=model.id,
        digest=model.digest,
        picture=seen.name,
        picture_digest=seen.digest,
        node=place,
        units=tuple(group),
        how=words,
        factor=change.factor,
        amount=change.amount,
        activation=level,
        controls=tuple(tuple(one) for one in matched),
        control_activation=float(np.median(others)),
        matched=_are_alike(level, float(np.median(others))),
        classes=_class_effects(model, answers[classes[0]]) if classes else (),
        nodes=tuple(_node_effects(name, _per_unit(answers[name])) for name in behind),
        notes=tuple(_notes(controls, len(matched), level, float(np.median(others)), change)),
    )


def _change(how: str | float, add: float | None) -> tuple[Change, str]:
    if add is not None:
        if not np.isfinite(add) or add == 0:
            raise BadInput(f"add {add} given; expected a number other than 0")
        return Change(1.0, float(add)), f"add {add:g}"
    if isinstance(how, str) and how in WAYS:
        return WAYS[how], how
    try:
        factor = float(how)
    except (TypeError, ValueError):
        raise BadInput(
            f"{short(how)} is no way to steer; expected {', '.join(WAYS)} or a factor"
        ) from None
    if not np.isfinite(factor) or factor == 1:
        raise BadInput(f"factor {factor:g} given; expected a finite number other than 1")
    return Change(factor), f"times {factor:g}"


def _written(model: Model, node: str) -> str:
    attached = model.attached(node)
    return node if attached is None else attached.writes.id


def _behind(model: Model, node: str, nodes: Sequence[str] | None) -> list[str]:
    own = {id: n for id, n in model.nodes.items() if not NodeKind.of(n.kind).is_attached}
    after = Dag.of(model.nodes.values()).descendants(_written(model, node))
    if nodes is None:
        found = [n.id for n in worth_seeing(own) if n.id in after]
        if not found:
            raise BadInput(f"nothing worth seeing is behind {node}; steer a node before it")
        return found
    chosen = [model.node(name).id for name in nodes]
    for name in chosen:
        if name not in after or name == node:
            raise BadInput(f"{name} is not behind {node}; steering it changes nothing there")
    if not chosen:
        raise BadInput("no node is named; expected some, or None for all those worth seeing")
    return list(dict.fromkeys(chosen))


def _answers(
    model: Model,
    picture: Tensor,
    groups: Sequence[Mapping[str, Sequence[int]]],
    change: Change,
    watch: Sequence[str],
    on_step: StepHook | None,
) -> dict[str, Tensor]:
    """As `altered_answers`, but of maps only their means, so that many groups fit."""
    parts: dict[str, list[Tensor]] = {name: [] for name in watch}
    steps = range(0, len(groups), 8)
    for number, start in enumerate(steps):
        found = altered_answers(model, picture, groups[start : start + 8], change, watch)
        for name, values in found.items():
            parts[name].append(_per_unit(values))
        if on_step is not None:
            on_step(number + 1, len(steps))
    return {name: torch.cat(values) for name, values in parts.items()}


def _per_unit(values: Tensor) -> Tensor:
    """[batch, unit, ...] to [batch, unit]: means over the map."""
    return values.flatten(2).mean(2) if values.ndim > 2 else values


def _class_effects(model: Model, logits: Tensor) -> tuple[Effect, ...]:
    """The strongest classes before, and those that change most, by their share of all."""
    is_share = bool((logits >= 0).all()) and bool(((logits.sum(1) - 1).abs() < 1e-3).all())
    shares = (logits if is_share else logits.softmax(1)).double().cpu().numpy()
    changes = np.abs(shares[1] - shares[0])
    shown = dict.fromkeys(np.argsort(-shares[0], kind="stable")[: CLASSES // 2].tolist())
    shown |= dict.fromkeys(np.argsort(-changes, kind="stable").tolist()[:CLASSES])
    chosen = sorted(list(shown)[:CLASSES], key=lambda number: -changes[number])
    return tuple(_effect(number, shares, model.labels[number]) for number in chosen)


def _node_effects(name: str, values: Tensor) -> NodeEffects:
    means = values.double().cpu().numpy()
    changes = np.abs(means[1:] - means[0])
    order = np.argsort(-changes[0], kind="stable")[:UNITS].tolist()
    # How far the whole node moved, in parts of how long it was.
    length = float(np.linalg.norm(means[0])) or 1.0
    moved = np.linalg.norm(means[1:] - means[0], axis=1) / length
    whole = _compared(float(moved[0]), moved[1:])
    return NodeEffects(
        node=name,
        units_in_all=means.shape[1],
        changed=int((changes[0] > 1e-6 * max(1.0, float(np.abs(means[0]).max()))).sum()),
        moved=float(moved[0]),
        moved_controls=float(moved[1:].mean()),
        moved_effect=whole[0],
        moved_rank=whole[1],
        moved_p=whole[2],
        units=tuple(_effect(unit, means) for unit in order if changes[0, unit] > 0),
    )


def _effect(number: int, values: np.ndarray, label: str = "") -> Effect:
    """`values` [before, steered and controls, unit]."""
    change = float(values[1, number] - values[0, number])
    controls = values[2:, number] - values[0, number]
    size, rank, p = _compared(change, controls)
    return Effect(
        unit=number,
        label=label,
        before=float(values[0, number]),
        after=float(values[1, number]),
        change=change,
        controls_mean=float(controls.mean()),
        controls_sd=float(controls.std(ddof=1)),
        effect=size,
        rank=rank,
        p=p,
    )


def _compared(change: float, controls: np.ndarray) -> tuple[float | None, int, float]:
    """Effect size (None where all controls did the same), the rank of |change| among all (1 is the
    largest), and the part of all that changed at least as much (permutation p)."""
    sd = float(controls.std(ddof=1))
    size = (change - float(controls.mean())) / sd if sd > 0 else None
    as_large = int((np.abs(controls) >= abs(change)).sum())
    return size, as_large + 1, (as_large + 1) / (len(controls) + 1)


def _are_alike(level: float, other: float) -> bool:
    if level == 0 or other == 0:
        return level == other
    return 1 / ALIKE <= level / other <= ALIKE


def _notes(wanted: int, found: int, level: float, other: float, change: Change) -> list[str]:
    notes = []
    if found < wanted:
        notes.append(f"only {found} controls instead of {wanted}: the node has no more units")
    if not _are_alike(level, other):
        notes.append(
            f"the controls are no match: their mean activation is {other:.3g}, that of the units "
            f"{level:.3g}"
        )
    if level == 0 and change.amount == 0:
        notes.append("the units are silent on this picture: silencing or scaling changes nothing")
    return notes
