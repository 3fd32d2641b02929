"""The pages as plain data. HTML and JSON are two ways to write these objects down."""

from typing import Protocol


class Page(Protocol):
    """A page's plain object: a dataclass whose `kind` names its template."""

    @property
    def kind(self) -> str: ...
