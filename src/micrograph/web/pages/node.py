"""The page of a node: the grid of all its units."""

import colorsys
from dataclasses import dataclass

from micrograph.atlas import NodeRecord, Reading, Tile
from micrograph.errors import BadInput, short
from micrograph.web.graph import parts_of
from micrograph.web.lenses import LENSES, View
from micrograph.web.pages.parts import (
    Link,
    ModelRef,
    NodeFacts,
    Thumb,
    model_ref,
    node_facts,
    render_command,
    thumb,
)
from micrograph.web.urls import Urls

SIZES = {"s": 64, "m": 112, "l": 192}
SORTS = {"unit": "Number", "strong": "Strongest", "weak": "Weakest", "colour": "Colour"}
OBJECTIVES = {"channel": "Channel", "neuron": "Neuron"}
SIGNS = {"positive": "Positive", "negative": "Negative"}
DEFAULTS = {"objective": "channel", "sign": "positive", "sort": "unit", "size": "m"}


@dataclass(frozen=True)
class NodeView:
    """The state of the page, as its query has it."""

    objective: str = "channel"
    sign: str = "positive"
    sort: str = "unit"
    size: str = "m"

    def __post_init__(self) -> None:
        for name, known in (("objective", OBJECTIVES), ("sign", SIGNS), ("sort", SORTS),
                            ("size", SIZES)):
            value = getattr(self, name)
            if value not in known:
                raise BadInput(
                    f"{name}={short(value)} is not understood; expected {' or '.join(known)}"
                )

    @property
    def lens_view(self) -> View:
        return next(
            v for v in LENSES[0].views if (v.objective, v.sign) == (self.objective, self.sign)
        )

    def query(self, **change: str) -> dict[str, str]:
        """The query of this view with `change`, without what is default anyway."""
        state = {name: getattr(self, name) for name in DEFAULTS} | change
        return {name: value for name, value in state.items() if value != DEFAULTS[name]}


@dataclass(frozen=True)
class Choice:
    """One setting of a switch. `current` marks the one the page shows."""

    value: str
    text: str
    url: str
    current: bool


@dataclass(frozen=True)
class Switch:
    """A setting of the page and its choices."""

    name: str
    text: str
    choices: list[Choice]


@dataclass(frozen=True)
class NodePage:
    """`/models/<model>/<node>`. `missing` is the command that renders what is not there yet.

    `part_of` is the concatenation in which the node's units appear again, and as which.
    """

    kind: str
    title: str
    address: str
    model: ModelRef
    node: NodeFacts
    technique: str
    variant: str
    view: NodeView
    switches: list[Switch]
    pictured: int
    missing: str
    units: list[Thumb]
    inputs: list[Link]
    outputs: list[Link]
    part_of: Link | None
    previous: Link | None
    next: Link | None


def node_page(atlas: Reading, node: NodeRecord, view: NodeView, urls: Urls) -> NodePage:
    id = atlas.model.id
    variant = view.lens_view.variant
    tiles = {
        t.unit: t
        for t in atlas.tiles(node.id, LENSES[0].technique, variant, min_width=SIZES[view.size])
    }
    order = _sorted(node.units, tiles, view.sort)
    whole = list(atlas.nodes)
    place = whole.index(node.id)

    def link(name: str) -> Link:
        return Link(name, urls.node(id, name))

    return NodePage(
        "node", f"{id} / {node.id}", f"{id}/{node.id}", model_ref(atlas.model, urls),
        node_facts(id, node, urls), LENSES[0].technique, variant, view,
        _switches(id, node.id, view, urls), len(tiles),
        "" if len(tiles) >= node.units else render_command(
            id, node.id, variants=[variant] if variant != "channel" else []
        ),
        [thumb(id, node.id, unit, tiles.get(unit), urls) for unit in order],
        [link(p) for p in node.parents if p in atlas.nodes],
        [link(n.id) for n in atlas.nodes.values() if node.id in n.parents],
        _part(atlas, node, urls),
        link(whole[place - 1]) if place else None,
        link(whole[place + 1]) if place + 1 < len(whole) else None,
    )


def _part(atlas: Reading, node: NodeRecord, urls: Urls) -> Link | None:
    whole, first = parts_of(atlas.nodes).get(node.id, ("", 0))
    if not whole:
        return None
    return Link(
        f"units {first}-{first + node.units - 1} of {whole}",
        urls.node(atlas.model.id, whole) + f"#u{first}",
    )


def _switches(model: str, node: str, view: NodeView, urls: Urls) -> list[Switch]:
    named = (
        ("objective", "Objective", OBJECTIVES), ("sign", "Sign", SIGNS), ("sort", "Sort", SORTS),
        ("size", "Size", {key: key.upper() for key in SIZES}),
    )
    return [
        Switch(name, text, [
            Choice(value, label, urls.node(model, node, **view.query(**{name: value})),
                   getattr(view, name) == value)
            for value, label in known.items()
        ])
        for name, text, known in named
    ]


def _sorted(count: int, tiles: dict[int, Tile], sort: str) -> list[int]:
    """Units in the order of `sort`; units without a picture come last, except by number."""
    if sort == "unit":
        return list(range(count))
    keys = {
        "strong": lambda t: -t.score,
        "weak": lambda t: t.score,
        "colour": lambda t: _hue(t.color),
    }
    known = sorted(tiles.values(), key=keys[sort])
    return [t.unit for t in known] + [u for u in range(count) if u not in tiles]


def _hue(color: str) -> float:
    """Place of "#rrggbb" on the colour circle, 0..1."""
    try:
        red, green, blue = (int(color[i:i + 2], 16) / 255 for i in (1, 3, 5))
    except ValueError:
        return 0.0
    return colorsys.rgb_to_hsv(red, green, blue)[0]
