"""Encoding: what goes in comes out, about as it was."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image
from samples import image

from micrograph.atlas import encode
from micrograph.errors import BadInput


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize(("format", "error"), [("avif", 6), ("webp", 6), ("png", 0)])
def test_there_and_back(format: str, error: float) -> None:
    original = image(3, 64)[:48]
    picture = encode(original, format)
    assert picture.mime == f"image/{format}"
    assert (picture.width, picture.height) == (64, 48)
    assert picture.digest == hashlib.sha256(picture.data).hexdigest()[:32]
    assert np.abs(decoded(picture.data).astype(float) - original).mean() <= error
    assert encode(original, format) == picture, "the same bytes each time"


def test_quality_decides_the_size_and_pictures_stay_small() -> None:
    original = image(4, 128)
    sizes = [len(encode(original, "avif", quality).data) for quality in (20, 50, 90)]
    assert sizes == sorted(sizes)
    assert sizes[1] < 4000


def test_mean_colour() -> None:
    halves = np.zeros((2, 4, 3), np.uint8)
    halves[:, 2:] = (255, 100, 20)
    assert encode(halves, "png").color == "#80320a"


def test_saturated_edges_keep_their_colour() -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = (255, 0, 0)
    stripes[:, 1::2] = (0, 0, 255)
    back = decoded(encode(stripes, "avif", 80).data).astype(int)
    assert back[:, ::2, 0].mean() > 200
    assert back[:, ::2, 2].mean() < 50


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (np.zeros((4, 4, 3), np.float32), {}),
        (np.zeros((4, 4), np.uint8), {}),
        (np.zeros((4, 4, 4), np.uint8), {}),
        (np.zeros((0, 4, 3), np.uint8), {}),
        (np.zeros((4, 4, 3), np.uint8), {"format": "gif"}),
        (np.zeros((4, 4, 3), np.uint8), {"quality": 0}),
        (np.zeros((4, 4, 3), np.uint8), {"quality": 101}),
    ],
)
def test_what_cannot_be_encoded(array: np.ndarray, options: dict[str, object]) -> None:
    with pytest.raises(BadInput, match=r"expected|choose"):
        encode(array, **options)  # type: ignore[arg-type]
