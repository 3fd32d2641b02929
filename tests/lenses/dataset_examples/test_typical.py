"""The typical activation of units, from what a sweep stored."""

import numpy as np
import pytest

from micrograph.atlas import Library, bundled_gallery
from micrograph.errors import BadInput, Unavailable
from micrograph.lenses.dataset_examples.lens import ExamplesResult, Histogram
from micrograph.lenses.dataset_examples.typical import mean_activation, typical_activations


def test_values_behind_the_activation_are_taken_as_they_are() -> None:
    counted = Histogram(0.0, 4.0, [10, 20], "values")
    result = ExamplesResult(mean=0.7, min=0.0, histogram=counted, picture_max={}, picture_mean={})
    assert mean_activation(result) == 0.7


def test_values_before_a_relu_count_above_zero_only() -> None:
    values = np.random.default_rng(0).normal(-1, 1, 100_000)
    counts, edges = np.histogram(values, 400, (-6, 6))
    counted = Histogram(edges[0], edges[-1], counts.tolist(), "values before the activation")
    result = ExamplesResult(
        mean=float(values.mean()), min=-5.0, histogram=counted, picture_max={}, picture_mean={}
    )
    assert mean_activation(result) == pytest.approx(np.maximum(values, 0).mean(), rel=1e-2)


def test_of_all_units_of_a_node() -> None:
    atlas = Library([bundled_gallery()]).model("inceptionv1_caffe")
    found = typical_activations(atlas, "inception_4b", 512, atlas.model.digest)
    assert sorted(found.units) == list(range(512))
    assert min(found.units.values()) >= 0
    assert typical_activations(atlas, "inception_4b", 512, dataset=found.dataset) == found


def test_what_cannot_be_told() -> None:
    atlas = Library([bundled_gallery()]).model("inceptionv1_caffe")
    with pytest.raises(BadInput, match="was swept with other weights"):
        typical_activations(atlas, "inception_4b", 512, "0" * 64)
    with pytest.raises(BadInput, match="dataset 'none' given; inception_4b was swept over: "):
        typical_activations(atlas, "inception_4b", 512, dataset="none")
    with pytest.raises(Unavailable, match="-t dataset_examples --node conv1_7x7_s2 --dataset"):
        typical_activations(atlas, "conv1_7x7_s2", 64)
