"""How results of a lens become parts of pages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from micrograph.atlas.reading import Reading
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Thumb
from micrograph.parts.urls import Urls


@dataclass(frozen=True)
class TileChoice:
    """A setting of a lens as the tile of a node's page: the value in the query, and in words."""

    value: str
    text: str


@dataclass(frozen=True, kw_only=True)
class LensPage:
    """The functions of a lens that make parts of pages; a part it has none for is left out.

    `section(scene)` makes the part of a unit's (or, for lenses of nodes, a node's) page, a
    dataclass of the type `part` whose `technique` is the lens and whose `form` names its template:
    `page.html` of the lens of that name, or one of those that several share. None where there is
    nothing to show. `variants(scene, there)` lists which of the variants that are there can be a
    node page's tiles, `tiles(scene, variant, width)` makes them for a grid of that width in pixels,
    and `note(scene, variant, tiles)` is a sentence about them, or "".

    A lens that replaces the grid has `units_map(atlas, urls, node)`: all units of a node (of the
    model, where that is None) in one drawing, of the type `part`, which the macro `units_map` of
    its template draws; None where there is none. `drawings` are functions that its templates call.
    """

    part: type[Any] | None = None
    section: Callable[[Scene], Any] | None = None
    node_part: type[Any] | None = None
    node_section: Callable[[Scene], Any] | None = None
    variants: Callable[[Scene, Sequence[str]], list[TileChoice]] | None = None
    tiles: Callable[[Scene, str, int], dict[int, Thumb]] | None = None
    units_map: Callable[[Reading, Urls, str | None], Any] | None = None
    note: Callable[[Scene, str, Mapping[int, Thumb]], str] | None = None
    drawings: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
