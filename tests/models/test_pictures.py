"""From picture files to input."""

import numpy as np
import pytest
import torch
from PIL import Image

from micrograph.errors import BadInput
from micrograph.models.pictures import read_picture
from micrograph.models.preprocessing import Preprocessing

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
