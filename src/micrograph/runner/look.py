"""What a model answers to one picture: for the site's questions; nothing is stored."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from micrograph import lenses
from micrograph.circuits.attribution_graph import attribution_graph
from micrograph.circuits.seen_picture import SeenPicture
from micrograph.circuits.steering import steer
from micrograph.errors import BadInput
from micrograph.graph import NodeKind
from micrograph.lenses.attribution.engine import as_result, attribute, dominators_of
from micrograph.lenses.engines.base import Rendered, StepHook
from micrograph.lenses.engines.source_pictures import SourcePicture
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.models.pictures import centre
from micrograph.runner.select import choose_nodes

CLASSES = 5
UPSTREAM = 3
"""How many nodes upstream attribution looks at: the nearest ones, because a reader waits."""


def fit(pixels: np.ndarray, model: Model) -> SourcePicture:
    """The picture uint8 [y, x, 3] as the model takes it; one of its own input size stays as it is.

    Raises BadInput for an array of another form.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        given = f"{pixels.dtype} {list(pixels.shape)}"
        raise BadInput(f"pixels {given} given, expected uint8 [y, x, 3]")
    size = model.preprocessing.size
    if pixels.shape[:2] != (size, size):
        pixels = np.asarray(centre(Image.fromarray(pixels), model.preprocessing))
    return SourcePicture("own", pixels)


@torch.no_grad()
def unit_map(model: Model, picture: SourcePicture, node: str, unit: int) -> dict[str, Any]:
    """A unit on a picture: its largest `value`, the `position` of that, and its whole `map`."""
    place = _place(model, node, unit)
    return _map(place, unit, model.run(picture.tensor(model.device), [place.id])[place.id])


def look(
    model: Model,
    picture: SourcePicture,
    node: str | None = None,
    unit: int | None = None,
    attribution: bool = False,
) -> dict[str, Any]:
    """Everything from one forward pass, and the attribution of the unit (or the strongest class).

    `maxima`: the largest value over the map of every unit, of the dominators of the logits (of
    `node` only, if given). `classes`: the strongest, with logit and share (softmax).
    """
    logits = logits_node(model)
    nodes = _dominators(model, logits) if node is None else [_place(model, node, unit)]
    wanted = dict.fromkeys([*(n.id for n in nodes), *([logits.id] if logits else [])])
    tensor = picture.tensor(model.device)
    with torch.no_grad():
        found = {k: v.float() for k, v in model.run(tensor, list(wanted)).items()}
    target: tuple[Node, int] | None = None
    if logits is not None:
        target = logits, int(found[logits.id][0].argmax())
    if node is not None and unit is not None:
        target = nodes[0], unit
    return {
        "maxima": {n.id: _spatial_max(found[n.id]).tolist() for n in nodes},
        "unit": None if node is None or unit is None else _map(nodes[0], unit, found[nodes[0].id]),
        "classes": [] if logits is None else _classes(model, found[logits.id][0]),
        "attribution": _attribution(model, tensor, *target) if attribution and target else None,
    }


def caricature(
    model: Model, picture: SourcePicture, node: str, on_step: StepHook | None = None
) -> str:
    """What the node sees in the picture, as a data URL."""
    lens: Any = lenses.get("caricature")
    job = replace(lens.jobs(model, images=["owl"], preset="draft")[0], context=picture)
    for made in lens.run(model, model.node(node).id, [], job, on_step):
        if isinstance(made, Rendered) and made.image is not None:
            packed = BytesIO()
            Image.fromarray(made.image).save(packed, "WEBP", quality=85)
            return "data:image/webp;base64," + base64.b64encode(packed.getvalue()).decode()
    raise BadInput(f"there is no caricature of {node}")


def circuit(
    model: Model, picture: SourcePicture, node: str, unit: int, on_step: StepHook | None = None
) -> dict[str, Any]:
    """The attribution graph of a unit on the picture, as JSON."""
    place = _place(model, node, unit)
    seen = _seen(model, picture)
    return attribution_graph(model, seen, (place.id, unit), on_step=on_step).to_json()


def steered(
    model: Model,
    picture: SourcePicture,
    node: str,
    units: int | Sequence[int],
    how: str,
    on_step: StepHook | None = None,
) -> dict[str, Any]:
    """What changes on the picture when units are silenced, halved, doubled, or (`how` is "add") get
    the largest value that any of them has there at every position; as JSON."""
    group = [units] if isinstance(units, int) else list(units)
    place = _place(model, node, group[0])
    seen = _seen(model, picture)
    if how != "add":
        return steer(model, seen, place.id, group, how, on_step=on_step).to_json()
    with torch.no_grad():
        values = _spatial_max(model.run(seen.tensor, [place.id])[place.id].float())
    largest = values[group].max().item()
    if not largest > 0:
        named = f"{place.id}/{','.join(map(str, group))}"
        raise BadInput(
            f"{named} is nowhere above 0 on this picture, so there is nothing "
            "to add; add a number of your own with `micrograph steer --add`"
        )
    return steer(model, seen, place.id, group, add=largest, on_step=on_step).to_json()


def _seen(model: Model, picture: SourcePicture) -> SeenPicture:
    return SeenPicture(picture.name, picture.digest, picture.tensor(model.device))


def _place(model: Model, node: str, unit: int | None) -> Node:
    place = model.node(node)
    if unit is not None and not 0 <= unit < place.units:
        raise BadInput(f"unit {unit} of {place.id} is out of range; expected 0-{place.units - 1}")
    return place


def _spatial_max(values: Tensor) -> Tensor:
    """[1, unit, ...] to [unit]."""
    return values[0].flatten(1).amax(1) if values.ndim > 2 else values[0]


def _map(node: Node, unit: int, values: Tensor) -> dict[str, Any]:
    """`map` is in 0..1 of the largest value; what is negative is 0 in it."""
    grid = values[0, unit] if values.ndim > 2 else values[0, unit].view(1, 1)
    value = grid.max().item()
    shown = grid.clamp(min=0) / value if value > 0 else torch.zeros_like(grid)
    return {
        "value": float(f"{value:.5g}"),
        "position": int(grid.argmax()),
        "map": [[round(v, 3) for v in row] for row in shown.tolist()],
    }


def logits_node(model: Model) -> Node | None:
    """The node whose units are the labels."""
    fits = [
        n
        for n in model.nodes.values()
        if n.units == len(model.labels) and not n.shape and not NodeKind.of(n.kind).is_attached
    ]
    return fits[-1] if fits else None


def _dominators(model: Model, logits: Node | None) -> list[Node]:
    """The dominators of the logits; without logits the nodes worth seeing."""
    if logits is None:
        return choose_nodes(model.nodes, None)
    return [*(model.nodes[name] for name in dominators_of(model, logits.id)), logits]


def _classes(model: Model, logits: Tensor) -> list[dict[str, Any]]:
    order: Sequence[int] = logits.argsort(descending=True)[:CLASSES].tolist()
    are_shares = bool((logits >= 0).all()) and abs(logits.sum().item() - 1) < 1e-3
    shares = (logits if are_shares else logits.softmax(0)).tolist()
    return [
        {
            "class": number,
            "label": model.labels[number],
            "value": float(f"{logits[number].item():.5g}"),
            "share": round(shares[number], 4),
        }
        for number in order
    ]


def _attribution(model: Model, picture: Tensor, node: Node, unit: int) -> dict[str, Any]:
    nearest = dominators_of(model, node.id)[-UPSTREAM:]
    found = attribute(model, node.id, [unit], picture, nearest)
    return {"node": node.id, "unit": unit} | as_result(found[0]).to_json()
