"""From what somebody called a node to the node."""

import re
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from micrograph.atlas import Reading
from micrograph.errors import nearest

_LONGEST = 200
_SCOPES = ("fp32_storage_image_", "fp32_storage_", "import_")
"""Scopes of TensorFlow graphs before the names that are known."""


_FOLDED: "WeakKeyDictionary[Reading, dict[str, frozenset[str]]]" = WeakKeyDictionary()
"""An atlas that is read stays the same."""


def find_node(atlas: Reading, written: str) -> str | None:
    """The id of the node that `written` means, or None: an id, an alias, or the name of a tensor
    with `/` and `:` in it or turned into `_`, with or without its number `_0`."""
    folded = _folded(atlas)
    for name in spellings(written):
        if name in atlas.aliases:
            return atlas.aliases[name]
        if len(found := folded.get(name.lower(), frozenset())) == 1:
            return next(iter(found))
    return None


def near_nodes(atlas: Reading, written: str, limit: int = 4) -> list[str]:
    """Addresses of nodes with names like `written`, best first."""
    name = re.sub(r"[/:]", "_", written)[:_LONGEST]
    close = nearest(name, atlas.nodes, limit) or nearest(name, _short(atlas), limit)
    found = dict.fromkeys(atlas.aliases[c] for c in close)
    return [f"{atlas.model.id}/{node}" for node in found]


def spellings(written: str) -> Iterator[str]:
    """What `written` may be in an atlas, the likeliest first."""
    name = written.strip()
    if not name or len(name) > _LONGEST:
        return
    yield name
    name = re.sub(r"[/:]", "_", name)
    starts = [name] + [name.removeprefix(scope) for scope in _SCOPES if name.startswith(scope)]
    for start in starts:
        yield start
        yield start.removesuffix("_0") if start.endswith("_0") else f"{start}_0"


def _folded(atlas: Reading) -> dict[str, frozenset[str]]:
    """Spellings without case, each with the nodes that it may mean."""
    if (known := _FOLDED.get(atlas)) is not None:
        return known
    found: dict[str, set[str]] = {}
    for name, node in atlas.aliases.items():
        found.setdefault(name.lower(), set()).add(node)
    folded = _FOLDED[atlas] = {name: frozenset(nodes) for name, nodes in found.items()}
    return folded


def _short(atlas: Reading) -> list[str]:
    """The first alias of each node: enough to find what was mistyped, and few to compare."""
    return [node.aliases[0] for node in atlas.nodes.values() if node.aliases]
