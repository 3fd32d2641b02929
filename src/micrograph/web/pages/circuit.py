"""The page of a circuit: a unit, its strongest inputs, and theirs."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from micrograph.atlas import ModelRecord, NodeRecord, Reading
from micrograph.errors import BadInput
from micrograph.lenses.connections.circuit import (
    BRANCHES,
    DEEPEST,
    LONGEST_NAMED,
    MOST_NAMED,
    SIGNS,
    WIDEST,
    Circuit,
    CircuitChoice,
    CircuitUnit,
    Place,
    circuit,
)
from micrograph.lenses.connections.circuit_drawing import circuit_drawing
from micrograph.lenses.connections.inputs import ORDERS, LackingOrder
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Choice, Link, ModelRef, Switch, Thumb, model_ref
from micrograph.parts.urls import Urls
from micrograph.web.render_state import RenderState

TECHNIQUE = "connections"


@dataclass(frozen=True, kw_only=True)
class UnitInCircuit:
    """A unit of a circuit as the page shows it, and where one can go from it: its own circuit, this
    one with the unit pinned (or no longer), and without it ("" for the target itself, and where an
    address holds no more). `branch` is the same unit in the branch that it comes from, where
    branches are apart."""

    thumb: Thumb
    circuit: str
    pin: str
    remove: str
    branch: Link | None = None


@dataclass(frozen=True, kw_only=True)
class CircuitPage:
    """`/circuits/<model>/<node>/<unit>`. `circuit` is all that is shown, `units` by `node/unit`.
    `pinned` and `removed` are links to the page with one of them less. Where connections are not
    stored, `missing` says of which node, and `command` gets them, or `render` those of all. `svg`,
    `png` and `graph` are the same as files: drawings, and an attribution graph for other
    viewers."""

    kind: str
    title: str
    address: str
    model: ModelRef
    node: str
    unit: int
    unit_url: str
    depth: int
    width: int
    sign: str
    order: str
    branches: str
    pin: str
    without: str
    switches: list[Switch]
    circuit: Circuit
    units: dict[str, UnitInCircuit]
    pinned: list[Link]
    removed: list[Link]
    missing: str
    command: str
    render: RenderState
    svg: str
    png: str
    graph: str


def circuit_page(
    atlas: Reading,
    node: NodeRecord,
    unit: int,
    urls: Urls,
    choice: CircuitChoice,
    render: RenderState,
) -> CircuitPage:
    """The page of a unit that is there; `render` is about the connections of all nodes. Raises
    BadInput for units both pinned and removed."""
    for one in choice.pinned:
        if one in choice.removed:
            raise BadInput(f"{_name(one)} is both in pin= and in without=; expected one of them")
    if (node.id, unit) in choice.removed:
        raise BadInput(f"without={node.id}/{unit} is the unit itself; expected inputs of it")
    model = atlas.model
    found = circuit(atlas, node.id, unit, choice)
    here = _Here(urls, model.id, node.id, unit, choice)
    scene = Scene(atlas, node, unit, urls, [])
    address = f"{model.id}/{node.id}/{unit}"
    needs = found.needs
    return CircuitPage(
        kind="circuit",
        title=f"What {address.replace('/', ' / ')} is built from",
        address=address,
        model=model_ref(model, urls),
        node=node.id,
        unit=unit,
        unit_url=urls.unit(model.id, node.id, unit),
        depth=choice.depth,
        width=choice.width,
        sign=choice.sign,
        order=choice.order,
        branches=choice.branches,
        pin=_names(choice.pinned),
        without=_names(choice.removed),
        switches=here.switches(),
        circuit=found,
        units={
            one.id: here.unit(one, thumb)
            for column in found.columns
            for one in column.units
            if (thumb := scene.thumb(one.node, one.unit))
        },
        pinned=[Link(_name(one), here.url(pin=_less(choice.pinned, one))) for one in choice.pinned],
        removed=[
            Link(_name(one), here.url(without=_less(choice.removed, one))) for one in choice.removed
        ],
        missing=needs.why[:1].upper() + needs.why[1:] if needs else "",
        command=_command(urls, model, needs) if needs else "",
        render=render,
        svg=here.url(".svg"),
        png=here.url(".png"),
        graph=here.url(".graph.json"),
    )


@dataclass(frozen=True)
class _Here:
    """The page's own address, with one thing or another changed."""

    urls: Urls
    model: str
    node: str
    of: int
    choice: CircuitChoice

    def url(self, ending: str = "", **change: str) -> str:
        view = {
            "depth": str(self.choice.depth),
            "width": str(self.choice.width),
            "sign": self.choice.sign,
            "order": self.choice.order,
            "branches": self.choice.branches,
            "pin": _names(self.choice.pinned),
            "without": _names(self.choice.removed),
        } | change
        usual = CircuitChoice()
        plain = {
            "depth": str(usual.depth),
            "width": str(usual.width),
            "sign": usual.sign,
            "order": usual.order,
            "branches": usual.branches,
        }
        kept = {k: v for k, v in view.items() if v and v != plain.get(k)}
        return self.urls.circuit(self.model, self.node, self.of, ending, **kept)

    def switches(self) -> list[Switch]:
        known: Sequence[tuple[str, str, str, Sequence[str]]] = [
            ("depth", "Steps back", str(self.choice.depth), _counts(DEEPEST)),
            ("width", "Inputs of each", str(self.choice.width), _counts(WIDEST)),
            ("sign", "Sign", self.choice.sign, SIGNS),
            ("order", "Order by", self.choice.order, ORDERS),
            ("branches", "Branches", self.choice.branches, BRANCHES),
        ]
        spelled = {"activation": "weight × activation"}
        return [
            Switch(
                name,
                words,
                [
                    Choice(one, spelled.get(one, one), self.url(**{name: one}), one == now)
                    for one in values
                ],
            )
            for name, words, now, values in known
        ]

    def unit(self, one: CircuitUnit, thumb: Thumb) -> UnitInCircuit:
        place = (one.node, one.unit)
        pinned, target = self.choice.pinned, place == (self.node, self.of)
        pins = _less(pinned, place) if one.pinned else _more(pinned, place)
        removes = _more(self.choice.removed, place)
        return UnitInCircuit(
            thumb=thumb,
            circuit=self.urls.circuit(self.model, one.node, one.unit),
            pin="" if target or pins is None else self.url(pin=pins),
            remove=""
            if target or removes is None
            else self.url(pin=_less(pinned, place), without=removes),
            branch=None
            if one.branch_unit is None
            else Link(
                f"{one.branch}/{one.branch_unit}",
                self.urls.unit(self.model, one.branch, one.branch_unit),
            ),
        )


