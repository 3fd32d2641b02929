"""An attribution graph as plain data, and as JSON. No torch, so that pages may read it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from micrograph.errors import BadInput

FORMAT = "micrograph attribution graph 1"
KINDS = ("picture", "unit", "unexplained", "target")


@dataclass(frozen=True)
class AttributionNode:
    """A node of the graph. `kind`: the "picture"; a "unit" of a network's node (or latent of a
    dictionary); what a dictionary leaves "unexplained" of a node; the "target".

    `value` is the sum of its incoming edges in the whole graph, of `constant`, what biases and the
    like give, and of `error`, what is not affine even so. Of the incoming edges those that were
    pruned are `others`: their number, sum, and share of all absolute weights. `value` is summed
    over the map unless there is a `position` (y, x); `place` is where in the picture it is largest,
    (down, right) from 0 to 1, None for what has no map. Only of a `followed` node are inputs known.
    `influence` is that on the target; `cumulative` the part of all influence that it and all more
    influential nodes have.
    """

    id: str
    kind: str
    node: str
    unit: int | None
    position: tuple[int, int] | None
    value: float
    influence: float
    cumulative: float
    followed: bool = False
    constant: float = 0.0
    error: float = 0.0
    others: int = 0
    others_sum: float = 0.0
    others_share: float = 0.0
    label: str = ""
    place: tuple[float, float] | None = None


@dataclass(frozen=True)
class AttributionEdge:
    """A direct effect: gradient times activation of `source` in the value of `target`. `share` is
    its part of all absolute weights into the target, pruned ones too."""

    source: str
    target: str
    weight: float
    share: float
    influence: float


@dataclass(frozen=True)
class AttributionStage:
    """A network's node (or that of a dictionary) that was chosen: its `units`, how many of them
    (with positions: of its values) were `active`, how many were `followed` and `kept`."""

    node: str
    units: int
    shape: tuple[int, ...]
    active: int
    followed: int
    kept: int


@dataclass(frozen=True)
class AttributionGraph:
    """What a target was made of on one picture, pruned. `nodes` are in the order of a pass, the
    target last. `probability` is the share of a class that is the target (softmax). `missed` is the
    largest |error| in parts of what a node was made of; `followed` the part of the influence on
    units whose own inputs were worked out."""

    model: str
    digest: str
    picture: str
    picture_digest: str
    target: str
    label: str
    positions: bool
    keep_nodes: float
    keep_edges: float
    follow: int
    stages: tuple[AttributionStage, ...]
    nodes: tuple[AttributionNode, ...]
    edges: tuple[AttributionEdge, ...]
    missed: float
    followed: float
    probability: float | None = None
    notes: tuple[str, ...] = ()

    def node(self, id: str) -> AttributionNode:
        """The node of that id. Raises KeyError."""
        return {node.id: node for node in self.nodes}[id]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, every number of it."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, data: Any) -> "AttributionGraph":
        """What `to_json` gave. Raises BadInput for anything else."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise BadInput(f"this is no attribution graph of ours; expected the format {FORMAT!r}")
        try:
            given = {key: value for key, value in data.items() if key != "format"}
            return cls(
                **given
                | {
                    "stages": tuple(
                        AttributionStage(**one | {"shape": tuple(one["shape"])})
                        for one in data["stages"]
                    ),
                    "nodes": tuple(
                        AttributionNode(
                            **one
                            | {key: one[key] and tuple(one[key]) for key in ("position", "place")}
                        )
                        for one in data["nodes"]
                    ),
                    "edges": tuple(AttributionEdge(**one) for one in data["edges"]),
                    "notes": tuple(data["notes"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise BadInput(f"an attribution graph lacks or has too much ({error})") from None
