"""Dictionaries of arrays in `.npy`, and attacks by pickle: nothing in them runs."""

import io
import os
import pickle
import struct
import time

import numpy as np
import pytest
import torch

from micrograph.weights.formats import WeightsError
from micrograph.weights.readers import pickles, read_any
from micrograph.weights.readers.common import Damaged

KERNEL = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
BIAS = np.array([0.5, -7], np.float32)
LAYERS = {"conv1": [KERNEL, BIAS], "fc6": {"weights": KERNEL[0, 0].T, "biases": BIAS}}
HEADER = "{'descr': '|O', 'fortran_order': False, 'shape': (), }"


def npy(content):
    """An object array of the form that numpy.save writes, with any pickle inside."""
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(HEADER)) + HEADER.encode() + content


def read(tmp_path, content):
    path = tmp_path / "net.npy"
    path.write_bytes(content)
    form, tensors = read_any(path)
    assert form == "npy"
    return tensors


def refused(tmp_path, content, message=""):
    with pytest.raises(WeightsError) as caught:
        read(tmp_path, content)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def check(tensors):
    expected = {
        "conv1/0": KERNEL,
        "conv1/1": BIAS,
        "fc6/weights": KERNEL[0, 0].T,
        "fc6/biases": BIAS,
    }
    assert tensors.keys() == expected.keys()
    for name, array in expected.items():
        assert tensors[name].dtype == torch.float32
        assert np.array_equal(tensors[name].numpy(), array), name


def test_names_are_joined_and_every_array_in_place(tmp_path):
    np.save(tmp_path / "net.npy", LAYERS, allow_pickle=True)
    form, tensors = read_any(tmp_path / "net.npy")
    assert form == "npy"
    check(tensors)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol(tmp_path, protocol):
    array = np.empty((), object)
    array[()] = LAYERS
    check(read(tmp_path, npy(pickle.dumps(array, protocol))))


def test_files_of_python_2(tmp_path):
    """There, bytes and texts are one, and are written as such."""
    raw = KERNEL.tobytes()
    content = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\0\x85U\x01b\x87"
        b"Rq\x03(K\x01)cnumpy\ndtype\nq\x04U\x02O8K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK?tb\x89]}U\x05conv1]h\x01h\x02K\0\x85U\x01b\x87R(K\x01(K\x02K\x03K\x02"
        b"K\x02th\x04U\x02f4K\0K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
        b"\x89U" + bytes([len(raw)]) + raw + b"tbasatb."
    )
    theirs = np.load(io.BytesIO(npy(content)), allow_pickle=True, encoding="latin1").item()
    assert np.array_equal(theirs["conv1"][0], KERNEL)  # the pickle above is a sound one
    tensors = read(tmp_path, npy(content))
    assert list(tensors) == ["conv1/0"]
    assert np.array_equal(tensors["conv1/0"].numpy(), KERNEL)


def test_orders_and_kinds(tmp_path):
    arrays = {
        "big": KERNEL.astype(">f8"),
        "fortran": np.asfortranarray(KERNEL),
        "half": BIAS.astype(np.float16),
        "whole": np.arange(-3, 3, dtype=">i4"),
        "bool": np.array([True, False]),
        "empty": np.zeros((0, 3), np.float32),
    }
    np.save(tmp_path / "x.npy", arrays, allow_pickle=True)
    tensors = read_any(tmp_path / "x.npy")[1]
    for name, array in arrays.items():
        assert np.array_equal(tensors[name].numpy(), array), name
        assert tensors[name].is_contiguous()


def test_numbers_and_texts_beside_the_arrays_are_left_out(tmp_path):
    np.save(tmp_path / "x.npy", {"a": BIAS, "epoch": 3, "by": "someone", "none": None})
    assert list(read_any(tmp_path / "x.npy")[1]) == ["a"]


FROM_BUFFER = np.zeros(1).__reduce_ex__(5)[0]
"""What numpy itself calls to rebuild an array."""


