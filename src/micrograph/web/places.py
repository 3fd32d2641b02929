"""From what a URL says to the place it means."""

from dataclasses import dataclass

from micrograph import address
from micrograph.atlas import NodeRecord, Reading, Snapshot
from micrograph.parts.urls import Urls


@dataclass(frozen=True)
class Place:
    """A model of the library, perhaps with a node and a unit. `url` is its canonical address."""

    atlas: Reading
    node: NodeRecord | None
    unit: int | None
    url: str


def find(library: Snapshot, text: str, urls: Urls) -> Place:
    """The place of an address, in any accepted spelling.

    Raises BadInput for a malformed address, NotFound (with close names) for an unknown place.
    """
    asked = address.parse(text)
    atlas = find_model(library, asked.model)
    id = atlas.model.id
    if asked.node is None:
        return Place(atlas, None, None, urls.model(id))
    node = atlas.nodes[address.find_node(asked.node, atlas.aliases, id)]
    if asked.unit is None:
        return Place(atlas, node, None, urls.node(id, node.id))
    address.check_unit(asked.unit, f"{id}/{node.id}", node.units)
    return Place(atlas, node, asked.unit, urls.unit(id, node.id, asked.unit))


def find_model(library: Snapshot, name: str) -> Reading:
    """The atlas of the model of that name, in any case. Raises NotFound with close names."""
    by_folded = {model.id.lower(): model.id for model in library.models()}
    return library.model(by_folded.get(name.lower(), name))
