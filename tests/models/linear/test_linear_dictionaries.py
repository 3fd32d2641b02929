"""Kernels of latents: decoder times path times encoder."""

import torch

import micrograph
from micrograph import load


def test_decoder_path_and_encoder() -> None:
    model = load("toytown")
    model.attach_bundled("mixed4a.sae")
    below, above = model.attached("mixed4a.sae"), torch.randn(7, model.node("mixed4b").units)
    assert below is not None
    model.attach("mixed4b", above, "axes")
    between = micrograph.weights(model, "mixed4a", "mixed4b").kernels
    decoder = below.dictionary.decoder
    from_latents = micrograph.weights(model, "mixed4a.sae", "mixed4b", units=range(9))
    wanted = torch.einsum("tuyx,lu->tlyx", between[:9], decoder)
    assert torch.allclose(from_latents.kernels, wanted, rtol=1e-4, atol=1e-5)
    both = micrograph.weights(model, "mixed4a.sae", "mixed4b.axes")
    axes = model.attached("mixed4b.axes")
    assert axes is not None
    wanted = torch.einsum("at,tuyx,lu->alyx", axes.dictionary.encoder, between, decoder)
    assert torch.allclose(both.kernels, wanted, rtol=1e-4, atol=1e-4)
    assert (both.stride, both.offset) == ((1, 1), (-2, -2))


def test_a_dictionary_and_the_node_under_it() -> None:
    model = load("toytown")
    model.attach_bundled("mixed4a.sae")
    attached = model.attached("mixed4a.sae")
    assert attached is not None
    read = micrograph.weights(model, "mixed4a", "mixed4a.sae", units=[0, 5])
    assert torch.allclose(read.kernels[:, :, 0, 0], attached.dictionary.encoder[[0, 5]])
    written = micrograph.weights(model, "mixed4a.sae", "mixed4a", units=[1, 2])
    assert torch.allclose(written.kernels[:, :, 0, 0], attached.dictionary.decoder[:, [1, 2]].T)
    assert read.exact
    assert written.exact
