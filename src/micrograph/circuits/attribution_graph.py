"""The attribution graph of a unit on one picture: which units made which, down to the pixels.

An edge is the gradient of its target times the activation of its source, summed over positions: the
direct effect, on paths past no other chosen node, with everything in between held affine
(`models.running.frozen` says what is held). So a node's edges, its constant and its error are its
value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from micrograph.circuits.choosing import chosen_nodes, logits_of, target_of
from micrograph.circuits.cut import PICTURE, CutPass, cut_pass
from micrograph.circuits.graph import (
    AttributionEdge,
    AttributionGraph,
    AttributionNode,
    AttributionStage,
)
from micrograph.circuits.graph_inputs import LeafGroup, MadeOf, groups_of, made_of
from micrograph.circuits.influence import (
    Pruned,
    add_influence,
    among,
    cumulative,
    influence,
    prune,
)
from micrograph.circuits.seen_picture import SeenPicture, seen_picture
from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.steps import StepHook

FOLLOW = 32
BOUND = 1e-3
"""Errors above this part of what a node is made of are told of."""


def attribution_graph(
    model: Model,
    picture: "SeenPicture | Tensor | str",
    target: str | int | tuple[str, int],
    nodes: Sequence[str] | None = None,
    *,
    keep_nodes: float = 0.8,
    keep_edges: float = 0.98,
    dictionaries: Sequence[str] = (),
    positions: bool = False,
    follow: int = FOLLOW,
    on_step: StepHook | None = None,
) -> AttributionGraph:
    """What `target` was made of on `picture`, through the units of chosen nodes, pruned.

    Parameters:
        picture: a file or the name of one that ships, or RGB [3, y, x] or [1, 3, y, x] in 0..1 of
            the model's own size.
        target: a unit ("inception_4c/447", or the pair), taken at its strongest position and before
            its ReLU; or a class by number or name.
        nodes: which nodes' units stand in the graph; by default those worth seeing that every path
            to the target passes.
        keep_nodes, keep_edges: the parts of all influence that kept nodes and edges have together.
        dictionaries: nodes of latents that stand for the nodes that they write.
        positions: a graph node for each position of a unit, not one for its whole map.
        follow: of how many units of each node, the most influential, inputs are worked out.

    Raises NotFound and BadInput for what is not there, and for nodes not before the target.

    >>> from micrograph import load
    >>> graph = attribution_graph(load("toytown"), "owl", "mixed4a/3", ["mixed3b"])
    >>> graph.nodes[0].id, graph.target, graph.missed < 1e-4
    ('picture', 'mixed4a/3', True)
    """
    _check(keep_nodes, keep_edges, follow)
    place, unit = target_of(model, target)
    chosen = chosen_nodes(model, place, nodes, dictionaries)
    seen = seen_picture(picture, model)
    found = cut_pass(model, seen.tensor, chosen, place)
    making = _Making(model, found, chosen, (place, unit), positions)
    making.work_out(follow, on_step)
    return making.graph(seen, keep_nodes, keep_edges, follow)


def _check(keep_nodes: float, keep_edges: float, follow: int) -> None:
    for name, part in (("keep_nodes", keep_nodes), ("keep_edges", keep_edges)):
        if not 0 < part <= 1:
            raise BadInput(f"{name} {part} given; expected a part above 0, at most 1, such as 0.8")
    if not 1 <= follow <= 100_000:
        raise BadInput(f"follow {follow} given; expected a number of units from 1 to 100000")


class _Making:
    """A graph in the making: its nodes have numbers, the target the last."""

    def __init__(
        self,
        model: Model,
        found: CutPass,
        chosen: Sequence[str],
        target: tuple[str, int],
        positions: bool,
    ) -> None:
        self.model, self.found = model, found
        self.place, self.unit = target
        self.positions = positions
        self.groups = groups_of(found, chosen, positions)
        self.target = self.groups[-1].first + self.groups[-1].size
        self.made: dict[int, MadeOf] = {}
        """Those whose inputs are known, each before what it reads."""
        self.scores = np.zeros(self.target + 1)
        self.scores[self.target] = 1.0
        self.position = 0
        self.reached = self.passed = 0.0

    def work_out(self, follow: int, on_step: StepHook | None) -> None:
        """Find what the target is made of, then the most influential units of each node, backwards:
        all influence on a node is known when its turn comes."""
        self._add([self.target], list(self._target_made()))
        units = [group for group in reversed(self.groups) if group.kind == "unit"]
        for number, group in enumerate(units):
            here = self.scores[group.first : group.first + group.size].copy()
            rows = _most(here, follow)
            values = group.summed(self.found.made[group.name][:1][None])[0]
            constants = self._constants(group)
            self._add(
                [group.first + row for row in rows], made_of(self.groups, values, rows, constants)
            )
            self.reached += float(here.sum())
            self.passed += float(here[rows].sum())
            if on_step is not None:
                on_step(number + 1, len(units))

    def graph(
        self, seen: SeenPicture, keep_nodes: float, keep_edges: float, follow: int
    ) -> AttributionGraph:
        """What is kept of it. Units that were not followed are no nodes, but among the others."""
        known = [*self.made, *(group.first for group in self.groups if group.kind != "unit")]
        inputs = {key: among(made.inputs, known) for key, made in self.made.items()}
        scores = influence(inputs, list(inputs), len(self.scores))
        kept = prune(inputs, list(inputs), scores, [0, self.target], keep_nodes, keep_edges)
        edges = self._edges(kept)
        missed = max(made.missed for made in self.made.values())
        units = [group for group in self.groups if group.kind == "unit"]
        return AttributionGraph(
            model=self.model.id,
            digest=self.model.digest,
            picture=seen.name,
            picture_digest=seen.digest,
            target=self._name(self.target),
            label=self._label(),
            positions=self.positions,
            keep_nodes=keep_nodes,
            keep_edges=keep_edges,
            follow=follow,
            stages=tuple(self._stage(group, kept) for group in units),
            nodes=tuple(self._nodes(kept, edges, scores)),
            edges=tuple(edges),
            missed=missed,
            followed=self.passed / self.reached if self.reached else 1.0,
            probability=self._probability(),
            notes=tuple(self._notes(missed)),
        )

    def _target_made(self) -> Iterator[MadeOf]:
        values = self.found.made[self.place][0, self.unit].reshape(-1)
        self.position = int(values.detach().argmax())
        constants = self.found.constants
        of = None if constants is None else constants[self.place][0, self.unit].reshape(-1)
        return made_of(self.groups, values, [self.position], of)

    def _constants(self, group: LeafGroup) -> Tensor | None:
        if self.found.constants is None:
            return None
        return group.summed(self.found.constants[group.name][:1][None])[0]

    def _add(self, keys: Sequence[int], found: "Iterator[MadeOf] | list[MadeOf]") -> None:
        for key, made in zip(keys, found, strict=True):
            self.made[key] = made
            add_influence(self.scores, key, made.inputs)

    def _group(self, key: int) -> LeafGroup:
        return next(group for group in reversed(self.groups) if group.first <= key)

    def _place(self, key: int) -> tuple[str, int | None, tuple[int, int] | None]:
        """Node, unit and position of a graph node."""
        if key == self.target:
            shape = self.found.made[self.place].shape[2:]
            at = divmod(self.position, shape[1]) if len(shape) == 2 else None
            return self.place, self.unit, at
        group = self._group(key)
        if group.kind != "unit":
            return group.name, None, None
        number = key - group.first
        if not group.by_position:
            return group.name, number, None
        unit, place = divmod(number, group.shape[0] * group.shape[1])
        return group.name, unit, divmod(place, group.shape[1])

    def _name(self, key: int) -> str:
        node, unit, position = self._place(key)
        if unit is None:
            return node if self._group(key).kind == PICTURE else f"{node}/unexplained"
        at = f"@{position[0]},{position[1]}" if position and key != self.target else ""
        return f"{node}/{unit}{at}"

    def _label(self) -> str:
        logits = logits_of(self.model)
        is_class = logits is not None and logits.id == self.place
        return self.model.labels[self.unit] if is_class else ""

    def _probability(self) -> float | None:
        if not self._label():
            return None
        return float(self.found.made[self.place][0].detach().softmax(0)[self.unit])

    def _where(self, key: int, position: tuple[int, int] | None) -> tuple[float, float] | None:
        """Where in the picture a unit is largest."""
        if key == self.target:
            shape: Sequence[int] = self.found.made[self.place].shape[2:]
        else:
            group = self._group(key)
            shape = group.shape
            if len(shape) == 2 and position is None:
                values = group.leaf.detach()[0, key - group.first]
                position = divmod(int(values.argmax()), shape[1])
        if position is None or len(shape) != 2:
            return None
        return (position[0] + 0.5) / shape[0], (position[1] + 0.5) / shape[1]

    def _nodes(
        self, kept: Pruned, edges: Sequence[AttributionEdge], scores: np.ndarray
    ) -> Iterator[AttributionNode]:
        into: dict[str, list[AttributionEdge]] = {}
        for edge in edges:
            into.setdefault(edge.target, []).append(edge)
        others = scores.copy()
        others[self.target] = 0.0
        together = cumulative(others)
        values = {group.first: group.values for group in self.groups}
        for key in sorted(kept.nodes):
            node, unit, position = self._place(key)
            name, is_target = self._name(key), key == self.target
            group = None if is_target else self._group(key)
            found = AttributionNode(
                id=name,
                kind="target" if group is None else group.kind,
                node=node,
                unit=unit,
                position=position,
                value=float(values[group.first][key - group.first]) if group else 0.0,
                influence=float(scores[key]),
                cumulative=0.0 if is_target else float(together[key]),
                label=self._label() if is_target else "",
                place=self._where(key, position),
            )
            made = self.made.get(key)
            yield found if made is None else _with_inputs(found, made, into.get(name, []))

    def _edges(self, kept: Pruned) -> list[AttributionEdge]:
        found = []
        weights = {
            key: dict(zip(m.inputs.sources.tolist(), m.inputs.weights.tolist(), strict=True))
            for key, m in self.made.items()
            if key in kept.nodes
        }
        for (target, source), passed in kept.edges.items():
            weight = weights[target][source]
            share = abs(weight) / self.made[target].inputs.total
            found.append(
                AttributionEdge(
                    self._name(source), self._name(target), weight, share, float(passed)
                )
            )
        return sorted(found, key=lambda edge: (-edge.influence, edge.target, edge.source))

    def _stage(self, group: LeafGroup, kept: Pruned) -> AttributionStage:
        inside = range(group.first, group.first + group.size)
        return AttributionStage(
            node=group.name,
            units=group.leaf.shape[1],
            shape=group.shape,
            active=int((group.values != 0).sum()),
            followed=sum(key in inside for key in self.made),
            kept=sum(key in inside for key in kept.nodes),
        )

    def _notes(self, missed: float) -> Iterator[str]:
        if not self.made[self.target].inputs.count:
            yield f"nothing that was chosen gives anything to {self._name(self.target)} here"
        if self.found.constants is None:
            yield (
                "the network's own course depends on values, so that constants could not be told "
                "from errors: both count as errors"
            )
        elif missed > BOUND:
            worst = max(self.made, key=lambda key: self.made[key].missed)
            yield (
                f"edges and constants miss up to {missed:.1%} of what a node is made of, most of "
                f"{self._name(worst)}: something before it is not held affine"
            )


def _with_inputs(
    node: AttributionNode, made: MadeOf, edges: Sequence[AttributionEdge]
) -> AttributionNode:
    return replace(
        node,
        value=made.value,
        followed=True,
        constant=made.constant,
        error=made.error,
        others=made.inputs.count - len(edges),
        others_sum=made.inputs.sum - sum(edge.weight for edge in edges),
        others_share=max(0.0, 1 - sum(edge.share for edge in edges)) if made.inputs.count else 0.0,
    )


def _most(scores: np.ndarray, follow: int) -> list[int]:
    """Those with the most influence, at most `follow`."""
    order = np.argsort(-scores, kind="stable")[:follow]
    return [int(row) for row in order if scores[row] > 0]