def drawing_of_circuit(page: CircuitPage) -> Markup:
    """The circuit as a page shows it: each unit is a link to its own page."""

    def picture_of(unit: CircuitUnit) -> tuple[str, str] | None:
        there = page.units.get(unit.id)
        image = there.thumb.image if there else None
        return (image.url, image.color) if image else None

    def link_of(unit: CircuitUnit) -> str:
        there = page.units.get(unit.id)
        return f"{there.thumb.url}#{TECHNIQUE}" if there else page.unit_url

    return circuit_drawing(page.circuit, picture_of=picture_of, link_of=link_of)


def _command(urls: Urls, model: ModelRecord, needs: LackingOrder) -> str:
    """What gets it: a dataset's activations, or connections of the node."""
    return urls.commands.render(
        model,
        needs.node,
        technique=needs.technique,
        variants=[needs.variant] if needs.variant else [],
        options="" if needs.technique == TECHNIQUE else "--dataset FOLDER",
    )


def _counts(last: int) -> list[str]:
    return [str(n) for n in range(1, last + 1)]


def _more(places: Sequence[Place], place: Place) -> str | None:
    """One more in an option; None where an address would not be understood with it."""
    text = _names((*places, place))
    return None if len(places) >= MOST_NAMED or len(text) > LONGEST_NAMED else text


def _name(place: Place) -> str:
    return f"{place[0]}/{place[1]}"


def _names(places: Sequence[Place]) -> str:
    return ",".join(map(_name, places))


def _less(places: Sequence[Place], one: Place) -> str:
    return _names([other for other in places if other != one])
