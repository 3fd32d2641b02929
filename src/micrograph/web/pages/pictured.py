"""How many units of a model can have a picture, how many have one, and which nodes to show."""

from collections.abc import Iterable, Mapping

from micrograph.atlas import Count, NodeRecord, Reading, Tile
from micrograph.lenses import lead
from micrograph.lenses.pages.scene import MOST_TILES
from micrograph.web.pages.model_state import own_nodes


def pictured_units(atlas: Reading) -> dict[str, int]:
    """How many units of each node have a picture under the lens's first view."""
    return pictured_of(atlas.counts())


def pictured_of(counts: Iterable[Count]) -> dict[str, int]:
    """As `pictured_units`, of counts that are there already."""
    found: dict[str, int] = {}
    for count in counts:
        if (count.technique, count.variant) == lead():
            found[count.node] = count.units
    return found


def pictured_count(atlas: Reading, pictured: Mapping[str, int]) -> int:
    """How many of the units that `unit_count` counts have a picture: those of other nodes, which
    show the same units again, count in neither."""
    return sum(pictured.get(n.id, 0) for n in own_nodes(atlas))


def unit_count(atlas: Reading) -> int:
    """How many units there are to picture."""
    return sum(n.units for n in own_nodes(atlas))


def node_tiles(atlas: Reading, node: str, width: int = 96) -> list[Tile]:
    """The tiles of a node under the lens's first view, small ones where there are; of a very large
    one those that come first, which is enough to choose some from."""
    return atlas.tiles(node, *lead(), min_width=width, most=MOST_TILES)


def tiles_of(
    atlas: Reading, node: NodeRecord, units: Iterable[int], width: int = 96
) -> dict[int, Tile]:
    """The tiles of some units that have one, by unit; of a small node those of all."""
    if node.units <= MOST_TILES:
        return {tile.unit: tile for tile in node_tiles(atlas, node.id, width)}
    each = (range(unit, unit + 1) for unit in units)
    found = (atlas.tiles(node.id, *lead(), min_width=width, units=one) for one in each)
    return {tile.unit: tile for tiles in found for tile in tiles}


def along_depth(nodes: list[NodeRecord], count: int) -> list[NodeRecord]:
    """At most `count` of the nodes, evenly along the depth; main outputs before inner branches.

    An inner branch is a node whose id starts with another node's id, as in Inception modules.
    """
    ids = {n.id for n in nodes}
    main = [n for n in nodes if not any(n.id != o and n.id.startswith(o + "_") for o in ids)]
    chosen = main if len(main) >= 3 else nodes
    if len(chosen) <= count:
        return chosen
    return [chosen[i * (len(chosen) - 1) // (count - 1)] for i in range(count)]
