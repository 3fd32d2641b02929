"""A circuit as an attribution graph, in the form that other viewers read.

Edges are strengths: sums of kernels. There is no picture, so no unit has an activation.
"""

from itertools import accumulate
from typing import Any

from micrograph.circuits.graph import (
    AttributionEdge,
    AttributionGraph,
    AttributionNode,
    AttributionStage,
)
from micrograph.circuits.graph_json import viewer_json
from micrograph.lenses.connections.circuit import Circuit

PROMPT = "weights alone, no picture"


def viewer_graph(circuit: Circuit, model: str, digest: str) -> dict[str, Any]:
    """The whole file, as plain JSON."""
    file = viewer_json(attribution_graph(circuit, model, digest))
    file["metadata"]["prompt"] = PROMPT
    file["nodes"] = [{**node, "activation": None} for node in file["nodes"]]
    return file


def attribution_graph(circuit: Circuit, model: str, digest: str) -> AttributionGraph:
    """The units and edges that are shown, the deepest first. What is not shown of a unit's inputs
    has a share and no sum, since atlases keep none."""
    columns = circuit.columns[::-1]
    influence = {one.id: one.influence for column in columns for one in column.units}
    ranked = sorted(influence, key=lambda id: -influence[id])
    parts = accumulate(influence[id] for id in ranked)
    total = sum(influence.values())
    cumulative = {id: part / total for id, part in zip(ranked, parts, strict=True)}
    target = circuit.target.id
    return AttributionGraph(
        model=model,
        digest=digest,
        picture="weights",
        picture_digest="",
        target=target,
        label="",
        positions=False,
        keep_nodes=1.0,
        keep_edges=1.0,
        follow=0,
        stages=tuple(
            AttributionStage(
                node=column.node,
                units=column.count,
                shape=(),
                active=0,
                followed=sum(one.rest is not None for one in column.units),
                kept=len(column.units),
            )
            for column in columns[:-1]
        ),
        nodes=tuple(
            AttributionNode(
                id=one.id,
                kind="target" if one.id == target else "unit",
                node=one.node,
                unit=one.unit,
                position=None,
                value=0.0,
                influence=one.influence,
                cumulative=cumulative[one.id],
                followed=one.rest is not None,
                others=one.others or 0,
                others_share=one.rest or 0.0,
            )
            for column in columns
            for one in column.units
        ),
        edges=tuple(
            AttributionEdge(
                source=edge.source,
                target=edge.target,
                weight=edge.strength,
                share=edge.share,
                influence=influence[edge.target] * edge.share,
            )
            for edge in circuit.edges
        ),
        missed=0.0,
        followed=1.0,
    )
