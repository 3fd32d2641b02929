"""Words on pictures of pixels, in the font that comes with Pillow (Aileron, CC0)."""

from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_SPELLED = {
    "\N{NARROW NO-BREAK SPACE}": " ",
    "\N{NO-BREAK SPACE}": " ",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "×": "x",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
}
"""Signs that the font does not have."""
_NO_SIGN = "\uffff"


@lru_cache(8)
def font(size: float) -> "FreeTypeFont":
    """The font at `size` pixels."""
    from PIL import ImageFont

    found: FreeTypeFont = ImageFont.load_default(size)  # type: ignore[assignment]
    return found


def spelled(text: str) -> str:
    """`text` in signs that the font has, letters without their accents; "?" where it has none."""
    return "".join(_spelled(sign) for sign in text)


@lru_cache(1024)
def _spelled(sign: str) -> str:
    other = _SPELLED.get(sign, sign)
    if other.isascii():
        return other if other.isprintable() else " "
    if _shape(other) != _shape(_NO_SIGN):
        return other
    plain = normalize("NFKD", other).encode("ascii", "ignore").decode()  # without its accent
    return plain if plain.isprintable() and plain else "?"


def _shape(sign: str) -> bytes:
    return bytes(font(32).getmask(sign))


def shortened(text: str, width: float, size: float) -> str:
    """`text` on one line of `width` pixels, its end left out where it is longer."""
    text = " ".join(spelled(text[:500]).split())
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(text + "...") > width:
        text = text[:-1]
    return text.rstrip(" ,.") + "..."


def lines(text: str, width: float, size: float, most: int) -> list[str]:
    """`text` on at most so many lines of `width` pixels, broken between words."""
    words = " ".join(spelled(text[:2000]).split()).split(" ")
    found: list[str] = []
    while words and words != [""] and len(found) < most:
        if len(found) == most - 1:
            return [*found, shortened(" ".join(words), width, size)]
        count = 1
        while count < len(words) and font(size).getlength(" ".join(words[: count + 1])) <= width:
            count += 1
        found.append(shortened(" ".join(words[:count]), width, size))
        del words[:count]
    return found