class Calls:
    """Pickled, it asks for a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("place", ["alone", "in the dict", "nested", "as an array's bytes"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_nothing_that_a_pickle_names_is_called(tmp_path, place, protocol, monkeypatch):
    victim = tmp_path / "victim"
    called = []
    monkeypatch.setattr(np, "fromfile", called.append)  # also numpy's own functions are not called
    for evil in (
        Calls(os.mkdir, str(victim)),
        Calls(eval, f"__import__('os').mkdir({str(victim)!r})"),
        Calls(getattr, os, "mkdir"),
        Calls(np.fromfile, str(victim)),
        Calls(np.load, str(victim)),
    ):
        try:
            inner = {
                "alone": evil,
                "in the dict": {"a": BIAS, "b": evil},
                "nested": {"a": [[{"b": evil}]]},
                "as an array's bytes": {"a": Calls(FROM_BUFFER, evil, np.dtype("f4"), (1,), "C")},
            }[place]
            content = pickle.dumps(inner, protocol)
        except (TypeError, pickle.PicklingError):  # modules cannot be written
            continue
        refused(tmp_path, npy(content))
        assert not victim.exists()
        assert not called


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'touch victim'\ntR.",
        b"(ios\nsystem\nS'x'\n.",  # INST
        b"(cos\nsystem\nS'x'\no.",  # OBJ
        b"\x80\x02\x82\x01.",  # EXT1
        b"P1\n.",  # PERSID
        b"\x80\x05\x97.",  # NEXT_BUFFER
        b"\x80\x04\x8f.",  # EMPTY_SET
        b"]]b.",  # BUILD of a list
        b"}]K\1s.",  # a key that is a list
        b"(K\1K\1K\1d.",
        b"K\1\x93.",
        b"h\7.",
        b"t.",
        b".",
        b"(.",
        b"a.",
        b"0.",
        b"",
        b"]",
        b"]2aa.",
        b"}U\1a" * 9,
        b"cnumpy\nload\n.",
        b"}U\1acos\nsystem\ns.",
    ],
)
def test_damaged_or_odd_pickles(tmp_path, content):
    refused(tmp_path, npy(content))


def test_a_number_in_the_memo_takes_no_memory():
    """Python's own unpickler makes room for 4 billion entries here."""
    assert pickles.read(b"Nr\xff\xff\xff\xff.") is None


def test_endless_nesting(tmp_path):
    ring = []
    ring.append(ring)
    refused(tmp_path, npy(pickle.dumps({"a": ring}, 2)), "nested without end")
    wide = [BIAS]
    for _ in range(12):
        wide = [wide] * 100  # 10^24 ways
    started = time.perf_counter()
    refused(tmp_path, npy(pickle.dumps({"a": wide}, 2)), "nested without end")
    assert time.perf_counter() - started < 20
    deep = b"]" + b"]" * 100_000 + b"a" * 100_000 + b"."
    refused(tmp_path, npy(deep))
    refused(tmp_path, npy(b"N" + b"\x85" * 100_000 + b"."), "no dict")
    refused(tmp_path, npy(b"}N" + b"\x85" * 100_000 + b"U\1as."), "keys are no names")


def test_more_operations_than_any_weights_have(monkeypatch):
    monkeypatch.setattr(pickles, "MOST_OPERATIONS", 1000)
    with pytest.raises(Damaged, match="more than 1000 operations"):
        pickles.read(b"N0" * 1000 + b"N.")


def state(shape, kind, raw, fortran=False):
    return (
        b"}U\1acnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R(K\1"
        + shape
        + b"cnumpy\ndtype\n"
        + kind
        + b"K\0K\1\x87R(K\3U\1<NNNJ\0\0\0\0J\0\0\0\0K\0tb"
        + (b"\x88" if fortran else b"\x89")
        + raw
        + b"tbs."
    )


def test_arrays_that_do_not_fit(tmp_path):
    eight = b"U\x08" + bytes(8)
    assert read(tmp_path, npy(state(b"K\2\x85", b"U\2f4", eight)))["a"].tolist() == [0, 0]
    for shape, kind, raw, message in (
        (b"K\3\x85", b"U\2f4", eight, "has 8 bytes"),
        (b"J\xff\xff\xff\xff\x85", b"U\2f4", eight, "claims the shape [-1]"),
        (b"U\1x\x85", b"U\2f4", eight, "no numbers"),
        (b"K\2\x85", b"U\2O8", eight, "a kind that is no weights"),
        (b"K\2\x85", b"U\2V4", eight, "a kind that is no weights"),
        (b"K\2\x85", b"U\2f4", b"X\2\0\0\0\xc4\x80", "text where its values should be"),
        (b"K\2\x85", b"U\2f4", b"N", "has no bytes"),
    ):
        refused(tmp_path, npy(state(shape, kind, raw)), message)


def test_other_arrays_are_refused(tmp_path):
    for array in (KERNEL, np.array([{}, {}], object), np.array("text")):
        np.save(tmp_path / "x.npy", array, allow_pickle=True)
        refused(tmp_path, (tmp_path / "x.npy").read_bytes(), "expected a dict of arrays")
    np.save(tmp_path / "y.npy", np.array(None), allow_pickle=True)
    refused(tmp_path, (tmp_path / "y.npy").read_bytes(), "no dict of arrays")
    refused(tmp_path, b"\x93NUMPY\1\0\x40\0" + b"(" * 64, "header is not readable")
    refused(tmp_path, b"\x93NUMPY\1\0", "header is not readable")
