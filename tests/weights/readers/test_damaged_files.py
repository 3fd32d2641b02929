"""Damage anywhere in a small file of each form: an error that says so, or values; no crash."""

import io
import warnings
from functools import cache

import numpy as np
import pytest
import torch
import weights_writers as w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from micrograph.errors import Unavailable
from micrograph.weights.formats import WeightsError
from micrograph.weights.readers import read_any

A = np.arange(4, dtype=np.float32).reshape(2, 2)
TENSORS = {"a": A, "b/c": np.array([7])}


@cache
def content(form):
    out = io.BytesIO()
    match form:
        case "caffemodel":
            return w.caffemodel({"conv1": [A, A[0]]})
        case "legacy caffemodel":
            return w.caffemodel({"conv1": [A, A[0]]}, legacy=True)
        case "tf-graph":
            protos = {"a": w.tensor_proto(A), "b": w.tensor_proto(A, "values")}
            return w.graph_def(protos)
        case "tf-checkpoint 1":
            return w.checkpoint_v1(TENSORS)
        case "tf-checkpoint 2":
            return w.checkpoint_v2(TENSORS)[0]
        case "npy":
            np.save(out, {"a": [A, A[0]]}, allow_pickle=True)
        case "npz":
            np.savez(out, a=A)
        case "torch":
            torch.save({"a": torch.from_numpy(A)}, out)
        case "clip":
            with warnings.catch_warnings(action="ignore"):
                torch.jit.save(torch.jit.script(nn.Linear(2, 2)), out)
    return out.getvalue()


FORMS = [
    "caffemodel",
    "legacy caffemodel",
    "tf-graph",
    "tf-checkpoint 1",
    "tf-checkpoint 2",
    "npy",
    "npz",
    "torch",
    "clip",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "m.data-00000-of-00001").write_bytes(w.checkpoint_v2(TENSORS)[1][0])
    return folder


def read(folder, data):
    """The tensors, or None for a refusal in one line that names the file."""
    path = folder / "m.index"
    path.write_bytes(data)
    try:
        tensors = read_any(path)[1]
    except (WeightsError, Unavailable) as error:
        message = str(error)
    else:
        assert all(isinstance(t, torch.Tensor) for t in tensors.values())
        assert sum(t.numel() for t in tensors.values()) < 10_000
        return tensors
    assert str(folder) in message
    assert "\n" not in message
    return None


@pytest.mark.parametrize("form", FORMS)
def test_truncated_anywhere(folder, form):
    whole = content(form)
    right = read(folder, whole)
    assert right
    step = max(1, len(whole) // 250)
    for end in range(0, len(whole), step):
        found = read(folder, whole[:end])
        if form not in ("caffemodel", "legacy caffemodel", "tf-graph"):
            assert found is None
        else:  # a message may end behind any of its fields
            assert found is None or found.keys() < right.keys() or form == "tf-graph"


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_bytes_flipped_anywhere(folder, form, data):
    damaged = bytearray(content(form))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    read(folder, bytes(damaged))


STARTS = [b"", b"\n", b"\xa2\6", b"\x80", b"PK\3\4", b"\x93NUMPY\1\0", b"\x1f\x8b"]


@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_anything(tmp_path_factory, start, rest):
    folder = tmp_path_factory.getbasetemp()
    read(folder, start + rest)


def test_checked_forms_give_right_values_or_none(folder):
    """Where every byte is under a checksum, damage never gives other values."""
    for form in ("tf-checkpoint 1", "tf-checkpoint 2"):
        whole = content(form)
        right = read(folder, whole)
        for place in range(0, len(whole), 2):
            damaged = bytearray(whole)
            damaged[place] ^= 0x10
            found = read(folder, bytes(damaged))
            if found is not None:
                assert found.keys() == right.keys()
                assert all(torch.equal(found[n], t) for n, t in right.items())
