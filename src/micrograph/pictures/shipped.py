"""The pictures that ship, for lenses that look at a picture: photographs and toytown scenes.

Authors and licences stand in `shipped/LICENCE.txt`; all may be used freely.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from micrograph.errors import not_found
from micrograph.files import printable

if TYPE_CHECKING:
    from PIL import Image

_FOLDER = Path(__file__).parent / "shipped"
_ENDING = ".webp"


@cache
def shipped() -> tuple[str, ...]:
    """Names of the pictures that ship, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob(f"*{_ENDING}")))


def open_shipped(name: str) -> "Image.Image":
    """The picture of that name, RGB, square, 300 to 448 px a side. Raises NotFound."""
    from PIL import Image  # pages ask for names alone

    if name not in shipped():
        raise not_found("picture", name, shipped())
    with Image.open(_FOLDER / f"{name}{_ENDING}") as image:
        return image.convert("RGB")


def find_picture(name_or_path: str) -> tuple[str, "Image.Image"]:
    """A picture that ships, by its name, or else the one in a file: its name and it, in RGB.

    The name of a file is that without folder and ending. Raises NotFound for a name that nothing
    has, BadInput for a file that is no picture.
    """
    if name_or_path in shipped():
        return name_or_path, open_shipped(name_or_path)
    from micrograph.pictures.decoding import open_picture

    path = Path(name_or_path)
    if path.name == name_or_path and not path.suffix and not path.exists():
        raise not_found("picture", name_or_path, shipped())
    return printable(path.stem), open_picture(path)
