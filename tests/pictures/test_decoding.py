"""Pictures of every kind, and what is none."""

import os
import random
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from micrograph.errors import BadInput
from micrograph.pictures import MAX_BYTES, decode, decode_reduced, open_picture

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixels(data: bytes) -> np.ndarray:
    image = decode(data, "x")
    assert image.mode == "RGB"
    return np.asarray(image)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_come_back_exactly(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(pixels(encoded(Image.fromarray(PIXELS), kind, **options)), PIXELS)


@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_lossy_formats_come_back_nearly(kind):
    flat = Image.new("RGB", (16, 9), (200, 100, 50))
    found = pixels(encoded(flat, kind, quality=95)).astype(int)
    assert found.shape == (9, 16, 3)
    assert np.abs(found - (200, 100, 50)).max() <= 6


def test_one_pixel():
    found = pixels(encoded(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG"))
    assert found.tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind):
    deep = np.array([[0, 257, 32768, 65535 - 128, 65535]], dtype=np.uint16)
    found = pixels(encoded(Image.fromarray(deep), kind))
    assert found[0, :, 0].tolist() == [0, 1, 128, 255, 255]
    assert (found == found[..., :1]).all()


def test_big_endian_sixteen_bits():
    image = Image.frombytes("I;16B", (2, 1), b"\x80\x00\xff\xff")
    assert pixels(encoded(image, "TIFF"))[0, :, 0].tolist() == [128, 255]


def test_sixteen_bit_colour_of_a_png():
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return len(data).to_bytes(4, "big") + kind + data + check.to_bytes(4, "big")

    row = b"\0" + np.array([65535, 32768, 0], ">u2").tobytes()
    header = (1).to_bytes(4, "big") * 2 + bytes([16, 2, 0, 0, 0])
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    data += chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    assert pixels(data).tolist() == [[[255, 128, 0]]]


def test_cmyk():
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert np.abs(pixels(encoded(image, "JPEG", quality=95)).astype(int) - (255, 0, 0)).max() < 12
    assert pixels(encoded(image, "TIFF"))[0, 0].tolist() == [255, 0, 0]


def test_what_is_transparent_lies_over_white():
    half = Image.new("RGBA", (2, 2), (0, 0, 200, 128))
    assert pixels(encoded(half, "PNG"))[0, 0].tolist() == [127, 127, 227]
    assert pixels(encoded(Image.new("LA", (2, 2), (9, 0)), "PNG"))[0, 0].tolist() == [255] * 3
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putdata([0, 1])
    assert pixels(encoded(palette, "PNG")).tolist() == [[[10, 20, 30], [40, 50, 60]]]
    data = encoded(palette, "PNG", transparency=0)
    assert pixels(data).tolist() == [[[255] * 3, [40, 50, 60]]]
    data = encoded(Image.new("RGB", (1, 1), (7, 8, 9)), "PNG", transparency=(7, 8, 9))
    assert pixels(data).tolist() == [[[255] * 3]]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_of_many(kind):
    frames = [Image.new("RGB", (3, 3), c) for c in ("#ff0000", "#00ff00", "#0000ff")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert (pixels(data) == (255, 0, 0)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_rotation_that_exif_asks_for(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = pixels(encoded(Image.fromarray(PIXELS), "PNG", exif=exif))
    turned = {
        1: PIXELS,
        2: PIXELS[:, ::-1],
        3: PIXELS[::-1, ::-1],
        4: PIXELS[::-1],
        5: PIXELS.transpose(1, 0, 2),
        6: np.rot90(PIXELS, -1),
        7: PIXELS[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(PIXELS),
    }
    assert np.array_equal(found, turned[orientation])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"no picture", "expected JPEG, PNG, WEBP, AVIF, GIF, BMP or TIFF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "expected JPEG"),
        (b"P6 1 1 255 abc", "expected JPEG"),  # a format of Pillow's, but not one of ours
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "expected JPEG"),
        (b"\0" * (MAX_BYTES + 1), "expected at most 32 MB"),
        (b"\x89PNG\r\n\x1a\n", "cannot read"),
    ],
)
def test_what_is_no_picture(data, why):
    with pytest.raises(BadInput, match=why) as caught:
        decode(data, "holiday.png")
    assert "'holiday.png'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [(8001, 8000), (12000, 9000), (60000, 60000)])
def test_too_many_pixels_are_refused_before_they_are_decoded(size):
    """Up to 2.8 GB of pixels in a few bytes; Pillow warns from 89 and refuses from 179 million."""
    data = bytearray(encoded(Image.new("1", (1, 1)), "PNG"))
    header = b"IHDR" + size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big") + bytes(data[24:29])
    data[12:29] = header
    data[29:33] = zlib.crc32(header).to_bytes(4, "big")
    with pytest.raises(BadInput, match="at most 64 megapixels"):
        decode(bytes(data), "bomb.png")


def test_a_jpeg_of_thousands_of_scans():
    data = encoded(Image.fromarray(PIXELS), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    assert decode(data[:-2] + scan * 20 + data[-2:], "x").size == (7, 5)
    with pytest.raises(BadInput, match="scans"):
        decode(data[:-2] + scan * 5000 + data[-2:], "x")


def test_pixels_of_32_bits():
    data = encoded(Image.fromarray(np.ones((2, 2), dtype=np.float32)), "TIFF")
    with pytest.raises(BadInput, match="8 or 16 bits"):
        decode(data, "x")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_a_file_that_was_cut_short(kind):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    for part in (0.1, 0.5, 0.9):
        with pytest.raises(BadInput, match="cannot read the picture"):
            decode(data[: int(len(data) * part)], "x")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_damaged_files_are_decoded_or_refused_in_one_line(kind):
    noise = np.random.default_rng(2).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if kind in ("BMP", "GIF") else {"exif": exif}
    data = encoded(Image.fromarray(noise), kind, **options)
    rng = random.Random(kind)
    for _ in range(100):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 8)):
            damaged[rng.randrange(min(len(data), 400))] = rng.randrange(256)
        problem = ""
        try:
            assert decode(bytes(damaged), "x").mode == "RGB"
        except BadInput as error:
            problem = str(error)
        assert "\n" not in problem


def test_files(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "x.png")
    assert np.array_equal(np.asarray(open_picture(tmp_path / "x.png")), PIXELS)
    os.mkfifo(tmp_path / "pipe")
    for name, why in [
        ("absent", "No such file"),
        (".", "no regular file"),
        ("pipe", "no regular file"),
    ]:
        with pytest.raises(BadInput, match=why):
            open_picture(tmp_path / name)


@pytest.mark.parametrize("mode", ["1", "P", "P see-through", "L", "LA", "RGB", "RGBA", "I;16"])
def test_what_is_large_is_the_whole_picture_reduced(mode):
    """Also of kinds that are reduced on the way to RGB, in strips."""
    colours = Image.fromarray(PIXELS).resize((1300, 2101))
    options = {}
    if mode == "I;16":
        grey = np.asarray(colours.convert("L")).astype(np.uint16)
        colours = Image.fromarray(grey * 257)
    elif mode.startswith("P"):
        colours = colours.quantize(16)
        options = {"transparency": 3} if "see" in mode else {}
    else:
        colours = colours.convert(mode)
    data = encoded(colours, "PNG", **options)
    found, size = decode_reduced(data, "x", 300)
    assert size == (1300, 2101)
    assert np.array_equal(np.asarray(found), np.asarray(decode(data, "x").reduce(4)))


def test_long_strips_are_reduced_too():
    """Their short side is not large, but they have as many pixels as any."""
    data = encoded(Image.new("L", (20, 60_000)), "PNG")
    found, size = decode_reduced(data, "x", 100)
    assert size == (20, 60_000)
    assert found.width * found.height <= 16 * 100 * 100 * 1.3
