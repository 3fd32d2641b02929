"""The picture that stands for a page where its link is shared: 1200 x 630 pixels, as JPEG."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from micrograph.parts.lettering import font, lines, shortened, spelled

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 1200, 630
"""As the Open Graph protocol's readers show it whole."""
_PAPER, _INK, _QUIET, _LAMP = (20, 20, 22), (245, 245, 247), (168, 168, 174), (255, 149, 56)
_NOTHING = (44, 44, 48)
_GAP, _MARGIN = 6, 44
_LEFT = HEIGHT + _MARGIN
_ROOM = WIDTH - _MARGIN - _LEFT
_STRIP = 4
_QUALITY = 88


@dataclass(frozen=True)
class ShareCard:
    """What is on a card. `pictures` fill the square at the left: one, or as many as a grid of
    four, nine or sixteen has room for, None where a place stays grey; `strip` are up to four small
    ones at the right. `title` is set large, `place` small above it, `words` below it."""

    title: str
    place: str
    words: Sequence[str]
    pictures: Sequence["Image | None"]
    strip: Sequence["Image"] = ()


def drawn(card: ShareCard) -> bytes:
    """The card as JPEG."""
    from PIL import Image, ImageDraw

    paper = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    draw = ImageDraw.Draw(paper)
    _pictures(paper, card.pictures)
    y = _MARGIN + 22
    draw.text((_LEFT, y), shortened(card.place, _ROOM, 27), _QUIET, font(27), anchor="ls")
    size, title = _title(card.title)
    y += 20
    for line in title:
        y += round(size * 1.16)
        draw.text((_LEFT, y), line, _INK, font(size), anchor="ls")
    y += 22
    below = HEIGHT - _MARGIN - (_side() + 30 if card.strip else 0) - 44
    for text in card.words:
        for line in lines(text, _ROOM, 25, 3):
            if y + 34 > below:
                break
            y += 34
            draw.text((_LEFT, y), line, _QUIET, font(25), anchor="ls")
        y += 10
    for number, one in enumerate(card.strip[:_STRIP]):
        corner = (_LEFT + number * (_side() + 10), HEIGHT - _MARGIN - 52 - _side())
        paper.paste(_square(one, _side()), corner)
    _brand(draw)
    packed = BytesIO()
    paper.save(packed, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return packed.getvalue()


def _side() -> int:
    return (_ROOM - (_STRIP - 1) * 10) // _STRIP


def _pictures(paper: "Image", pictures: Sequence["Image | None"]) -> None:
    """The square at the left, as large a grid as the pictures fill."""
    from PIL import Image

    count = next((n for n in (4, 3, 2) if len(pictures) >= n * n), 1)
    edges = [round(k * (HEIGHT + _GAP) / count) for k in range(count + 1)]
    for number in range(count * count):
        row, column = divmod(number, count)
        left, top = edges[column], edges[row]
        side = min(edges[column + 1] - left, edges[row + 1] - top) - _GAP
        one = pictures[number] if number < len(pictures) else None
        shown = Image.new("RGB", (side, side), _NOTHING) if one is None else _square(one, side)
        paper.paste(shown, (left, top))


def _square(picture: "Image", side: int) -> "Image":
    """The middle of a picture."""
    from PIL import Image, ImageOps

    return ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)


def _title(text: str) -> tuple[int, list[str]]:
    """The title as large as it has room, on one line or on two."""
    text = spelled(text)
    for size in (72, 60, 50, 42):
        if font(size).getlength(text) <= _ROOM:
            return size, [text]
    # Names of nodes have no spaces, but places to break at.
    for size in (48, 40, 34):
        first = max(
            (k for k in range(1, len(text)) if text[k - 1] in " ./" and _fits(text[:k], size)),
            default=0,
        )
        if first and _fits(text[first:].strip(), size):
            return size, [text[:first].rstrip(), text[first:].strip()]
    return 34, lines(text, _ROOM, 34, 2)


def _fits(text: str, size: int) -> bool:
    return font(size).getlength(text.strip()) <= _ROOM


def _brand(draw: "ImageDraw") -> None:
    x, y = _LEFT + 13, HEIGHT - _MARGIN - 12
    draw.circle((x, y), 12, outline=_QUIET, width=2)
    draw.circle((x, y), 5, fill=_LAMP)
    draw.text((x + 24, y), "Micrograph", _INK, font(25), anchor="lm")
