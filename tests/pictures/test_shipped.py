from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from micrograph.errors import BadInput, NotFound
from micrograph.organisms.toytown.scenes import CLASSES, HELD_OUT, scene
from micrograph.pictures import find_picture, open_shipped, shipped

FOLDER = Path(__import__("micrograph.pictures").pictures.__file__).parent / "shipped"


def test_every_picture_opens_is_small_and_has_a_licence() -> None:
    assert {"astronaut", "castle", "chelsea", "owl"} < set(shipped())
    licence = (FOLDER / "LICENCE.txt").read_text()
    for name in shipped():
        picture = open_shipped(name)
        assert picture.mode == "RGB"
        assert picture.width == picture.height
        assert 300 <= picture.width <= 512
        assert np.asarray(picture).std() > 20, "it shows something"
        assert (FOLDER / f"{name}.webp").stat().st_size <= 60_000
        assert f"{name}.webp" in licence


def test_scenes_are_those_that_the_licence_names() -> None:
    drawn = scene(HELD_OUT + 1, CLASSES.index("owl"), 448).image
    shown = np.asarray(open_shipped("owl"))
    assert abs(drawn.astype(int) - shown).mean() < 6


def test_a_picture_is_found_by_name_or_in_a_file(tmp_path: Path) -> None:
    own = tmp_path / "my cat.png"
    Image.new("RGB", (5, 4), (9, 8, 7)).save(own)
    name, picture = find_picture(str(own))
    assert (name, picture.size, picture.getpixel((0, 0))) == ("my cat", (5, 4), (9, 8, 7))
    name, picture = find_picture("chelsea")
    assert (name, picture) == ("chelsea", open_shipped("chelsea"))


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="chelsea"):
        find_picture("chelsey")
    with pytest.raises(NotFound, match="chelsea"):
        open_shipped("../shipped/chelsea")
    with pytest.raises(BadInput, match="No such file"):
        find_picture(str(tmp_path / "none.png"))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(BadInput, match=r"text\.png"):
        find_picture(str(tmp_path / "text.png"))
