"""Real weights, written as Caffe wrote them, come back to the bit."""

import pytest
import weights_writers as w

from micrograph.cards import card
from micrograph.networks.inceptionv1_caffe import weighted_layers
from micrograph.weights import store
from micrograph.weights.importing import import_weights
from micrograph.weights.tensors import to_torch


@pytest.mark.parametrize("legacy", [True, False])
def test_googlenet_as_a_caffemodel(real_weights, tmp_path, monkeypatch, legacy):
    right = card("inceptionv1_caffe")
    ours = {n: to_torch(t).numpy() for n, t in store.read(right).tensors.items()}
    layers = {
        layer.name: [ours[right.tensor_name(f"{path}.{part}")] for part in ("weight", "bias")]
        for path, layer in weighted_layers(1000)
    }
    (tmp_path / "net.caffemodel").write_bytes(w.caffemodel(layers, legacy=legacy))
    monkeypatch.setattr(store, "data_folder", lambda: tmp_path / "data")
    kept = import_weights(right.id, tmp_path / "net.caffemodel")
    assert (kept.form, kept.converted, kept.digest) == ("caffemodel", True, right.digest)
