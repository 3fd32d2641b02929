"""What was made linear on the way from one node to another, and where."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Approximation:
    """One operation that is not linear, and what stands for it.

    `node` is the node in which it is (the module's path where that has none), `operation` torch's
    name of it, `replaced` what stands for it. What is `held` keeps the value that it has on the
    reference; `refused` says why there is nothing linear near it.
    """

    node: str
    operation: str
    replaced: str
    held: bool = False
    refused: bool = False

    def __str__(self) -> str:
        return f"{self.operation} in {self.node}: {self.replaced}"
