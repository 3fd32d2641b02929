"""Reading and writing safetensors, and files that are out to hurt."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from micrograph import files
from micrograph.errors import Unavailable
from micrograph.weights.formats import (
    RawTensor,
    WeightsError,
    digest_of,
    read_safetensors,
    write_safetensors,
)

TENSORS = {
    "b.weight": RawTensor("F32", (2, 3), np.arange(6, dtype="<f4").tobytes()),
    "a": RawTensor("F16", (3,), np.arange(3, dtype="<f2").tobytes()),
    "scalar": RawTensor("I64", (), (7).to_bytes(8, "little")),
    "empty": RawTensor("F32", (0, 4), b""),
}


def file_with(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(first: int, last: int, dtype: object = "F32", shape: object = None) -> dict[str, object]:
    shape = [(last - first) // 4] if shape is None else shape
    return {"dtype": dtype, "shape": shape, "data_offsets": [first, last]}


def test_what_is_written_is_read_and_is_what_the_library_reads(tmp_path):
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "x.safetensors"
    write_safetensors(path, TENSORS, {"format": "pt"})
    assert {n: (t.dtype, t.shape, bytes(t.data)) for n, t in read_safetensors(path).items()} == {
        n: (t.dtype, t.shape, t.data) for n, t in TENSORS.items()
    }
    arrays = load_file(path)
    assert arrays["b.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    save_file(arrays, path, {"other": "metadata"})
    assert digest_of(read_safetensors(path)) == digest_of(TENSORS)


def test_digest_is_of_the_content():
    def with_(**changes):
        return {**TENSORS, "a": RawTensor(**{**vars(TENSORS["a"]), **changes})}

    base = digest_of(TENSORS)
    assert digest_of(dict(reversed(TENSORS.items()))) == base
    others = [
        with_(dtype="BF16"),
        with_(shape=(1, 3)),
        with_(data=b"\0" * 6),
        {n + "x": t for n, t in TENSORS.items()},
        {},
    ]
    assert len({base, *map(digest_of, others)}) == 6
    assert base == "5b0ec8ad56fdeeea3316b2f741ffa5b963d69a73f04bcc5fce21d8f433777edc"


def test_only_complete_files_appear(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "x.safetensors"
    write_safetensors(path, TENSORS, {})
    old = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(Unavailable, match=r"cannot write .*x.safetensors: No space left"):
        write_safetensors(path, {}, {})
    assert path.read_bytes() == old
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_in_the_way_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot write"):
        write_safetensors(tmp_path / "file" / "x.safetensors", TENSORS, {})
    with pytest.raises(Unavailable, match="cannot read"):
        read_safetensors(tmp_path / "absent")
    with pytest.raises(Unavailable, match="cannot read"):
        read_safetensors(tmp_path)


ATTACKS = {
    "empty": (b"", "has 0 bytes"),
    "short": (b"\1\0", "has 2 bytes"),
    "header beyond the file": (file_with({}, length=10**6), "header claims 1000000 bytes"),
    "header of 2^63 bytes": (file_with({}, length=2**63), "header claims 9223372036854775808"),
    "no JSON": (file_with(b"{nonsense"), "not readable JSON"),
    "no text": (file_with(b'{"\xff": 1}'), "not readable JSON"),
    "a list": (file_with([]), "no JSON object"),
    "nested too deep": (file_with(b"[" * 200_000), "not readable JSON"),
    "name twice": (
        file_with(b'{"x": {"dtype": 1}, "x": {"dtype": 2}}'),
        "name 'x' stands twice",
    ),
    "data missing": (file_with({"x": entry(0, 8)}, b"1234"), "take 8 bytes, the file holds 4"),
    "data left over": (file_with({"x": entry(0, 4)}, b"12345678"), "take 4 bytes"),
    "overlap": (
        file_with({"x": entry(0, 8), "y": entry(4, 12)}, b"\0" * 12),
        "tensor 'y' starts at 4, expected 8",
    ),
    "hole": (file_with({"x": entry(4, 8)}, b"\0" * 8), "starts at 4, expected 0"),
    "same place": (
        file_with({"x": entry(0, 4), "y": entry(0, 4)}, b"\0" * 4),
        "starts at 0, expected 4",
    ),
    "backwards": (file_with({"x": entry(8, 4, shape=[1])}, b"\0" * 8), "has -4 bytes"),
    "negative place": (file_with({"x": entry(-4, 0, shape=[1])}), "expected whole numbers"),
    "negative shape": (file_with({"x": entry(0, 4, shape=[-1])}, b"\0" * 4), "whole numbers"),
    "shape and bytes differ": (file_with({"x": entry(0, 4, shape=[2])}, b"\0" * 4), "has 4 bytes"),
    "huge shape": (file_with({"x": entry(0, 4, shape=[2**62] * 9)}, b"\0" * 4), "has 4 bytes"),
    "shape of floats": (file_with({"x": entry(0, 4, shape=[1.0])}, b"\0" * 4), "whole numbers"),
    "shape of booleans": (file_with({"x": entry(0, 4, shape=[True])}, b"\0" * 4), "whole numbers"),
    "unknown dtype": (file_with({"x": entry(0, 4, "Q3")}, b"\0" * 4), "has dtype 'Q3'"),
    "dtype no text": (file_with({"x": entry(0, 4, [])}, b"\0" * 4), "has dtype"),
    "no entry": (file_with({"x": 3}), "lacks dtype"),
    "three places": (
        file_with({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}, b"\0" * 4),
        "expected whole numbers",
    ),
    "a pickle": (b"\x80\x04\x95" + b"\0" * 60, "of another form"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_damaged_files_give_one_clear_line(tmp_path, attack):
    data, message = ATTACKS[attack]
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(WeightsError) as caught:
        read_safetensors(path)
    text = str(caught.value)
    assert message in text
    assert str(path) in text
    assert "\n" not in text
    assert len(text) < 600


SAME_FOLDER = [HealthCheck.function_scoped_fixture]


@settings(max_examples=150, deadline=None, suppress_health_check=SAME_FOLDER)
@given(cut=st.integers(0, 400), at=st.integers(0, 399), byte=st.integers(0, 255))
def test_any_cut_or_changed_byte_is_refused_or_read_within_bounds(tmp_path: Path, cut, at, byte):
    path = tmp_path / "fuzz.safetensors"
    write_safetensors(path, TENSORS, {"format": "pt"})
    data = bytearray(path.read_bytes())
    if cut < len(data):
        path.write_bytes(data[:cut])
        with pytest.raises(WeightsError):
            read_safetensors(path)
    data[at % len(data)] = byte
    path.write_bytes(data)
    try:
        found = read_safetensors(path)
    except WeightsError:
        return
    assert sum(len(t.data) for t in found.values()) <= len(data)
