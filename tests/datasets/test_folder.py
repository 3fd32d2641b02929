"""Folders of pictures."""

import os

import numpy as np
import pytest
from making import encoded, folder

from micrograph.datasets import open_dataset
from micrograph.errors import BadInput, Conflict, Unavailable


def test_a_flat_folder(tmp_path):
    folder(tmp_path / "my pictures", {"b.png": encoded(1), "a.PNG": encoded(0)})
    data = open_dataset(str(tmp_path / "my pictures"))
    assert [e.name for e in data.entries] == ["a.PNG", "b.png"]
    assert (len(data), data.classes, data.name) == (2, (), "my-pictures")
    assert {e.cls for e in data.entries} == {-1}
    rng = np.random.default_rng(1)
    assert np.array_equal(data.picture(1), rng.integers(0, 256, (10, 12, 3), dtype=np.uint8))


def test_class_folders_and_what_lies_among_them(tmp_path):
    names = ["cat/1.jpg", "cat/young/2.jpg", "ant/3.jpg", "4.jpg", ".hidden/5.jpg", "cat/.6.jpg"]
    folder(tmp_path, {name: encoded(0, kind="JPEG") for name in names})
    folder(tmp_path, {"notes.txt": b"", "cat/labels.csv": b"", "empty/readme": b""})
    os.mkfifo(tmp_path / "pipe.jpg")
    os.symlink(tmp_path, tmp_path / "round")
    data = open_dataset(str(tmp_path))
    assert data.classes == ("ant", "cat")
    assert [(e.name, e.cls) for e in data.entries] == [
        ("4.jpg", -1),
        ("ant/3.jpg", 0),
        ("cat/1.jpg", 1),
        ("cat/young/2.jpg", 1),
    ]
    assert data.left_out == {"no name of a picture": 3, "no regular file": 1}


def test_links_to_folders_are_followed_but_not_in_a_circle(tmp_path, monkeypatch):
    folder(tmp_path / "all", {"cat/1.png": encoded(0), "dog/1.png": encoded(1), "x": b""})
    folder(tmp_path / "mine", {"own/2.png": encoded(2)})
    mine = tmp_path / "mine"
    (mine / "cat").symlink_to(tmp_path / "all" / "cat")
    (mine / "hound").symlink_to("../all/dog")
    (mine / "gone").symlink_to("nowhere")
    (mine / "gone.png").symlink_to("nowhere.png")
    (mine / "up").symlink_to(tmp_path)  # in there is `mine` again, which is not
    (tmp_path / "all" / "dog" / "back").symlink_to(tmp_path / "all")
    monkeypatch.chdir(tmp_path)
    data = open_dataset("mine")
    found = {e.name: data.classes[e.cls] for e in data.entries}
    assert found == {
        "own/2.png": "own",
        "cat/1.png": "cat",
        "hound/1.png": "hound",
        "hound/back/cat/1.png": "hound",
        "up/all/cat/1.png": "up",
        "up/all/dog/1.png": "up",
    }
    assert data.left_out == {"a link to nothing": 2, "no name of a picture": 2}
    assert data.digest == open_dataset(str(mine)).digest


def test_nothing_to_see(tmp_path):
    with pytest.raises(BadInput, match="no pictures; expected jpg"):
        open_dataset(str(tmp_path))
    folder(tmp_path, {"notes.txt": b"", "more/x": b""})
    with pytest.raises(BadInput, match=r"no pictures \(2 other files\)"):
        open_dataset(str(tmp_path))


@pytest.mark.parametrize("spec", ["absent", "absent.tar", "absent-*.tar", "x\0y", "", "hg:x"])
def test_no_dataset(spec):
    with pytest.raises(BadInput, match="dataset"):
        open_dataset(spec)


def test_the_digest_tells_every_change(tmp_path):
    one = {"x/a.png": encoded(0), "y/b.png": encoded(1), "y/c.png": encoded(2)}

    def digest(name: str, files: dict[str, bytes]) -> str:
        return open_dataset(str(folder(tmp_path / name, files))).digest

    assert digest("same", one) == digest("other", dict(reversed(one.items())))
    flipped = bytearray(one["x/a.png"])
    flipped[-20] ^= 1
    changes = [
        one | {"x/a.png": bytes(flipped)},
        one | {"x/a.png": encoded(5)},
        one | {"z/d.png": encoded(4)},
        {name: one[name] for name in list(one)[1:]},
        {name.replace("y/", "z/"): data for name, data in one.items()},
        {"x/a.png": one["y/b.png"], "y/b.png": one["x/a.png"], "y/c.png": one["y/c.png"]},
    ]
    digests = {digest("same", one), *(digest(str(n), files) for n, files in enumerate(changes))}
    assert len(digests) == 1 + len(changes)


def test_a_picture_that_changes_after_opening(tmp_path):
    folder(tmp_path, {"a.png": encoded(0)})
    data = open_dataset(str(tmp_path))
    folder(tmp_path, {"a.png": encoded(1)})
    with pytest.raises(Conflict, match="has changed since"):
        data.picture(0)
    (tmp_path / "a.png").unlink()
    with pytest.raises(Unavailable, match=r"No such file.*was there when the dataset was opened"):
        data.picture(0)


def test_names_that_are_no_text(tmp_path):
    (tmp_path / os.fsdecode(b"\xff\xfe.png")).write_bytes(encoded(0))
    data = open_dataset(str(tmp_path))
    assert data.entries[0].name.encode() == "\ufffd\ufffd.png".encode()
    assert data.picture(0).size == (12, 10)
