"""An attribution graph as the JSON that viewers of circuit-tracer and Neuronpedia read.

They know tokens of a prompt where we have places of a picture: its tokens are the patches of a
grid, row by row, and behind them the whole picture. A unit stands at the patch where it is
largest. Layers are the chosen nodes, from 0. What has no kind of its own there is a "mlp
reconstruction error": what a dictionary leaves unexplained, constants, and inputs that were pruned.
"""

import re
from collections.abc import Iterator
from typing import Any

from micrograph.circuits.graph import AttributionGraph, AttributionNode

GRID = 7
"""Patches along a side. With less than two tokens a viewer would drop every node."""
UNEXPLAINED, CONSTANT, OTHERS = -1, -2, -3


def viewer_json(graph: AttributionGraph) -> dict[str, Any]:
    """The whole file, as plain JSON."""
    made = _Viewer(graph)
    return {
        "metadata": {
            "slug": _slug(f"{graph.model}-{graph.target}-{graph.picture}"),
            "scan": graph.model,
            "transcoder_list": [],
            "prompt_tokens": [
                *(f"{y},{x}" for y in range(GRID) for x in range(GRID)),
                "whole picture",
            ],
            "prompt": f"{graph.picture} ({graph.picture_digest[:12]})",
            "node_threshold": graph.keep_nodes,
            "schema_version": 1,
            "info": {
                "generator": {"name": "micrograph"},
                "layers": [stage.node for stage in graph.stages],
                "weights_digest": graph.digest,
                "edge_threshold": graph.keep_edges,
            },
        },
        "qParams": {
            "pinnedIds": [],
            "supernodes": [],
            "linkType": "both",
            "clickedId": "",
            "sg_pos": "",
        },
        "nodes": list(made.nodes()),
        "links": list(made.links()),
    }


class _Viewer:
    def __init__(self, graph: AttributionGraph) -> None:
        self.graph = graph
        self.layers = {stage.node: number for number, stage in enumerate(graph.stages)}
        self.last = GRID * GRID

    def nodes(self) -> Iterator[dict[str, Any]]:
        for node in self.graph.nodes:
            if node.kind == "picture":
                yield _node(
                    self._id(node), self.last, "E", self.last, "embedding", f"E_0-{self.last}", node
                )
            elif node.kind == "target":
                yield self._target(node)
            elif node.kind == "unexplained":
                yield self._error(self.layers[node.node], UNEXPLAINED, node.id, node)
            else:
                yield self._unit(node)
        for layer, kind, _ in self._rests():
            yield self._error(layer, kind, self._rest_name(layer, kind), None)

    def links(self) -> Iterator[dict[str, Any]]:
        ids = {node.id: self._id(node) for node in self.graph.nodes}
        for edge in self.graph.edges:
            yield {
                "source": ids[edge.source],
                "target": ids[edge.target],
                "weight": edge.weight,
            }
        for layer, kind, weights in self._rests():
            for id, weight in weights:
                yield {
                    "source": f"{layer}_{kind}_{self.last}",
                    "target": ids[id],
                    "weight": weight,
                }

    def _rests(self) -> Iterator[tuple[int, int, list[tuple[str, float]]]]:
        """What is no edge, by layer and kind, with what it gives to which node."""
        for layer in range(len(self.graph.stages) + 1):
            here = [
                node for node in self.graph.nodes if node.followed and self._layer(node) == layer
            ]
            constants = [(node.id, node.constant + node.error) for node in here]
            others = [(node.id, node.others_sum) for node in here]
            for kind, found in ((CONSTANT, constants), (OTHERS, others)):
                if some := [(id, weight) for id, weight in found if weight != 0]:
                    yield max(0, layer - 1), kind - 2 * (layer == 0), some

    def _rest_name(self, layer: int, kind: int) -> str:
        of = layer if kind < OTHERS else layer + 1
        names = [*(stage.node for stage in self.graph.stages), self.graph.target]
        what = "Constants" if kind in (CONSTANT, CONSTANT - 2) else "Pruned inputs"
        return f"{what} of {names[of]}"

    def _layer(self, node: AttributionNode) -> int:
        return len(self.layers) if node.kind == "target" else self.layers.get(node.node, -1)

    def _patch(self, node: AttributionNode) -> int:
        if node.place is None:
            return self.last
        return int(node.place[0] * GRID) * GRID + int(node.place[1] * GRID)

    def _feature(self, node: AttributionNode) -> int:
        """A number for a unit, or for one of its positions."""
        assert node.unit is not None
        shape = next(stage.shape for stage in self.graph.stages if stage.node == node.node)
        if node.position is None:
            return node.unit
        return (node.unit * shape[0] + node.position[0]) * shape[1] + node.position[1]

    def _id(self, node: AttributionNode) -> str:
        if node.kind == "picture":
            return f"E_0_{self.last}"
        if node.kind == "target":
            return f"{len(self.layers) + 1}_{node.unit}_{self._patch(node)}"
        feature = UNEXPLAINED if node.kind == "unexplained" else self._feature(node)
        place = self.last if node.kind == "unexplained" else self._patch(node)
        return f"{self.layers[node.node]}_{feature}_{place}"

    def _unit(self, node: AttributionNode) -> dict[str, Any]:
        layer, feature = self.layers[node.node], self._feature(node)
        return _node(
            self._id(node),
            _cantor(layer, feature),
            str(layer),
            self._patch(node),
            "cross layer transcoder",
            f"{layer}_{feature}-0",
            node,
            clerp=node.id,
            activation=node.value,
        )

    def _error(
        self, layer: int, kind: int, name: str, node: AttributionNode | None
    ) -> dict[str, Any]:
        return _node(
            f"{layer}_{kind}_{self.last}",
            -1,
            str(layer),
            self.last,
            "mlp reconstruction error",
            f"{layer}_{kind}-0",
            node,
            clerp=name,
        )

    def _target(self, node: AttributionNode) -> dict[str, Any]:
        share = self.graph.probability
        # A viewer reads "(p=...)"; a unit that is no class has all the influence there is.
        shown = 1.0 if share is None else share
        name = node.label or node.id
        found = _node(
            self._id(node),
            node.unit or 0,
            str(len(self.layers) + 1),
            self._patch(node),
            "logit",
            f"L_{node.unit}-{self._patch(node)}",
            node,
            clerp=f'Output "{name}" (p={shown:.3f})',
            activation=node.value,
        )
        return found | {"token_prob": shown, "is_target_logit": True}


def _node(
    id: str,
    feature: int,
    layer: str,
    place: int,
    kind: str,
    js_id: str,
    node: AttributionNode | None,
    clerp: str = "",
    activation: float | None = None,
) -> dict[str, Any]:
    return {
        "node_id": id,
        "feature": feature,
        "layer": layer,
        "ctx_idx": place,
        "feature_type": kind,
        "token_prob": 0.0,
        "is_target_logit": False,
        "run_idx": 0,
        "reverse_ctx_idx": 0,
        "jsNodeId": js_id,
        "clerp": clerp,
        "influence": None if node is None else node.cumulative,
        "activation": activation,
    }


def _cantor(layer: int, feature: int) -> int:
    return (layer + feature) * (layer + feature + 1) // 2 + feature


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
