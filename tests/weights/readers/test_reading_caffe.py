"""Caffe's files: every blob in its place, in both generations of the format."""

import numpy as np
import pytest
import torch
import weights_writers as w

from micrograph.weights.formats import WeightsError
from micrograph.weights.readers import read_any

KERNEL = np.arange(2 * 3 * 2 * 2, dtype=np.float32).reshape(2, 3, 2, 2)
BIAS = np.array([0.5, -7], np.float32)
MATRIX = np.arange(20, dtype=np.float32).reshape(4, 5)
LAYERS = {"conv1": [KERNEL, BIAS], "inception_3a/1x1": [BIAS], "fc6": [MATRIX, BIAS]}


def read(tmp_path, content):
    path = tmp_path / "net.caffemodel"
    path.write_bytes(content)
    form, tensors = read_any(path)
    assert form == "caffemodel"
    return tensors


@pytest.mark.parametrize("packed", [True, False])
def test_blobs_carry_layer_and_number(tmp_path, packed):
    tensors = read(tmp_path, w.caffemodel({"data": [], **LAYERS}, packed=packed))
    assert list(tensors) == ["conv1/0", "conv1/1", "inception_3a/1x1/0", "fc6/0", "fc6/1"]
    for name, tensor in tensors.items():
        layer, _, index = name.rpartition("/")
        expected = LAYERS[layer][int(index)]
        assert tensor.dtype == torch.float32
        assert np.array_equal(tensor.numpy(), expected)


def test_before_2015_blobs_have_four_sizes(tmp_path):
    tensors = read(tmp_path, w.caffemodel(LAYERS, legacy=True))
    assert tensors["conv1/0"].shape == (2, 3, 2, 2)
    assert tensors["fc6/0"].shape == (1, 1, 4, 5)
    assert tensors["fc6/1"].shape == (1, 1, 1, 2)
    assert torch.equal(tensors["fc6/0"][0, 0], torch.from_numpy(MATRIX))


def test_doubles_and_blobs_without_shape(tmp_path):
    content = w.caffemodel({"a": [KERNEL.astype(np.float64)]}) + w.field(
        100, w.field(1, "b") + w.field(7, w.blob(BIAS, shape=False))
    )
    tensors = read(tmp_path, content)
    assert tensors["a/0"].dtype == torch.float64
    assert np.array_equal(tensors["a/0"].numpy(), KERNEL)
    assert torch.equal(tensors["b/0"], torch.from_numpy(BIAS))


def shaped(*sizes):
    return w.field(7, w.field(1, b"".join(w.varint(s) for s in sizes)))


VALUES = w.field(5, BIAS.tobytes())


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (shaped(3) + VALUES, "shape [3] in torch.float32 has 8 bytes"),
        (shaped(-2) + VALUES, "claims the shape [-2]"),
        (shaped(2**40, 2**40) + VALUES, "claims the shape"),
        (shaped(0, 2**62), "claims the shape"),
        (shaped(2) + w.field(5, 3), "a whole number where values should be"),
        (shaped(2) + VALUES + w.field(8, bytes(16)), "values of two kinds"),
        (shaped(2) + w.field(5, b"abc"), "has 3 bytes"),
        (b"\x3a\xff\xff\xff\xff\x0f", "claims 4294967295 bytes, 0 are left"),
        (b"\x3b", "unknown kind 3"),
        (b"\x38" + b"\xff" * 11, "longer than 64 bits"),
        (b"\x38\xff", "ends within a number"),
        (shaped(2)[:-1] + b"\x82" + VALUES, "ends within a number"),
    ],
)
def test_blobs_that_do_not_fit_are_refused(tmp_path, blob, message):
    content = w.field(100, w.field(1, "conv1") + w.field(7, blob))
    with pytest.raises(WeightsError) as caught:
        read(tmp_path, content)
    assert message in str(caught.value)
    assert str(tmp_path / "net.caffemodel") in str(caught.value)


def test_layers_of_one_name_are_refused(tmp_path):
    content = w.caffemodel({"a": [BIAS]}) + w.caffemodel({"a": [BIAS]})
    with pytest.raises(WeightsError, match="'a/0' stands twice"):
        read(tmp_path, content)
