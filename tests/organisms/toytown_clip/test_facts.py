"""What is said to be true of a picture is true of it."""

import numpy as np
import pytest

from micrograph.organisms.toytown.composition import COMPOSED
from micrograph.organisms.toytown.scenes import CLASSES, scene
from micrograph.organisms.toytown_clip.facts import COLORS, FAMILIES, color_shares, facts, family


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((200, 20, 20), "red"),
        ((20, 160, 30), "green"),
        ((30, 60, 200), "blue"),
        ((240, 220, 40), "yellow"),
        ((250, 150, 20), "orange"),
        ((150, 30, 200), "purple"),
        ((240, 80, 180), "pink"),
        ((110, 60, 20), "brown"),
        ((250, 250, 250), "white"),
        ((128, 128, 130), "grey"),
        ((8, 8, 10), "black"),
        ((200, 20, 30), "red"),
    ],
)
def test_plain_colors_have_their_names(rgb, name) -> None:
    shares = color_shares(np.array([rgb, rgb], dtype=np.uint8))
    assert shares[COLORS.index(name)] == 1


def test_every_color_there_is_has_exactly_one_name() -> None:
    steps = np.linspace(0, 255, 18).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    shares = color_shares(cube)
    assert shares.sum() == pytest.approx(1)
    assert (shares > 0).all()


def test_shares_of_a_mixture() -> None:
    pixels = np.array([(255, 0, 0)] * 3 + [(0, 0, 255)], dtype=np.uint8)
    shares = color_shares(pixels)
    assert shares[COLORS.index("red")] == 0.75
    assert shares[COLORS.index("blue")] == 0.25


def test_facts_follow_label_masks_and_setting() -> None:
    settings = set()
    for seed in range(40):
        made = scene(seed)
        found = facts(made)
        thing = CLASSES[made.label]
        assert f"thing:{thing}" in found
        assert (f"family:{family(thing)}" in found) == (family(thing) is not None)
        assert not {"light:dark", "light:bright"} <= found
        assert not {"size:small", "size:big"} <= found
        settings |= {f for f in found if f.startswith("setting:")}
        own = {f"part:{part}" for part in COMPOSED[thing]}
        assert len(own & found) >= len(own) / 3, "most parts of a thing are to be seen"
    assert len(settings) >= 6


def test_families_are_of_known_classes_and_apart() -> None:
    members = [name for names in FAMILIES.values() for name in names]
    assert len(members) == len(set(members))
    assert set(members) < set(CLASSES)


def test_a_dark_picture_is_called_dark() -> None:
    lights = {facts(s): s.image.mean() for s in map(scene, range(60))}
    dark = [mean for found, mean in lights.items() if "light:dark" in found]
    bright = [mean for found, mean in lights.items() if "light:bright" in found]
    assert max(dark) < min(bright)
