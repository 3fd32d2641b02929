"""Values of a forward pass: where they come from, and what of them becomes a node."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import overload

from torch import nn

from micrograph.graph import Coverage
from micrograph.models.graph.aten_call import Trace
from micrograph.models.graph.flow import Flow, new_flow
from micrograph.models.graph.receptive_field import Field
from micrograph.models.graph.slips import Slip
from micrograph.models.graph.sources import KindSources, of_kind
from micrograph.models.graph.unfollowed import Loss
from micrograph.models.layout import OutputLayout
from micrograph.models.node import CallSite

Memory = tuple[int, int, tuple[int, ...], tuple[int, ...]]
"""Where a tensor lies: its storage, its offset there, its shape and strides."""

Source = tuple[int, str]
"""The number of a value, and a kind of token if only that token of it is meant; `ALL` if its
tokens were mixed."""


@dataclass(frozen=True)
class Origin:
    """Where a value comes from: the nearest values upstream, its trace, its ReLU calls.

    `operation` is the name of the operation that gave it, `inputs` the number of its arguments
    that come from the pictures. `kinds` are the sources of each kind of token, where they differ.
    """

    sources: frozenset[Source]
    trace: Trace
    relus: tuple[int, ...] = ()
    operation: str = ""
    inputs: int = 0
    kinds: KindSources = ()
    flow: Flow = field(default_factory=new_flow)
    lost: Loss | None = None
    """Where, on the way to it, it was lost what its axes count."""

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of the values in `sources`."""
        return frozenset(number for number, _ in self.sources)

    def sources_of(self, kind: str) -> frozenset[Source]:
        """The sources of its tokens of one kind, of its positions for ""."""
        return of_kind(kind, self.sources, self.kinds)


@dataclass(frozen=True)
class Producer:
    """A module call that gave a value, or a sum, concatenation or product within one.

    `within` are the names of the classes of the modules around it. `among_others` is true where
    the module gave several values, of which this is the main one.
    """

    place: CallSite
    module: nn.Module
    layout: OutputLayout
    within: tuple[str, ...]
    among_others: bool = False


@dataclass
class Value:
    """A future node: what module calls gave, in the order they ended, or what a join made.

    `memory` and `shape` are those of the form that is shown; `tokens` are the kinds of the tokens
    before the positions.
    """

    memory: Memory
    version: int
    units: int
    shape: tuple[int, ...]
    tokens: tuple[str, ...]
    origin: Origin
    producers: list[Producer] = field(default_factory=list)
    overwritten: bool = False
    is_output: bool = False
    attending: frozenset[str] = frozenset()
    """The modules in which it went through attention."""

    @property
    def is_of_tokens(self) -> bool:
        """Whether it is tokens that stand for no place: learned ones, or the class token alone."""
        return bool(self.tokens) and not self.shape and not self.is_output

    @property
    def only_token(self) -> str:
        """The kind of the one token that it is, of several; empty otherwise."""
        alone = self.tokens and self.producers[0].layout.token is not None
        return self.tokens[0] if alone else ""

    @property
    def field(self) -> Field:
        """The receptive field of its positions."""
        return self.origin.trace.field


@dataclass(frozen=True)
class Watched(Sequence[Value]):
    """What a forward pass showed: the future nodes, in order, and what could not be followed."""

    values: Sequence[Value]
    slips: Sequence[Slip] = ()
    coverage: Coverage = field(default_factory=Coverage)

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, place: int) -> Value: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Value]: ...
    def __getitem__(self, place: int | slice) -> Value | Sequence[Value]:
        return self.values[place]
