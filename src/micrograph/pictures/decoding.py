"""Decoding the bytes of pictures that come from anywhere."""

import math
import warnings
from io import BytesIO
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from micrograph.errors import BadInput, short

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
"""What is decoded; Pillow knows many rarer formats, whose decoders few people ever attacked."""

MAX_BYTES = 32 * 2**20
"""Of one file."""

MAX_PIXELS = 64_000_000
"""Of one picture; checked before the pixels are decoded."""

_LONGEST = 16
"""What is reduced keeps pixels of so many squares of the side that is enough, at most."""

_STRIP = 1_000_000
"""Pixels of a strip."""

_MAX_SCANS = 200
"""Of a progressive JPEG, which has about ten. Each decodes the whole picture once more."""

_TURNED = (5, 6, 7, 8)
"""Values of the EXIF orientation that exchange width and height."""
_PLAIN = frozenset({"1", "L", "P", "RGB", "CMYK", "YCbCr", "RGBX"})
_SEE_THROUGH = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})

# Pillow warns before it tells the size. As an error that becomes the refusal it is meant to be;
# for the moment only would not do, as filters of warnings are shared by all threads.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def decode(data: bytes, name: str) -> Image.Image:
    """The picture in `data`, upright, in RGB with 8 bits.

    Of an animation it is the first frame. What is transparent lies over white; 16-bit grey is
    scaled to 8 bits; the EXIF rotation is applied; colour profiles are ignored, as they are where
    networks are trained. `name` is what an error calls the picture.

    Raises BadInput for more than `MAX_BYTES` or `MAX_PIXELS`, for a format outside `FORMATS`, and
    for a file that is damaged or ends too soon.
    """
    return _decoded(data, name, 0)[0]


def decode_reduced(data: bytes, name: str, enough: int) -> tuple[Image.Image, tuple[int, int]]:
    """As `decode`, but a picture with a short side of `enough` pixels twice over is reduced by a
    whole factor, as early as its format allows, which takes a fraction of the memory; with the
    (width, height) that it has itself. Raises as `decode`.
    """
    return _decoded(data, name, enough)


def _decoded(data: bytes, name: str, enough: int) -> tuple[Image.Image, tuple[int, int]]:
    if len(data) > MAX_BYTES:
        raise _refusal(
            name,
            f"{_mega(len(data), 2**20)} MB given, expected at most "
            f"{MAX_BYTES >> 20} MB; make it smaller",
        )
    if not data:
        raise _refusal(name, "it is empty")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as opened:
            _check(opened, data, name)
            size = opened.size
            if opened.getexif().get(ExifTags.Base.Orientation) in _TURNED:
                size = (size[1], size[0])
            if enough and opened.format == "JPEG":
                opened.draft(None, (enough, enough))  # the decoder itself skips detail
            opened.load()
            upright = ImageOps.exif_transpose(_reduced(opened, enough))
            return _rgb_in_strips(upright, _factor(upright, enough), name), size
    except BadInput:
        raise
    except UnidentifiedImageError:
        raise _refusal(name, f"no format that is known here; expected {_list(FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(name) from None
    except MemoryError:
        raise _refusal(name, "it does not fit into the memory; make it smaller") from None
    except Exception as error:  # decoders raise anything on damaged files
        what = " ".join(str(error).split()) or type(error).__name__
        raise _refusal(name, f"it is damaged or cut short ({what[:120]})") from None


def open_picture(path: Path) -> Image.Image:
    """As `decode`, of a file. Also refuses what is no regular file (a pipe would never end)."""
    try:
        if path.exists() and not path.is_file():
            raise _refusal(path, "it is no regular file")
        with path.open("rb") as file:
            return decode(file.read(MAX_BYTES + 1), str(path))
    except OSError as error:
        raise _refusal(path, error.strerror or str(error)) from None


def _check(opened: Image.Image, data: bytes, name: str) -> None:
    """From the header alone."""
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(name, f"{width} x {height} = ")
    if opened.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > _MAX_SCANS:
        raise _refusal(name, "a JPEG of absurdly many scans; save it anew")


def _reduced(image: Image.Image, enough: int) -> Image.Image:
    """Reduced while it has fewest bytes a pixel; palettes and single bits have no mean."""
    factor = _factor(image, enough)
    if factor < 2 or image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    turn = image.getexif().get(ExifTags.Base.Orientation)
    smaller = image.reduce(factor)
    smaller.info = image.info
    if turn is not None:
        smaller.getexif()[ExifTags.Base.Orientation] = turn
    return smaller


def _factor(image: Image.Image, enough: int) -> int:
    """By how much a picture is reduced; a long strip is large with a short side that is not."""
    if not enough:
        return 1
    many = math.sqrt(math.prod(image.size) / (_LONGEST * enough**2))
    return max(1, min(image.size) // enough, math.ceil(many))


def _rgb_in_strips(image: Image.Image, factor: int, name: str) -> Image.Image:
    """As `_rgb`, reduced by `factor` on the way: what has palettes or single bits has four times
    the bytes in RGB, and more where it is see-through."""
    if factor < 2:
        return _rgb(image, name)
    width, height = image.size
    rows = factor * max(1, _STRIP // (width * factor))
    whole = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        whole.paste(_rgb(strip, name).reduce(factor), (0, top // factor))
    return whole


def _rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode.startswith("I;16"):
        import numpy as np

        deep = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((deep * 255 + 32767) // 65535).astype(np.uint8))
    if image.mode in _SEE_THROUGH or (image.mode in _PLAIN and image.has_transparency_data):
        above = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), above).convert("RGB")
    if image.mode in _PLAIN:
        return image.convert("RGB")
    raise _refusal(
        name,
        f"its pixels are of the kind {image.mode}; save it with 8 or 16 bits a "
        "channel, in RGB or grey",
    )


def _too_many_pixels(name: str, size: str = "") -> BadInput:
    many = "its pixels are too many" if not size else f"{size}too many pixels"
    return _refusal(name, f"{many}; expected at most {_mega(MAX_PIXELS, 10**6)} megapixels")


def _refusal(name: object, why: str) -> BadInput:
    return BadInput(f"cannot read the picture {short(name, 200)}: {why}")


def _mega(count: int, unit: int) -> str:
    return f"{count / unit:.4g}"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1]
