"""What the functions of this package need to know of a node."""

from typing import Protocol


class PlainNode(Protocol):
    """A node of the engine or of an atlas: `kind` is open text, see `NodeKind.of`; `parents` are
    ids of the nodes it reads, in order, some of which may be missing in a part of a graph."""

    @property
    def id(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def units(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def parents(self) -> tuple[str, ...]: ...


class EngineNode(PlainNode, Protocol):
    """A node with what only the engine knows; see `micrograph.models.node.Node`."""

    @property
    def relus(self) -> tuple[int, ...]: ...
    @property
    def join(self) -> str: ...
    @property
    def handed_out(self) -> bool: ...
    @property
    def attended(self) -> bool: ...
    @property
    def constant(self) -> bool: ...
    @property
    def path(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...


class StoredNode(PlainNode, Protocol):
    """A node from an atlas; `worth` is what the engine decided, None where it did not say."""

    @property
    def worth(self) -> bool | None: ...
