"""What a model's graph means, from plain data: kinds of nodes, ways through, what is worth seeing.

Engine, lenses, atlases and site all ask here. Nothing in it needs torch, and nodes may come from
an atlas that anybody wrote.
"""

from micrograph.graph.adjacent import last_before, next_before, next_behind
from micrograph.graph.coverage import Coverage, LostAt
from micrograph.graph.dag import Dag
from micrograph.graph.joins import Join, join_of, parts_of
from micrograph.graph.kinds import NodeKind
from micrograph.graph.nodes import EngineNode, PlainNode, StoredNode
from micrograph.graph.sees import picture_size, what_a_position_sees
from micrograph.graph.worth import (
    is_drawn_small,
    stored_worth_seeing,
    with_own_units,
    worth_seeing,
)

__all__ = [
    "Coverage",
    "Dag",
    "EngineNode",
    "Join",
    "LostAt",
    "NodeKind",
    "PlainNode",
    "StoredNode",
    "is_drawn_small",
    "join_of",
    "last_before",
    "next_before",
    "next_behind",
    "parts_of",
    "picture_size",
    "stored_worth_seeing",
    "what_a_position_sees",
    "with_own_units",
    "worth_seeing",
]
