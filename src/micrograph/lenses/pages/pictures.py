"""Lenses whose result is a picture: no more to do than to show it under its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from micrograph.atlas.records import Visualization
from micrograph.lenses import lenses
from micrograph.lenses.contract import Lens
from micrograph.lenses.pages.page import TileChoice
from micrograph.lenses.pages.scene import Scene, Shot, tiles_of
from micrograph.lenses.result import Result
from micrograph.parts.parts import Thumb, thumb

Stored = TypeVar("Stored", bound=Result)


@dataclass(frozen=True)
class PictureList:
    """The pictures of one lens."""

    technique: str
    form: str
    shots: list[Shot]


def shot(
    scene: Scene, v: Visualization, title: str, columns: int = 1, rows: int = 1
) -> Shot | None:
    """A result as a picture with a caption; None where it has no picture."""
    image = scene.image(v)
    if image is None:
        return None
    return Shot(
        v.variant,
        title,
        image,
        v.score,
        v.seed,
        columns,
        rows,
        v.stored_score,
        measured(v),
    )


def measured(v: Visualization) -> str:
    """What the number is that is shown of a result: where its picture was compressed, and what it
    reaches since then was not measured, that is said."""
    one = lenses().get(v.technique)
    what = one.words.score if one else "score"
    lossy = v.picture is not None and v.picture.mime != "image/png"
    if lossy and v.stored_score is None and one is not None and one.can.scores_picture:
        return f"{what}, before compression"
    return what


def plain(title: str) -> Callable[[Visualization, Result], str]:
    """The same caption for every picture."""
    return lambda v, result: title


def pictures(
    lens: Lens, caption: Callable[[Visualization, Stored], str]
) -> Callable[[Scene], PictureList | None]:
    """The section of a lens that gives one picture per variant and seed."""

    def section(scene: Scene) -> PictureList | None:
        found = []
        for v, result in scene.results(lens.name, lens.result):
            made = shot(scene, v, caption(v, cast(Stored, result)), *result.grid)
            found += [made] if made else []
        return PictureList(lens.name, "pictures", found) if found else None

    return section


def tiles(lens: str) -> Callable[[Scene, str, int], dict[int, Thumb]]:
    """The pictures of a node's units by one variant, for a grid with tiles of `width` px."""

    def made(scene: Scene, variant: str, width: int) -> dict[int, Thumb]:
        model, node, urls = scene.model, scene.node.id, scene.urls
        found = tiles_of(scene.atlas, node, lens, variant, width, scene.shown)
        return {unit: thumb(model, node, unit, tile, urls) for unit, tile in found.items()}

    return made


def named(
    titles: dict[str, str] | None = None,
) -> Callable[[Scene, Sequence[str]], list[TileChoice]]:
    """The variants there are, by the titles the lens has for them."""

    def variants(scene: Scene, there: Sequence[str]) -> list[TileChoice]:
        return [TileChoice(v, (titles or {}).get(v, v.replace("-", " "))) for v in there]

    return variants
