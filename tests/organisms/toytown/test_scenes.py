"""The pictures: deterministic, balanced, with masks that say exactly what is visible."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time

import numpy as np
import pytest

from micrograph.organisms.toytown import scenes
from micrograph.organisms.toytown.composition import COMPOSED, classes_with
from micrograph.organisms.toytown.parts import PARTS, part_index

SUBSAMPLES = 4


def _digest(scene: scenes.DrawnScene) -> str:
    joined = scene.image.tobytes() + scene.masks.tobytes() + scene.figure.tobytes()
    return hashlib.sha256(joined).hexdigest()


def test_there_are_30_classes_made_of_shared_parts() -> None:
    assert len(scenes.CLASSES) == len(set(scenes.CLASSES)) == 30
    assert len(PARTS) == len(set(PARTS))
    assert set(COMPOSED) == set(scenes.CLASSES)
    assert set().union(*COMPOSED.values()) == set(PARTS)
    shared = [part for part in PARTS if len(classes_with(part)) > 1]
    assert len(shared) >= 25
    assert len(classes_with("wheel")) == 8


def test_a_scene_has_the_stated_shapes_and_ranges() -> None:
    scene = scenes.scene(7)
    assert scene.image.shape == (96, 96, 3)
    assert scene.image.dtype == np.uint8
    assert scene.masks.shape == (len(PARTS), 96, 96)
    assert scene.masks.dtype == np.uint8
    assert scene.figure.shape == (96, 96)
    assert 0 <= scene.label < len(scenes.CLASSES)
    assert scene.image.std() > 10


def test_the_same_seed_gives_the_same_picture_and_another_seed_another() -> None:
    first = [_digest(scenes.scene(seed)) for seed in range(8)]
    again = [_digest(scenes.scene(seed)) for seed in reversed(range(8))][::-1]
    assert first == again
    assert len(set(first)) == len(first)


def test_another_process_gives_the_same_picture() -> None:
    code = (
        "import hashlib; from micrograph.organisms.toytown.scenes import scene; s = scene(11); "
        "print(hashlib.sha256(s.image.tobytes() + s.masks.tobytes() + s.figure.tobytes())"
        ".hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == _digest(scenes.scene(11))


def test_a_batch_equals_its_scenes_and_averages_their_masks() -> None:
    made = scenes.batch(range(20, 26), cells=12)
    for i, seed in enumerate(range(20, 26)):
        scene = scenes.scene(seed)
        assert np.array_equal(made.images[i], scene.image)
        assert made.labels[i] == scene.label
        share = scene.masks.reshape(len(PARTS), 12, 8, 12, 8).mean(axis=(2, 4)) / SUBSAMPLES
        assert np.abs(made.parts[i] / 255 - share).max() <= 0.5 / 255 + 1e-9


def test_the_parts_of_a_pixel_never_add_up_to_more_than_the_pixel() -> None:
    for seed in range(40):
        scene = scenes.scene(seed)
        assert scene.masks.sum(axis=0).max() <= SUBSAMPLES
        assert scene.figure.max() <= SUBSAMPLES


@pytest.mark.parametrize("name", scenes.CLASSES)
def test_a_class_shows_the_parts_it_is_composed_of(name: str) -> None:
    label = scenes.CLASSES.index(name)
    made = [scenes.scene(seed, label) for seed in range(6)]
    for part in COMPOSED[name]:
        on_figure = [
            int(np.minimum(scene.masks[part_index(part)], scene.figure).sum()) for scene in made
        ]
        assert sum(area > 0 for area in on_figure) >= 4, (part, on_figure)
    for scene in made:
        assert scene.label == label
        assert 0.03 < scene.figure.mean() / SUBSAMPLES < 0.75


def test_most_of_a_figure_is_parts() -> None:
    for seed in range(60):
        scene = scenes.scene(seed)
        on_figure = np.minimum(scene.masks.sum(axis=0), scene.figure).sum()
        assert on_figure >= 0.7 * scene.figure.sum()


def test_clutter_brings_parts_that_do_not_belong_to_the_class() -> None:
    strangers = 0
    for seed in range(80):
        scene = scenes.scene(seed)
        own = COMPOSED[scenes.CLASSES[scene.label]]
        shown = {p for i, p in enumerate(PARTS) if scene.masks[i].sum() > 40}
        strangers += bool(shown - own)
    assert strangers > 25


def test_labels_are_drawn_evenly() -> None:
    labels = np.array([scenes._draw(seed, None, 32)[1] for seed in range(900)])
    counts = np.bincount(labels, minlength=len(scenes.CLASSES))
    expected = 900 / len(scenes.CLASSES)
    assert ((counts - expected) ** 2 / expected).sum() < 58.3  # chi square, 29 degrees, p = .001


def test_other_sizes_show_the_same_thing() -> None:
    small, large = scenes.scene(3, size=96), scenes.scene(3, size=192)
    assert small.label == large.label
    shrunk = large.masks.reshape(len(PARTS), 96, 2, 96, 2).mean(axis=(2, 4))
    assert np.abs(shrunk - small.masks).mean() < 0.02


def test_bad_arguments_are_explained() -> None:
    with pytest.raises(ValueError, match=r"label 30 is not in 0\.\.29"):
        scenes.scene(1, label=30)
    with pytest.raises(ValueError, match="at least 32 pixels"):
        scenes.scene(1, size=8)
    with pytest.raises(ValueError, match="not a multiple of 7"):
        scenes.batch([1], cells=7)
    with pytest.raises(KeyError, match="no part 'tooth'"):
        part_index("tooth")


def test_scenes_come_fast() -> None:
    scenes.batch(range(3))  # textures are made once
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        scenes.batch(range(25))
        best = min(best, time.process_time() - start)
    assert 25 / best > 40  # about 250 a second on a free core; a floor for slow ones


def test_every_class_has_its_painter_in_the_order_of_the_logits() -> None:
    assert tuple(scenes.PAINTERS) == scenes.CLASSES
    assert all(painter.__name__ == name for name, painter in scenes.PAINTERS.items())


@pytest.mark.parametrize(("name", "part"), [("car", "window"), ("house", "door"), ("cat", "eye")])
def test_a_scene_without_a_part_is_the_same_scene_elsewhere(name: str, part: str) -> None:
    whole = scenes.scene(1_000_000_005, scenes.CLASSES.index(name))
    without = scenes.scene(1_000_000_005, scenes.CLASSES.index(name), without=[part])
    row = part_index(part)
    assert whole.masks[row].any()
    assert not without.masks[row].any()
    assert (np.delete(without.masks, row, 0) >= np.delete(whole.masks, row, 0)).all()
    assert np.array_equal(whole.figure, without.figure)  # the part lies on the thing's body
    shown = whole.masks[row] > 0
    assert np.array_equal(whole.image[~shown], without.image[~shown])
    assert (whole.image[shown] != without.image[shown]).any(-1).mean() > 0.9
    assert np.array_equal(
        scenes.picture(1_000_000_005, without=["wheel", "eye"]),
        scenes.scene(1_000_000_005, without=["eye", "wheel"]).image,
    )


def test_a_part_that_does_not_exist_cannot_be_left_out() -> None:
    with pytest.raises(KeyError, match="no part 'wheels'"):
        scenes.scene(5, without=["wheels"])
