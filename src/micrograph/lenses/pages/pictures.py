"""Lenses whose result is a picture: no more to do than to show it under its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from micrograph.atlas.records import Visualization
from micrograph.lenses.pages.base import Option, Scene, Shot
from micrograph.parts.parts import Thumb, thumb


@dataclass(frozen=True)
class Pictures:
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
    return Shot(v.variant, title, image, v.score, v.seed, columns, rows)


def plain(title: str) -> Callable[[Visualization], str]:
    return lambda v: title


def pictures(
    technique: str, caption: Callable[[Visualization], str]
) -> Callable[[Scene], Pictures | None]:
    """The section of a lens that gives one picture per variant and seed."""

    def section(scene: Scene) -> Pictures | None:
        found = []
        for v in scene.of(technique):
            columns, rows = (_count(v.data.get(key)) for key in ("columns", "rows"))
            made = shot(scene, v, caption(v), columns, rows)
            found += [made] if made else []
        return Pictures(technique, "pictures", found) if found else None

    return section


def tiles(technique: str) -> Callable[[Scene, str, int], dict[int, Thumb]]:
    """The pictures of a node's units by one variant, for a grid with tiles of `width` px."""

    def made(scene: Scene, variant: str, width: int) -> dict[int, Thumb]:
        found = scene.atlas.tiles(scene.node.id, technique, variant, min_width=width)
        return {t.unit: thumb(scene.model, scene.node.id, t.unit, t, scene.urls) for t in found}

    return made


def named(titles: dict[str, str] | None = None) -> Callable[[Scene, Sequence[str]], list[Option]]:
    """The variants there are, by the titles the lens has for them."""

    def variants(scene: Scene, there: Sequence[str]) -> list[Option]:
        return [Option(v, (titles or {}).get(v, v.replace("-", " "))) for v in there]

    return variants


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 100 else 1
