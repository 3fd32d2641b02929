"""Toytown's held-out scenes as a dataset."""

import numpy as np
import pytest

from micrograph.datasets import open_dataset
from micrograph.errors import BadInput
from micrograph.organisms.toytown import scenes


def test_the_scenes_of_the_first_held_out_seeds():
    data = open_dataset("toytown:5")
    assert (len(data), data.name, data.classes) == (5, "toytown", scenes.CLASSES)
    for number in (0, 4):
        scene = scenes.scene(scenes.HELD_OUT + number)
        assert np.array_equal(data.picture(number), scene.image)
        assert data.entries[number].cls == scene.label
    assert data.digest == open_dataset("toytown:5").digest != open_dataset("toytown:6").digest
    assert len(open_dataset("toytown")) == 2000


@pytest.mark.parametrize(
    "spec",
    [
        "toytown:0",
        "toytown:-3",
        "toytown:x",
        "toytown:100001",
        "toytown:" + "9" * 5000,
        "toytown:²",
    ],
)
def test_numbers_that_are_none(spec):
    with pytest.raises(BadInput, match="from 1 to"):
        open_dataset(spec)
