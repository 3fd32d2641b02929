"""Layered drawing of a piece of a graph: layers, order within layers, places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Parents = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Item:
    """Something to place, with its size."""

    id: str
    width: float
    height: float


@dataclass(frozen=True)
class PlacedPiece:
    """A placed piece. `places` are (id, centre x, top y), `bends` the points edges run through."""

    width: float
    height: float
    places: tuple[tuple[str, float, float], ...]
    bends: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)


def components(nodes: Sequence[str], parents: Parents) -> list[list[str]]:
    """Pieces of `nodes` that no edge joins, in the order of their first node."""
    group = {n: n for n in nodes}

    def root(n: str) -> str:
        while group[n] != n:
            group[n] = group[group[n]]
            n = group[n]
        return n

    for node in nodes:
        for parent in parents[node]:
            if parent in group:
                group[root(node)] = root(parent)
    found: dict[str, list[str]] = {}
    for node in nodes:
        found.setdefault(root(node), []).append(node)
    return list(found.values())


def arrange(
    items: Mapping[str, Item],
    parents: Parents,
    end: str | None,
    gap_x: float,
    gap_y: float,
    lane: float,
) -> PlacedPiece:
    """Place `items` (parents first) in layers, each as low as its children allow.

    Edges that cross layers get a lane of their own. `end` is the node below that all lead to.
    """
    inside = list(items)
    edges = [(p, n) for n in inside for p in dict.fromkeys(parents[n]) if p in items]
    level = dict.fromkeys(inside, 0)
    children: dict[str, list[str]] = {}
    for parent, child in edges:
        children.setdefault(parent, []).append(child)
    for node in reversed(inside):
        level[node] = max((level[child] + 1 for child in children.get(node, ())), default=0)
    top = max(level.values())
    depth = {n: top - level[n] for n in inside}

    layers: list[list[str]] = [[] for _ in range(top + 1)]
    for node in inside:
        layers[depth[node]].append(node)
    all_items = dict(items)
    chains: dict[tuple[str, str], list[str]] = {}
    links: list[tuple[str, str]] = []

    def add_stand_ins(edge: tuple[str, str], first: int, last: int) -> None:
        """Stand-ins for `edge` in the layers between `first` and `last`, both left out."""
        names = []
        for layer in range(first + 1, last):
            name = f"{edge[0]}>{edge[1]}@{layer}"
            all_items[name] = Item(name, lane, 0)
            layers[layer].append(name)
            names.append(name)
        if names:
            chains[edge] = names
        path = [n for n in (edge[0], *names, edge[1]) if n in all_items]
        links.extend(pairwise(path))

    for edge in edges:
        add_stand_ins(edge, depth[edge[0]], depth[edge[1]])
    for node in inside:
        for parent in dict.fromkeys(parents[node]):
            if parent not in items:
                add_stand_ins((parent, node), -1, depth[node])
    if end is not None:
        for parent in parents[end]:
            if parent in items:
                add_stand_ins((parent, end), depth[parent], top + 1)

    _reduce_crossings(layers, links)
    center = _centers(layers, all_items, links, gap_x)
    heights = [max(all_items[n].height for n in layer) for layer in layers]
    y_of = [sum(heights[:k]) + gap_y * k for k in range(len(heights))]
    left = min(center[n] - all_items[n].width / 2 for n in all_items)
    right = max(center[n] + all_items[n].width / 2 for n in all_items)
    layer_of = {n: k for k, layer in enumerate(layers) for n in layer}
    places = tuple(
        (n, center[n] - left, y_of[layer_of[n]] + (heights[layer_of[n]] - items[n].height) / 2)
        for n in inside
    )
    bends = {
        edge: [
            point
            for n in names
            for point in (
                (center[n] - left, y_of[layer_of[n]]),
                (center[n] - left, y_of[layer_of[n]] + heights[layer_of[n]]),
            )
        ]
        for edge, names in chains.items()
    }
    return PlacedPiece(right - left, y_of[-1] + heights[-1], places, bends)


def _reduce_crossings(
    layers: list[list[str]], links: Sequence[tuple[str, str]], rounds: int = 6
) -> None:
    """Sort each layer by the mean place of its neighbours, down and up (Sugiyama's barycentre)."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for a, b in links:
        above.setdefault(b, []).append(a)
        below.setdefault(a, []).append(b)
    place = {n: i / max(1, len(layer) - 1) for layer in layers for i, n in enumerate(layer)}
    for turn in range(rounds):
        neighbours = above if turn % 2 == 0 else below
        for layer in layers if turn % 2 == 0 else reversed(layers):
            wish = {n: _mean([place[m] for m in neighbours.get(n, ())], place[n]) for n in layer}
            layer.sort(key=wish.__getitem__)
            place.update((n, i / max(1, len(layer) - 1)) for i, n in enumerate(layer))


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _centers(
    layers: Sequence[Sequence[str]],
    items: Mapping[str, Item],
    links: Sequence[tuple[str, str]],
    gap: float,
    rounds: int = 4,
) -> dict[str, float]:
    """Centre of each item: packed per layer around 0, then drawn towards its neighbours."""
    center: dict[str, float] = {}
    for layer in layers:
        width = sum(items[n].width for n in layer) + gap * (len(layer) - 1)
        x = -width / 2
        for n in layer:
            center[n] = x + items[n].width / 2
            x += items[n].width + gap
    near: dict[str, list[str]] = {}
    for a, b in links:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    for _ in range(rounds):
        for layer in layers:
            wish = {n: _mean([center[m] for m in near.get(n, ())], center[n]) for n in layer}
            x = -float("inf")
            for n in layer:
                half = items[n].width / 2
                center[n] = max(wish[n], x + half)
                x = center[n] + half + gap
            # Packing from the left pushed the layer right; move it back by the mean push.
            push = _mean([center[n] - wish[n] for n in layer], 0)
            for n in layer:
                center[n] -= push
    return center
