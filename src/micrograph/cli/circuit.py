"""`micrograph circuit`: what a unit is made of on one picture."""

import base64
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from micrograph.cli import output
from micrograph.cli.given import one_of
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.cli.on_picture import (
    as_text,
    out_option,
    picture_option,
    split_place,
    units_of,
    write_answer,
)
from micrograph.errors import BadInput

if TYPE_CHECKING:
    from micrograph.circuits.graph import AttributionGraph

SHOWN = 12


@click.command()
@click.argument("place", metavar="MODEL/NODE/UNIT")
@picture_option
@click.option("--node", "-n", "nodes", multiple=True, metavar="N", help="Go through these nodes.")
@click.option("--latents", multiple=True, metavar="N", help="A dictionary's node, for its own.")
@click.option("--keep-nodes", default=0.8, show_default=True, help="Part of influence kept.")
@click.option("--keep-edges", default=0.98, show_default=True, help="The same of edges.")
@click.option(
    "--follow", default=32, show_default=True, metavar="K", help="Units of each node looked into."
)
@click.option("--positions", is_flag=True, help="A node for each position of a unit.")
@click.option("--json", "as_json", is_flag=True, help="Write the graph as JSON.")
@click.option("--svg", is_flag=True, help="Write it as a drawing.")
@click.option("--graph-json", is_flag=True, help="Write it for graph viewers.")
@out_option
@model_options
def command(
    place: str,
    picture: str,
    nodes: tuple[str, ...],
    latents: tuple[str, ...],
    keep_nodes: float,
    keep_edges: float,
    follow: int,
    positions: bool,
    as_json: bool,
    svg: bool,
    graph_json: bool,
    out: Path | None,
    asked: ModelOptions,
) -> None:
    """Say what a unit or class is made of on one picture.

    The attribution graph: gradient times activation from node to node, the strongest paths kept.
    `--graph-json` is what the viewers of circuit-tracer and Neuronpedia read.
    """
    from micrograph.circuits.attribution_graph import attribution_graph

    one_of({"--json": as_json, "--svg": svg, "--graph-json": graph_json})
    form = "json" if as_json else "svg" if svg else "graph-json" if graph_json else None
    if out is not None and form is None:
        raise BadInput("--out needs to know what to write; add --json, --svg or --graph-json")
    name, node, text = split_place(place)
    model = asked.load(name, asked.card(name))
    units = units_of(text, model.node(node).units)
    if len(units) != 1:
        raise BadInput(f"{len(units)} units given; expected one, such as {node}/{units[0]}")
    graph = attribution_graph(
        model,
        picture,
        (node, units[0]),
        nodes or None,
        keep_nodes=keep_nodes,
        keep_edges=keep_edges,
        dictionaries=latents,
        positions=positions,
        follow=follow,
    )
    if form is None:
        _tell(graph)
    else:
        write_answer(_written(graph, form, picture), out)


def _written(graph: "AttributionGraph", form: str, picture: str) -> str:
    if form == "json":
        return as_text(graph.to_json())
    if form == "graph-json":
        from micrograph.circuits.graph_json import viewer_json

        return as_text(viewer_json(graph))
    from micrograph.parts.plots.graph_drawing import graph_drawing

    return str(graph_drawing(graph, source=_small(picture), standalone=True)) + "\n"


def _small(picture: str) -> str:
    """The picture as a data URL, for a file that stands alone."""
    from micrograph.pictures import find_picture

    image = find_picture(picture)[1]
    image.thumbnail((132, 132))
    packed = BytesIO()
    image.save(packed, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(packed.getvalue()).decode()


def _tell(graph: "AttributionGraph") -> None:
    target = graph.node(graph.target)
    label = f" ({graph.label})" if graph.label else ""
    at = f" at {target.position[0]},{target.position[1]}" if target.position else ""
    output.say(f"{graph.model}/{graph.target}{label} on {graph.picture}: {target.value:.4g}{at}")
    into = [edge for edge in graph.edges if edge.target == graph.target]
    into.sort(key=lambda edge: -edge.share)
    rows = [(edge.source, f"{edge.weight:+.4g}", f"{edge.share:.1%}") for edge in into[:SHOWN]]
    hidden = into[SHOWN:]
    others = target.others + len(hidden)
    rest = target.others_sum + sum(edge.weight for edge in hidden)
    share = target.others_share + sum(edge.share for edge in hidden)
    rows.append((f"other {others} inputs", f"{rest:+.4g}", f"{share:.1%}"))
    rows.append(("constant", f"{target.constant:+.4g}", ""))
    if abs(target.error) > 1e-4 * abs(target.value):
        rows.append(("error", f"{target.error:+.4g}", ""))
    output.table(("input", "gives", "of all"), rows)
    output.say("")
    output.table(
        ("through", "units", "active", "followed", "kept"),
        [(s.node, *map(str, (s.units, s.active, s.followed, s.kept))) for s in graph.stages],
    )
    output.say(
        f"{len(graph.nodes)} nodes and {len(graph.edges)} edges are kept; units that were followed "
        f"have {graph.followed:.0%} of the influence"
    )
    for note in graph.notes:
        output.say(f"note: {note}")
