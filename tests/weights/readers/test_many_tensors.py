"""Files that claim a hundred thousand tensors, archived files or letters: refused, nothing is made.

Time is that of the processor: a second, and as much again for slow machines.
"""

import io
import json
import pickle
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import weights_writers as writers

from micrograph.models.dictionaries.contents import contents
from micrograph.weights.formats import LONGEST_NAME, MOST_TENSORS, WeightsError
from micrograph.weights.readers import read_sets

MANY = 100_000
NAMES = [f"t{number}" for number in range(MANY)]
NOTHING = np.zeros(0, np.float32)


def safetensors(names: list[str]) -> bytes:
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    head = json.dumps(dict.fromkeys(names, empty)).encode()
    return struct.pack("<Q", len(head)) + head


def saved(content: object, archive: bool = True) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=archive)
    return file.getvalue()


def views(archive: bool) -> bytes:
    """As `torch.save` writes many views of nothing, which takes it minutes."""
    rest = b"K\0" + (b"tQ" if archive else b"NtQ") + b"K\0K\0\x85K\1\x85\x89"
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\n"
        b"X\1\0\0\0" + b"0X\3\0\0\0cpu" + rest + b"ccollections\nOrderedDict\n)RtR"
    )
    names = (struct.pack("<BL", ord("X"), len(name)) + name.encode() for name in NAMES)
    said = b"\x80\2}(" + b"".join(name + tensor for name in names) + b"u."
    if not archive:
        one = saved({"t": torch.empty(0)}, archive)
        first = one.rindex(b".\x80\2}") + 1
        return one[:first] + said + pickle.dumps(["0"], 2) + bytes(8)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("x/data.pkl", said)
        made.writestr("x/version", "3\n")
        made.writestr("x/data/0", b"")
    return file.getvalue()


def one_by_many_names(archive: bool) -> bytes:
    return saved(dict.fromkeys(NAMES, torch.empty(0)), archive)


def archive_of_many(ending: str, folder: str = "") -> bytes:
    """A zip whose list names many files: the list of one file, over and over."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{folder}t{ending}", b"")
    whole = file.getvalue()
    start = whole.index(b"PK\1\2")
    end = whole.index(b"PK\5\6")
    listed = (whole[start:end]) * MANY
    counts = struct.pack("<HHLLH", 65_535, 65_535, len(listed), start, 0)
    return whole[:start] + listed + whole[end : end + 8] + counts


def tar_of_many() -> bytes:
    return tarfile.TarInfo("t.txt").tobuf() * 60_000 + bytes(1024)


def arrays(each: bool) -> bytes:
    holder = np.empty((), object)
    holder[()] = dict.fromkeys(NAMES, NOTHING[:0] if each else NOTHING)
    file = io.BytesIO()
    np.save(file, holder, allow_pickle=True)
    return file.getvalue()


def caffe_layers() -> bytes:
    blob = writers.field(7, writers.blob(NOTHING))
    layers = (writers.field(100, writers.field(1, name) + blob) for name in NAMES[:60_000])
    return b"".join(layers)


def caffe_blobs() -> bytes:
    blob = writers.field(7, writers.blob(NOTHING))
    return writers.field(100, writers.field(1, "conv") + blob * MANY)


def constants() -> bytes:
    node = writers.const_node("tXXXXXX", writers.tensor_proto(NOTHING))
    places = (b"t%06d" % number for number in range(MANY))
    return b"".join(writers.field(1, node.replace(b"tXXXXXX", place)) for place in places)


def checkpoint() -> bytes:
    """An index with many variables, each of nothing."""
    entry = writers.field(1, writers.FLOAT) + writers.field(2, writers.tf_shape([0]))
    rows = [(name.encode(), entry) for name in sorted(NAMES[:60_000])]
    head = writers.field(1, 1) + writers.field(3, writers.field(1, 1))
    return writers.table([(b"", head), *rows], per_block=70_000)


FILES: dict[str, Callable[[], bytes]] = {
    "empty.safetensors": lambda: safetensors([f"t{number}" for number in range(300_000)]),
    "views.pt": lambda: views(True),
    "views-legacy.pt": lambda: views(False),
    "names.pt": lambda: one_by_many_names(True),
    "names-legacy.pt": lambda: one_by_many_names(False),
    "archive.npz": lambda: archive_of_many(".npy"),
    "archive.pt": lambda: archive_of_many("", "net/data/"),
    "archive.zip": lambda: archive_of_many(".txt"),
    "archive.tar": tar_of_many,
    "arrays.npy": lambda: arrays(True),
    "names.npy": lambda: arrays(False),
    "layers.caffemodel": caffe_layers,
    "blobs.caffemodel": caffe_blobs,
    "graph.pb": constants,
    "model.ckpt.index": checkpoint,
}


@pytest.mark.parametrize("name", FILES)
def test_more_tensors_than_any_network_has(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name]())
    for read in (read_sets, contents):
        began = time.process_time()
        with pytest.raises(WeightsError) as told:
            read(path)
        assert time.process_time() - began < 20, "it took minutes"
        assert len(str(told.value)) < len(str(path)) + 300
        assert "\n" not in str(told.value)
        if read is read_sets and name != "blobs.caffemodel":
            assert "more than" in str(told.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda name: safetensors([name]),
        lambda name: safetensors([name]).replace(b"F32", b"F33"),
        lambda name: saved({name: torch.empty(0)}),
        lambda name: saved({name: torch.empty(0)}, False),
        lambda name: writers.field(
            100, writers.field(1, name) + writers.field(7, writers.blob(NOTHING))
        ),
        lambda name: writers.graph_def({name: writers.tensor_proto(NOTHING)}),
    ],
)
def test_names_without_end(tmp_path: Path, make: Callable[[str], bytes]) -> None:
    path = tmp_path / "x"
    path.write_bytes(make("n" * 5_000_000))
    with pytest.raises(WeightsError, match=f"longer than {LONGEST_NAME} letters") as told:
        read_sets(path)
    assert len(str(told.value)) < len(str(path)) + 300


def test_as_many_as_are_allowed(tmp_path: Path) -> None:
    names = ["n" * LONGEST_NAME, *NAMES[: MOST_TENSORS - 1]]
    (tmp_path / "x.safetensors").write_bytes(safetensors(names))
    form, sets = read_sets(tmp_path / "x.safetensors")
    assert (form, list(sets[""])) == ("safetensors", names)
    (tmp_path / "x.pt").write_bytes(saved({name: torch.empty(0) for name in names[-2000:]}))
    form, sets = read_sets(tmp_path / "x.pt")
    assert (form, list(sets[""])) == ("torch", names[-2000:])
