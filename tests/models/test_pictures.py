"""From picture files to input."""

import numpy as np
import pytest
import torch
from PIL import Image

from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput
from micrograph.models.pictures import read_picture, to_input

PRE = Preprocessing(size=4, resize=6)


def test_centre_of_a_picture_that_has_the_right_size(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 11, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    found = read_picture(tmp_path / "x.png", PRE)
    assert torch.equal(found, torch.from_numpy(pixels[1:5, 3:7]).permute(2, 0, 1) / 255)


@pytest.mark.parametrize("size", [(3, 3), (3, 50), (50, 3), (100, 77), (6, 6)])
def test_any_size_and_mode(tmp_path, size):
    for mode, color in [("RGB", (255, 0, 0)), ("L", 9), ("RGBA", (1, 2, 3, 4)), ("P", 0)]:
        Image.new(mode, size, color).save(tmp_path / "x.png")
        found = read_picture(tmp_path / "x.png", PRE)
        assert found.shape == (3, 4, 4)
        assert 0 <= found.min() <= found.max() <= 1


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "x.png").write_text("no picture")
    for name in ("x.png", "absent.png"):
        with pytest.raises(BadInput, match="cannot read the picture"):
            read_picture(tmp_path / name, PRE)


def test_preprocessing_as_data_and_back():
    pre = Preprocessing(
        size=4, resize=6, scale=255.0, mean=(1, 2, 3), std=(2, 2, 4), channel_order="BGR"
    )
    assert Preprocessing(**pre.as_dict()) == pre
    rgb = torch.rand(2, 3, 5, 5, dtype=torch.float64)
    by_hand = torch.stack([(rgb[:, 2 - c] * 255 - (c + 1)) / (2, 2, 4)[c] for c in range(3)], 1)
    assert torch.allclose(pre.apply(rgb), by_hand)


def test_as_it_was_before_decoding_was_guarded(tmp_path):
    """An ordinary photograph gives the bits of Pillow used directly."""
    rng = np.random.default_rng(3)
    Image.fromarray(rng.integers(0, 256, (9, 13, 3), dtype=np.uint8)).save(tmp_path / "x.jpg")
    with Image.open(tmp_path / "x.jpg") as opened:
        resized = opened.convert("RGB").resize((8, 6), Image.Resampling.BILINEAR)
    by_hand = np.asarray(resized.crop((2, 1, 6, 5)), dtype=np.float32) / 255
    assert np.array_equal(read_picture(tmp_path / "x.jpg", PRE).permute(1, 2, 0), by_hand)


@pytest.mark.parametrize("size", [(1, 50_000), (50_000, 1)])
def test_a_long_thin_line_does_not_fill_the_memory(size):
    long = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    long[size[1] // 2, size[0] // 2] = 255
    found = to_input(Image.fromarray(long), Preprocessing(size=224, resize=256))
    assert found.shape == (3, 224, 224)
    assert found.max() > 0.9  # the middle is still the middle
