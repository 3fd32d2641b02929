"""Pictures in tar files."""

import io
import json
import tarfile

import numpy as np
import pytest
from making import encoded, tar

from micrograph.datasets import open_dataset
from micrograph.errors import BadInput, Conflict


def test_shards_in_order_with_classes(tmp_path):
    tar(tmp_path / "x-00.tar", {"b/1.cls": b"2\n", "b/1.png": encoded(1), "a/0.png": encoded(0)})
    tar(
        tmp_path / "x-01.tar",
        {
            "c.seg.png": encoded(2),
            "c.json": json.dumps({"label": 0}).encode(),
            "c.txt": b"a cat",
        },
    )
    for spec in ("x-{00..01}.tar", "x-*.tar"):
        data = open_dataset(str(tmp_path / spec))
        assert [(e.name, e.cls) for e in data.entries] == [
            ("b/1.png", 2),
            ("a/0.png", -1),
            ("c.seg.png", 0),
        ]
        assert data.classes == ("0", "1", "2")
        assert data.name == "x"
        for number, seed in enumerate((1, 0, 2)):
            rng = np.random.default_rng(seed)
            pixels = rng.integers(0, 256, (10, 12, 3), dtype=np.uint8)
            assert np.array_equal(data.picture(number), pixels)
    one = open_dataset(str(tmp_path / "x-01.tar"))
    assert len(one) == 1
    assert one.digest != data.digest


def test_classes_by_name(tmp_path):
    files = {
        "1.jpg": encoded(0),
        "1.cls": b"dog",
        "2.jpg": encoded(1),
        "2.cls": b"ant",
        "3.jpg": encoded(2),
        "3.json": b"{broken",
        "4.jpg": encoded(2),
        "4.cls": b"\xff",
        "5.jpg": encoded(3),
        "5.json": b'{"cls": "ant"}',
    }
    data = open_dataset(str(tar(tmp_path / "x.tar", files)))
    assert data.classes == ("ant", "dog")
    assert [e.cls for e in data.entries] == [1, 0, -1, -1, 0]


def test_classes_that_stand_apart_and_names_that_stand_twice(tmp_path):
    files = [
        ("1.png", encoded(0)),
        ("2.png", encoded(1)),
        ("2.jpg", encoded(1, kind="JPEG")),
        ("3.png", encoded(2)),
        ("3.cls", b"ant"),
        ("3.cls", b"bee"),
        ("4.png", encoded(3)),
        ("5.png", encoded(3)),
        ("4.png", encoded(4)),
        ("2.cls", b"cow"),
        ("1.cls", b"dog"),
        ("4.cls", b"elk"),
        ("6.cls", b"fox"),
        ("3.cls", b"gnu"),
        ("7.png", encoded(5)),
        ("7.cls", b"\xff"),
    ]
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    data = open_dataset(str(tmp_path / "x.tar"))
    assert [(e.name, data.classes[e.cls] if e.cls >= 0 else "") for e in data.entries] == [
        ("1.png", "dog"),
        ("2.png", "cow"),
        ("3.png", "ant"),
        ("4.png", ""),
        ("5.png", ""),
        ("4.png", ""),  # its class stands apart, and could be that of either
        ("7.png", ""),
    ]
    assert data.left_out == {
        "another picture of the same name": 1,
        "another class or text of the same name": 1,
        "a class or text without one picture": 3,  # of 4, 6 and 3
        "a class that cannot be read": 1,
    }


def test_links_and_strangers_are_counted_not_followed(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        link = tarfile.TarInfo("a.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name in ("../../b.png", "notes.md"):
            info = tarfile.TarInfo(name)
            info.size = len(encoded(0))
            archive.addfile(info, io.BytesIO(encoded(0)))
    data = open_dataset(str(tmp_path / "x.tar"))
    assert [e.name for e in data.entries] == ["../../b.png"]
    assert data.left_out == {"no regular file": 1, "no picture and no class": 1}
    assert list(tmp_path.iterdir()) == [tmp_path / "x.tar"]


def test_what_is_no_tar_file(tmp_path):
    path = tar(tmp_path / "x.tar", {"a.png": encoded(0), "b.png": encoded(1)})
    whole = path.read_bytes()
    for data, why in [
        (b"", "damaged"),
        (b"no tar", "damaged"),
        (whole[:1100], "damaged"),
        (b"\x1f\x8b" + whole, "no plain tar"),
    ]:
        path.write_bytes(data)
        with pytest.raises(BadInput, match=why):
            open_dataset(str(path))
    tar(path, {"a.txt": b""})
    with pytest.raises(BadInput, match="no pictures"):
        open_dataset(str(path))
    with pytest.raises(BadInput, match="lacks the file"):
        open_dataset(str(tmp_path / "x-{0..2}.tar"))
    with pytest.raises(BadInput, match="more than 100,000"):
        open_dataset(str(tmp_path / "x-{0..999999999}.tar"))


def test_a_header_that_leads_back_does_not_hang(tmp_path):
    """A member of negative size: its reader would go round for ever."""
    path = tar(tmp_path / "x.tar", {"a.png": encoded(0), "b.png": encoded(1)})
    data = bytearray(path.read_bytes())
    second = 512 + (len(encoded(0)) + 511) // 512 * 512
    header = data[second : second + 512]
    header[124:136] = b"\xff" * 4 + (-4096).to_bytes(8, "big", signed=True)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data[second : second + 512] = header
    path.write_bytes(data)
    with pytest.raises(BadInput, match="damaged"):
        open_dataset(str(path))


def test_a_shard_that_changes_after_opening(tmp_path):
    path = tar(tmp_path / "x.tar", {"a.png": encoded(0)})
    data = open_dataset(str(path))
    tar(path, {"a.png": encoded(1)})
    with pytest.raises(Conflict, match="has changed"):
        data.picture(0)
