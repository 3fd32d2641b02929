"""The page of a unit on one picture: what it is made of there, or what changes with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from micrograph.atlas import NodeRecord, Reading
from micrograph.circuits.graph import AttributionEdge, AttributionGraph, AttributionNode
from micrograph.circuits.steered import Steered
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Choice, ModelRef, Thumb, model_ref
from micrograph.parts.plots.graph_drawing import ROWS, graph_drawing
from micrograph.parts.urls import Urls

INPUTS = 12
"""Inputs of the target that are listed."""


@dataclass(frozen=True, kw_only=True)
class OnPicturePage:
    """`/models/<model>/<node>/<unit>/on-picture`. `graph` or `steered` is the whole answer to the
    `question`; `tiles` are the pictures of units in it, by node and number. `source` is the picture
    itself, small; `choices` are others that can be asked about, `ways` other ways to steer, `units`
    what is steered together, and `groups` what else of the node could be. `view` are the options of
    the page's address but for the units; it is empty for a reader's own picture. `command` asks the
    same of a file."""

    kind: str
    title: str
    address: str
    model: ModelRef
    node: str
    unit: int
    unit_url: str
    question: str
    how: str
    picture: str
    source: str
    choices: list[Choice]
    ways: list[Choice]
    other_question: str
    graph: AttributionGraph | None
    steered: Steered | None
    tiles: dict[str, Thumb]
    command: str
    units: list[int]
    groups: list[Choice]
    view: dict[str, str]


def on_picture_page(
    atlas: Reading,
    node: NodeRecord,
    unit: int,
    urls: Urls,
    *,
    question: str,
    how: str,
    picture: str,
    view: Mapping[str, str],
    source: str,
    choices: list[Choice],
    ways: list[Choice],
    graph: AttributionGraph | None,
    steered: Steered | None,
    units: Sequence[int] = (),
    groups: Sequence[Choice] = (),
) -> OnPicturePage:
    """`view` is the part of an address that names the picture, empty for a reader's own."""
    model = atlas.model
    group = list(units or [unit])
    address = f"{model.id}/{node.id}/{unit}"
    named = f"{model.id}/{node.id}/" + ",".join(map(str, group))
    scene = Scene(atlas, node, unit, urls, [], {}, ())
    wanted = [*_units_of_graph(graph), *_units_of_steering(steered)]
    wanted += [(node.id, one) for one in group]
    found = {f"{n}/{u}": scene.thumb(n, u) for n, u in dict.fromkeys(wanted)}
    other = "steer" if question == "graph" else "graph"
    what = "is made of" if question == "graph" else "changes"
    form = "circuit" if question == "graph" else "steer"
    options = (
        "" if question == "graph" else {"add": " --add 1", "silence": ""}.get(how, f" --{how}")
    )
    return OnPicturePage(
        kind="on_picture",
        title=f"What {named.replace('/', ' / ')} {what} on {picture}"
        if question == "graph"
        else f"What {what} with {named.replace('/', ' / ')} on {picture}",
        address=address,
        model=model_ref(model, urls),
        node=node.id,
        unit=unit,
        unit_url=urls.unit(model.id, node.id, unit),
        question=question,
        how=how,
        picture=picture,
        source=source,
        choices=choices,
        ways=ways,
        other_question=(
            urls.on_picture(model.id, node.id, unit, question=other, **view) if view else ""
        ),
        graph=graph,
        steered=steered,
        tiles={key: tile for key, tile in found.items() if tile is not None},
        command=urls.commands.here(f"micrograph {form} {named} --picture FILE{options}"),
        units=group,
        groups=list(groups),
        view={"question": question, **({"how": how} if question == "steer" else {}), **view}
        if view
        else {},
    )


def drawing_of(page: OnPicturePage) -> Markup:
    """The graph of the page, with pictures of units where there are some."""
    assert page.graph is not None

    def picture_of(node: str, unit: int) -> tuple[str, str] | None:
        tile = page.tiles.get(f"{node}/{unit}")
        return (tile.image.url, tile.image.color) if tile and tile.image else None

    def link_of(node: str, unit: int) -> str:
        tile = page.tiles.get(f"{node}/{unit}")
        return tile.url if tile else page.unit_url

    return graph_drawing(page.graph, picture_of=picture_of, link_of=link_of, source=page.source)


def inputs_of(graph: AttributionGraph) -> list[AttributionEdge]:
    """The strongest edges into the target, by their share."""
    into = [edge for edge in graph.edges if edge.target == graph.target]
    return sorted(into, key=lambda edge: -edge.share)[:INPUTS]


@dataclass(frozen=True)
class UnlistedInputs:
    """What of a target is not listed: how many inputs, their sum, and their share of all."""

    count: int
    sum: float
    share: float


def rest_of(graph: AttributionGraph) -> UnlistedInputs:
    """All inputs of the target but those that `inputs_of` lists, pruned ones too."""
    target, listed = graph.node(graph.target), inputs_of(graph)
    hidden = [e for e in graph.edges if e.target == graph.target and e not in listed]
    return UnlistedInputs(
        target.others + len(hidden),
        target.others_sum + sum(edge.weight for edge in hidden),
        target.others_share + sum(edge.share for edge in hidden),
    )


def _units_of_graph(graph: AttributionGraph | None) -> Sequence[tuple[str, int]]:
    """Those that are drawn: reading a picture of each of all would take long."""
    if graph is None:
        return []
    by_node: dict[str, list[AttributionNode]] = {}
    for node in graph.nodes:
        by_node.setdefault(node.node, []).append(node)
    drawn = [n for some in by_node.values() for n in sorted(some, key=_influence)[: ROWS + 1]]
    listed = {edge.source for edge in inputs_of(graph)}
    drawn += [node for node in graph.nodes if node.id in listed]
    return [(node.node, node.unit) for node in drawn if node.unit is not None]


def _influence(node: AttributionNode) -> float:
    return -node.influence


def _units_of_steering(steered: Steered | None) -> Sequence[tuple[str, int]]:
    if steered is None:
        return []
    return [(node.node, effect.unit) for node in steered.nodes for effect in node.units[:8]]
