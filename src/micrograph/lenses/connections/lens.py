"""Connections: which units a unit is built from, and which are built from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Params, option
from micrograph.lenses.result import Arrays, Result, number, texts

if TYPE_CHECKING:
    import numpy as np

WORDS = Words(
    technique="connections",
    title="Connections",
    question="What is it built from, and what uses it?",
    explanation=(
        "The weights between a unit and those of the block before and the block behind, as small "
        "kernels: activations on the way count as the identity, max pools as average pools."
    ),
    reading=(
        "Orange raises the unit, blue lowers it, each at its place beside the middle. A head above "
        "and a body below make an animal."
    ),
    caution="Most weights are not listed; a large one from a unit that is never on does nothing.",
    score="mean share of the strongest input",
)

VARIANTS = {
    "inputs": "weights of the units that it is built from",
    "outputs": "weights by which units are built from it",
    "pairs": "strength and size of every pair of units, and the groups that they fall into",
    "picture": "weights of a first layer, which reads the picture itself",
}
CHANNELS = ("RGB", "L")
"""Channels of a picture that a first layer may read."""


@dataclass(frozen=True, kw_only=True)
class ConnectionsParams(Params, lens=WORDS.technique):
    """The options of connections."""

    strongest: int = option(
        8, "units kept of each that excite, and as many that inhibit", unit="units", low=1, high=64
    )
    variants: tuple[str, ...] = option(
        tuple(VARIANTS),
        "inputs, outputs, pairs (for orders, branches and groups) or picture (weights of a first "
        "layer)",
        choices=tuple(VARIANTS),
        flag="--variant",
    )
    groups: int = option(
        6, "groups into which the weights of a node are factored", unit="groups", low=1, high=32
    )


@dataclass(frozen=True, kw_only=True)
class ConnectionsResult(Result):
    """The strongest connections of each unit of a node with the units of the node `other`.

    The first half of each row excites, the second inhibits: `units`, int32 [unit, k], -1 where
    there are fewer; `strength`, float32, the sum over each kernel; `share`, float32, of the sum of
    the absolute weights of all connections of the unit; `rest`, float32 [unit], the share of those
    that are not listed, and `count` how many connections there are. `kernels`, float16 [unit, k, y,
    x], where they are not too large. `notes` say what was made linear, and `exact` that nothing
    was. A node without connections that can be told has a `reason` alone.

    Of all pairs: `strength` and `size`, float16 [unit, source], in parts of `scale`, and kernels of
    the strongest, likewise (see `stored.kernels_of`); `group_targets` and `group_sources`,
    float32 [group, unit], each unit's part of a group, with the share of each group in `shares`;
    `explained` is how much of the square of the weights they are together. Of a first layer:
    `weights`, float32 [unit, channel, y, x], of the `channels` "RGB" or "L".
    """

    other: str = ""
    reason: str = ""
    count: int = 0
    exact: bool = False
    notes: tuple[str, ...] = ()
    scale: float = 0.0
    shares: tuple[float, ...] = ()
    explained: float = 0.0
    channels: str = ""
    kept: Arrays

    def to_json(self) -> dict[str, Any]:
        if self.reason:
            return {"reason": self.reason}
        if self.channels:
            return {"channels": self.channels}
        found = {
            "other": self.other,
            "count": self.count,
            "exact": self.exact,
            "notes": list(self.notes),
        }
        if self.scale:
            shares = list(self.shares)
            found |= {"scale": self.scale, "shares": shares, "explained": self.explained}
        return found

    def arrays(self) -> Arrays:
        return self.kept

    def row(self, name: str, unit: int) -> "np.ndarray | None":
        """Of one unit, where the array is there and long enough."""
        values = self.kept.get(name)
        there = values is not None and values.ndim > 0 and unit < len(values)
        return values[unit] if values is not None and there else None

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "ConnectionsResult":
        count, notes, shares = data.get("count"), data.get("notes"), data.get("shares")
        channels = data.get("channels")
        return cls(
            other=texts(data, "other"),
            reason=texts(data, "reason"),
            count=count if isinstance(count, int) and count > 0 else 0,
            exact=data.get("exact") is True,
            notes=tuple(n for n in notes if isinstance(n, str)) if isinstance(notes, list) else (),
            scale=number(data.get("scale")),
            shares=tuple(map(number, shares)) if isinstance(shares, list) else (),
            explained=number(data.get("explained")),
            channels=channels if channels in CHANNELS else "",
            kept=arrays,
        )


LENS = Lens(
    words=WORDS,
    order=88,
    home=__package__,
    about="node",
    params=ConnectionsParams,
    result=ConnectionsResult,
    can=Can(whole_node=True),
    demo="toytown --technique connections",
)
