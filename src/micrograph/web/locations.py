"""From what a URL says to the model, node or unit it means."""

from collections.abc import Sequence
from dataclasses import dataclass

from micrograph import address
from micrograph.atlas import NodeRecord, Reading, Snapshot
from micrograph.errors import BadInput, short
from micrograph.parts.urls import Urls


@dataclass(frozen=True, kw_only=True)
class Location:
    """A model of the library, perhaps with a node and a unit. `url` is its canonical address."""

    atlas: Reading
    node: NodeRecord | None = None
    unit: int | None = None
    url: str

    @property
    def place(self) -> str:
        """The node or unit within the model: `mixed4a/3`, "" for the model itself."""
        if self.node is None:
            return ""
        return self.node.id if self.unit is None else f"{self.node.id}/{self.unit}"

    @property
    def address(self) -> str:
        """`toytown/mixed4a/3`."""
        return "/".join(filter(None, (self.atlas.model.id, self.place)))


def locate(library: Snapshot, text: str, urls: Urls) -> Location:
    """What an address means, in any accepted spelling.

    Raises BadInput for a malformed address, NotFound (with close names) for one that leads nowhere.
    """
    asked = address.parse(text)
    atlas = find_model(library, asked.model)
    id = atlas.model.id
    if asked.node is None:
        return Location(atlas=atlas, url=urls.model(id))
    node = atlas.nodes[address.find_node(asked.node, atlas.aliases, id)]
    if asked.unit is None:
        return Location(atlas=atlas, node=node, url=urls.node(id, node.id))
    address.check_unit(asked.unit, f"{id}/{node.id}", node.units)
    return Location(atlas=atlas, node=node, unit=asked.unit, url=urls.unit(id, node.id, asked.unit))


def locate_all(library: Snapshot, parts: Sequence[str], urls: Urls) -> Location:
    """What model, node and unit mean, as many of them as are given. Raises as `locate`, and
    BadInput where one of them says nothing: the place would be a larger one than was meant."""
    found = locate(library, "/".join(parts), urls)
    there = 1 + (found.node is not None) + (found.unit is not None)
    if there < len(parts):
        level = ("model", "model/node", "model/node/unit")[len(parts) - 1]
        raise BadInput(f"{short('/'.join(parts))} is no place; expected {level}")
    return found


def find_model(library: Snapshot, name: str) -> Reading:
    """The atlas of the model of that name, in any case. Raises NotFound with close names."""
    return library.model(library.ids_by_folded.get(name.lower(), name))
