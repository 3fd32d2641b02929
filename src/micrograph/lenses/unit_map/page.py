"""The map of a node's or a model's units, as a page shows it: pictures in place of dots."""

import math
from dataclasses import dataclass

from micrograph.atlas import Reading, Visualization
from micrograph.lenses import lead
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.scene import ArraysOf
from micrograph.lenses.unit_map.lens import LENS, UnitMapResult
from micrograph.parts.parts import Image, image
from micrograph.parts.urls import Urls

MOST_DRAWN = 10_000
"""Units on a map: it has no pages, and a browser's memory has an end."""
MOST_PICTURED = 65_536
"""Pictures of a node that are looked through for those."""


@dataclass(frozen=True)
class MapUnit:
    """A unit on the map: `x`, `y` in 0..1 from the top left are the centre of its picture."""

    unit: int
    node: str
    url: str
    x: float
    y: float
    image: Image | None


@dataclass(frozen=True)
class UnitMap:
    """Units row by row from the top left. `cell` is the side of a picture's place, of the map's 1.

    `method` says how the map was made; `note` how far it can be trusted, where that was measured.
    `variant` is "node" or "model".
    """

    technique: str
    form: str
    variant: str
    title: str
    method: str
    note: str
    cell: float
    units: list[MapUnit]


def units_map(atlas: Reading, urls: Urls, node: str | None = None) -> UnitMap | None:
    """The map of a node's units, or without `node` that of the model's; None if there is none."""
    if node is not None:
        rows = _rows(atlas, "node", [node])
        title = f"{atlas.model.id}/{node}"
    else:
        rows = _largest_whole(atlas, _rows(atlas, "model", atlas.nodes))
        title = atlas.model.id
    many = sum(atlas.nodes[row.node].units for row in rows)
    step = max(1, -(-many // MOST_DRAWN))
    units = [u for row in rows for u in _units(atlas, row, urls, step)]
    if not units:
        return None
    result = read(atlas, rows[0])
    cell = 1 / (result.columns or math.ceil(math.sqrt(2 * len(units) * step)))
    units.sort(key=lambda u: (round(u.y / cell - 0.5), u.x))
    return UnitMap(
        LENS.name,
        LENS.name,
        "model" if node is None else "node",
        title,
        result.method,
        _note(result, "" if step == 1 else f"One unit in {step} is drawn, of {many}."),
        cell,
        units,
    )


def _rows(atlas: Reading, variant: str, nodes: object) -> list[Visualization]:
    mapped = {c.node for c in atlas.counts() if (c.technique, c.variant) == (LENS.name, variant)}
    found = []
    for node in nodes if isinstance(nodes, list) else list(atlas.nodes):
        if node in mapped:
            found += [
                v for v in atlas.visualizations(node, None, LENS.name) if v.variant == variant
            ][:1]
    return found


def _largest_whole(atlas: Reading, rows: list[Visualization]) -> list[Visualization]:
    """Those that were laid out together; of several such groups the one of most nodes, newest."""
    groups: dict[str, list[Visualization]] = {}
    for row in rows:
        groups.setdefault(repr(read(atlas, row).together), []).append(row)
    return max(groups.values(), key=lambda g: (len(g), max(v.created for v in g)), default=[])


def _units(atlas: Reading, row: Visualization, urls: Urls, step: int) -> list[MapUnit]:
    """Every `step`th unit that has a place."""
    node, id = row.node, atlas.model.id
    xy = read(atlas, row).xy
    if xy is None or xy.shape != (atlas.nodes[node].units, 2):
        return []
    tiles = {t.unit: t for t in atlas.tiles(node, *lead(), min_width=64, most=MOST_PICTURED)}
    return [
        MapUnit(
            unit,
            node,
            urls.unit(id, node, unit),
            x,
            y,
            image(id, tiles[unit], urls) if unit in tiles else None,
        )
        for unit, (x, y) in zip(
            range(0, len(xy), step), xy[::step].astype(float).round(5).tolist(), strict=True
        )
        if 0 <= x <= 1 and 0 <= y <= 1  # also false for NaN
    ]


def _note(result: UnitMapResult, drawn: str) -> str:
    """What is `drawn`, and the measurements in words: neighbours against any two units, and how
    many are true."""
    said = [drawn] if drawn else []
    if result.near is not None and result.random is not None:
        said.append(
            f"Neighbours on the map correlate {result.near:.2f} on average, any two units "
            f"{result.random:.2f}."
        )
    if result.trustworthiness is not None:
        said.append(f"Trustworthiness {result.trustworthiness:.2f} of 1.")
    return " ".join(said).replace("-", "\N{MINUS SIGN}")


def read(atlas: Reading, row: Visualization) -> UnitMapResult:
    """What a stored map holds."""
    return UnitMapResult.from_json(row.data, ArraysOf(atlas, row))


PAGE = LensPage(part=UnitMap, units_map=units_map)
