"""The two networks with real weights against what Caffe and MXNet computed with them."""

import re

import numpy as np
import pytest
import torch

from micrograph.models import load

BLOBS = "googlenet_bvlc/caffe_reference_activations.npz"


def test_every_stored_caffe_blob(reference):
    blobs = reference(BLOBS)
    model = load("inceptionv1_caffe")
    image = torch.from_numpy(blobs.pop("data"))[None]
    prob = blobs.pop("prob")
    assert len(blobs) == 8
    found = model.run(image, list(blobs), preprocess=False)
    for name, blob in blobs.items():
        assert np.abs(found[name][0].numpy() - blob).max() <= 2e-3, name
    logits = found["loss3_classifier"][0]
    expected = torch.from_numpy(blobs["loss3_classifier"])
    assert (logits - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert np.abs(logits.softmax(0).numpy() - prob).max() <= 1e-5


def test_preprocessing_gives_what_caffe_was_fed(reference):
    data = torch.from_numpy(reference(BLOBS)["data"])
    preprocessing = load("inceptionv1_caffe").preprocessing
    mean = torch.tensor(preprocessing.mean)[:, None, None]
    rgb = ((data + mean) / 255).flip(0)  # the way back, by hand
    # Caffe took a mean picture away, of which ours is the mean: the range holds up to that.
    assert rgb.min() > -0.1
    assert rgb.max() < 1.1
    assert torch.allclose(preprocessing.apply(rgb[None])[0], data, atol=1e-3)


def test_squeezenet_against_its_reference_outputs(reference):
    stored = reference("squeezenet1_1/reference_io.npz")
    model = load("squeezenet1_1")
    for i in range(3):
        image = torch.from_numpy(stored[f"input_{i}"])
        logits = model.run(image, ["logits"], preprocess=False)["logits"].numpy()
        assert np.abs(logits - stored[f"output_{i}"]).max() <= 2e-4


COUNTED = {
    "inceptionv1_caffe": (r"conv\w+|inception_\d\w|loss3_classifier", 6808),
    "squeezenet1_1": (r"conv0|fire\d|conv25", 3624),
}


@pytest.mark.parametrize("name", COUNTED)
def test_the_units_that_the_literature_counts(real_weights, name):
    pattern, units = COUNTED[name]
    nodes = load(name).nodes.values()
    assert sum(n.units for n in nodes if re.fullmatch(pattern, n.id) and n.kind != "norm") == units
