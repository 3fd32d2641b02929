"""What pages say to those who show a link to them: their one address, and their picture's."""

from dataclasses import dataclass

ENDING = ".preview.jpg"
"""Behind the path of a page: the picture that stands for it."""
PICTURED = ("unit", "node", "model", "compare", "claim")
"""Kinds of pages that have one."""


@dataclass(frozen=True)
class Sharing:
    """Whole addresses: of the page as it is cited, and of its picture, "" where it has none."""

    page: str
    picture: str


def sharing(kind: str, origin: str, path: str) -> Sharing:
    """Of the page at `path` (with its query); what its query only shows in another way is left
    out."""
    place, mark, query = path.partition("?")
    if kind in ("model", "node", "unit", "claim", "circuit"):
        mark = query = ""
    picture = f"{origin}{place}{ENDING}{mark}{query}" if kind in PICTURED else ""
    return Sharing(f"{origin}{place}{mark}{query}", picture)
