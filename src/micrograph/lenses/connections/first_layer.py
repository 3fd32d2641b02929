"""The weights of a first layer as pictures: what its units look for in the picture itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from micrograph.errors import BadInput, short
from micrograph.lenses.connections.kernels import mixed
from micrograph.lenses.connections.stored import stored_connections
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Choice, Thumb
from micrograph.parts.plots.pixels import pixels_url

if TYPE_CHECKING:
    import numpy as np

WIDEST = 64
"""Weights along a side that are drawn."""
NUMBERS = 60_000
"""Weights on a page, about: 400 units of 7 x 7 pixels."""


@dataclass(frozen=True)
class ChannelWeights:
    """The weights [channel][y][x] by which a unit reads the picture, and drawn: `image` is the
    address of the picture, in which grey (for one channel white) is zero."""

    thumb: Thumb
    weights: list[list[list[float]]]
    image: str


@dataclass(frozen=True)
class FirstLayer:
    """The weights of units of a first layer, of the `channels` "RGB" or "L". All pictures have one
    `scale`: the weight that has the full colour. Of a large node `units` are those of one of the
    `pages`."""

    channels: str
    scale: float
    width: int
    height: int
    units: list[ChannelWeights]
    pages: list[Choice]


def first_layer(scene: Scene, units: range | None = None) -> FirstLayer | None:
    """Of these units, or a page of all; None where the node reads no picture itself, or its weights
    are not stored as they should be."""
    result = stored_connections(scene.atlas, scene.node.id, "picture")
    weights = result.kept.get("weights") if result and result.channels else None
    channels = {"RGB": 3, "L": 1}
    if result is None or weights is None or weights.ndim != 4:
        return None
    _, count, height, width = weights.shape
    if count != channels[result.channels] or not 0 < min(height, width) <= max(height, width):
        return None
    import numpy as np  # not before there are weights: pages without any need none

    if max(height, width) > WIDEST or not np.isfinite(weights).all():
        return None
    weights = weights[: scene.node.units]
    scale = float(np.abs(weights).max(initial=0.0))
    pages: list[Choice] = []
    if units is None:
        each = max(16, NUMBERS // (count * height * width))
        units, pages = _page(scene, len(weights), each)
    return FirstLayer(
        result.channels,
        scale,
        width,
        height,
        [
            ChannelWeights(thumb, _plain(weights[unit]), picture_of(weights[unit], scale))
            for unit in units
            if unit < len(weights) and (thumb := scene.thumb(scene.node.id, unit)) is not None
        ],
        pages,
    )


def picture_of(weights: "np.ndarray", scale: float) -> str:
    """RGB weights as colours around grey, those of one channel from blue over white to orange."""
    parts = (weights.astype(float) / (scale or 1.0)).clip(-1, 1)
    if len(parts) == 1:
        return pixels_url([[mixed(share) for share in row] for row in parts[0].tolist()])
    levels = (127.5 + 127.5 * parts).round().astype(int).transpose(1, 2, 0)
    return pixels_url([[(r, g, b) for r, g, b in row] for row in levels.tolist()])


def _plain(weights: "np.ndarray") -> list[list[list[float]]]:
    return [
        [[float(f"{weight:.5g}") for weight in row] for row in channel]
        for channel in weights.tolist()
    ]


def asked_page(scene: Scene, pages: int) -> int:
    """The page of the weights that the address asks for. Raises BadInput where it is none of these
    pages."""
    asked = scene.options.get("weights", "1")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 0
    if not 1 <= number <= pages:
        known = f"1 to {pages}" if pages > 1 else "1"
        raise BadInput(f"weights={short(asked)} is not there; expected {known}")
    return number


def _page(scene: Scene, units: int, each: int) -> tuple[range, list[Choice]]:
    """The units of the page that the address asks for, and where the others are."""
    pages = max(1, -(-units // each))
    number = asked_page(scene, pages)
    if pages < 2:
        return range(units), []
    shown = [range(each * k, min(units, each * (k + 1))) for k in range(pages)]

    def url(page: int) -> str:
        return scene.urls.node(scene.model, scene.node.id, weights=page) + "#first-layer"

    return shown[number - 1], [
        Choice(str(k), f"{some.start}–{some.stop - 1}", url(k), k == number)
        for k, some in enumerate(shown, 1)
    ]
