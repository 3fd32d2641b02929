"""Pictures as HTML. Pages have hundreds of them, and these functions take a tenth of the time that
macros of templates do."""

from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup

from micrograph.parts.crops import Box
from micrograph.parts.escaping import escaped
from micrograph.parts.parts import Image, Thumb


def picture(image: Image, alt: str = "", eager: bool = False) -> Markup:
    """A picture; unless `eager`, it is loaded when a reader comes near."""
    return Markup(_picture(image, alt, eager))


def crop(
    image: Image, window: Box, box: Box | None = None, eager: bool = False, alt: str = ""
) -> Markup:
    """A part of a picture, filling a square; `box` is drawn where the whole picture is shown."""
    few = " few" if window.width * image.width < 24 else ""
    boxed = box is not None and box.width * box.height <= 0.98
    whole = "" if boxed else " all"
    places = _place(window) + (_place(box, "b") if box is not None else "")
    return Markup(
        f'<span class="crop{few}{whole}" style="{places}background:{escaped(image.color)}">'
        f"{_picture(image, alt, eager)}{'<i></i>' if boxed else ''}</span>"
    )


def thumb(thumb: Thumb, eager: bool = False) -> Markup:
    """A unit's picture, the part of it to show, or what stands for it."""
    if thumb.image is None:
        named = " named" if thumb.text else ""
        return Markup(f'<span class="blank{named}">{escaped(thumb.text)}</span>')
    if thumb.window is not None:
        return crop(thumb.image, thumb.window, None, eager)
    return Markup(_picture(thumb.image, "", eager))


def breakable(name: str) -> Markup:
    """A long name that may break behind its separators and nowhere else."""
    text = escaped(name)
    for separator in "_./-":  # of which none is in what is put in
        text = text.replace(separator, f"{separator}<wbr>")
    return Markup(text.removesuffix("<wbr>"))


def strip(units: Iterable[Thumb], here: int) -> Markup:
    """Units in a row, as items of a list; `here` is the one that the page is about."""
    return Markup(
        "".join(
            [
                f'<li><a href="{escaped(t.url)}"{_CURRENT if t.unit == here else ""}>{thumb(t)}'
                f'<span class="n">{t.unit}</span></a></li>'
                for t in units
            ]
        )
    )


_CURRENT = ' aria-current="page"'
EAGER = 60
"""Pictures of a grid that are loaded at once: those a reader sees first."""


def grid(units: Iterable[Thumb]) -> Markup:
    """The tiles of all units of a node, as items of a list."""
    return Markup("\n".join([_tile(t, k < EAGER) for k, t in enumerate(units)]))


def _tile(t: Thumb, eager: bool) -> str:
    shown: str
    if t.image is None:
        shown, missing = thumb(t), ' class="missing"'
    else:
        shown = thumb(t, eager) if t.window else _tile_picture(t.image, eager)
        missing = ""
    return (
        f'<li><a href="{escaped(t.url)}" id="u{t.unit}" data-unit="{t.unit}"{missing}>{shown}'
        f'<span class="n">{t.unit}</span></a></li>'
    )


def _tile_picture(image: Image, eager: bool) -> str:
    lazy = "" if eager else ' loading="lazy"'
    return (
        f'<img src="{escaped(image.url)}" width="{image.width}" height="{image.height}" alt="" '
        f'decoding="async"{lazy} style="background:{escaped(image.color)}">'
    )


def _picture(image: Image, alt: str, eager: bool) -> str:
    lazy = "" if eager else ' loading="lazy"'
    return (
        f'<img src="{escaped(image.url)}" width="{image.width}" height="{image.height}" '
        f'alt="{escaped(alt)}" decoding="async"{lazy} style="background:{escaped(image.color)}">'
    )


@lru_cache(4096)
def _place(box: Box, name: str = "") -> str:
    return (
        f"--{name}l:{round(box.left, 4)};--{name}t:{round(box.top, 4)};"
        f"--{name}w:{round(box.width, 4)};--{name}h:{round(box.height, 4)};"
    )
