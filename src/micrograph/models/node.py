"""A named place in a model's graph: plain data, no torch."""

from dataclasses import dataclass

from micrograph.models.layout import AS_GIVEN, OutputLayout


@dataclass(frozen=True)
class ReceptiveField:
    """Which input pixels a position of the node can see.

    Position p sees the pixels `start + p * stride` to `start + p * stride + size - 1` along each
    axis (square fields; the union over branches). `status` is "exact"; "at most" if some positions
    see less than that; "whole input" or "unknown", for which the numbers mean nothing.
    """

    size: int = 0
    stride: int = 0
    start: int = 0
    status: str = "exact"


@dataclass(frozen=True)
class CallSite:
    """What to watch for in a forward pass: a call of the module at `path`, counted from 0, gives
    its output, of several values the first; or, inside that call, a sum, concatenation or product
    by torch functions, as in "add#2". Of several that the network itself gives it is the one called
    `part`."""

    path: str
    call: int = 0
    join: str = ""
    part: str = ""


@dataclass(frozen=True)
class Node:
    """A layer, a branch, or a block's output.

    `shape` is (y, x) of the map at the model's own input size, or () for a flat node. `parents` are
    the nearest nodes upstream. `path` is the module whose output the node is, or in which it is
    made (with `#k` behind it for its k-th call, k > 0). `relus` are the numbers, in calling order,
    of the ReLU calls whose outputs make up this node directly or through a concatenation: switching
    just these off gives the values before the activation.
    """

    id: str
    index: int
    kind: str
    units: int
    shape: tuple[int, ...]
    receptive_field: ReceptiveField
    parents: tuple[str, ...]
    path: str
    aliases: tuple[str, ...] = ()
    relus: tuple[int, ...] = ()
    overwritten: bool = False
    """True if a later in-place operation changes the tensor, so that captures must copy it."""
    layout: OutputLayout = AS_GIVEN
    """How what the network computes becomes what is shown."""
    join: str = ""
    """Which sum, concatenation or product inside the module it is, if no module gives just it: see
    `CallSite`."""
    part: str = ""
    """Which of several tensors that the network gives."""
    handed_out: bool = False
    """True for such a join that a module gives among other values: the output of a block."""
    attended: bool = False
    """True if it lies inside attention, which alone reads it: a query, a key or a value."""
    constant: bool = False
    """True if its values are the same for every picture, as those of a class token are at first."""
    made_at: CallSite | None = None
    """Which module gives it first, where that is not the one at `path`: something may be read, or
    recorded by a hook, before the module around it ends."""

    @property
    def place(self) -> CallSite:
        """Where a forward pass first has its values."""
        if self.made_at is not None:
            return self.made_at
        path, _, call = self.path.partition("#")
        return CallSite(path, int(call or 0), self.join, self.part)
