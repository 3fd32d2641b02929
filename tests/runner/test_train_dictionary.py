"""Training finds what values are made of, goes on where it stopped, and says how good it is."""

import json

import numpy as np
import pytest
import torch

from micrograph.errors import BadInput, Conflict
from micrograph.models import load
from micrograph.models.dictionaries.reading import read
from micrograph.runner import batch_topk
from micrograph.runner.batch_topk import DictionarySettings, Training
from micrograph.runner.progress import Silent
from micrograph.runner.train_dictionary import measure, train
from micrograph.weights.formats import read_safetensors

FEW = DictionarySettings(40, k=4, positions=8, steps=6, batch=64)


def test_known_directions_are_found_again(tmp_path):
    """Values made of a few of twelve directions in ten dimensions: more than there are axes."""
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((12, 10))
    truth /= np.linalg.norm(truth, axis=1, keepdims=True)
    on = rng.random((20_000, 12)) < 0.06
    values = ((on * rng.uniform(1, 3, on.shape)) @ truth + 0.5).astype(np.float16)
    settings = DictionarySettings(16, k=1, steps=1000, batch=512, rate=3e-3)
    training = Training(values, settings, tmp_path)
    start = training.parameters["decoder"].clone()
    training.run(Silent())
    found = training.unscaled_tensors()
    quality = measure(found, torch.from_numpy(values))
    assert quality.explained > 0.9
    assert quality.l0 == pytest.approx(1, abs=0.4)
    closest = (torch.from_numpy(truth).float() @ found["decoder"].T).amax(1)
    before = (torch.from_numpy(truth).float() @ start.T).amax(1)
    assert closest.mean() > 0.9
    assert before.mean() < 0.75


def test_measures_are_those_of_the_definition():
    tensors = {"encoder": torch.eye(3), "decoder": torch.eye(3), "threshold": torch.full((3,), 1.0)}
    values = torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 0.5], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    quality = measure(tensors, values)
    whole = (values - values.mean(0)).square().sum()
    assert quality.explained == pytest.approx(1 - 0.25 / whole.item())
    assert quality.l0 == pytest.approx(2 / 4)
    assert quality.dead == pytest.approx(1 / 3)


def test_a_file_that_fits_its_node_and_says_what_it_is(tmp_path):
    model = load("toytown")
    out = tmp_path / "d.safetensors"
    quality = train(model, "4a", "toytown:40", out, FEW)
    found = read(out, model.node("mixed4a").units)
    assert (found.latents, found.activation) == (40, "jumprelu")
    about = found.about()
    assert float(about["explained"]) == pytest.approx(quality.explained, rel=1e-3)
    trained = json.loads(about["trained"])
    assert (trained["node"], trained["weights"], trained["k"]) == ("mixed4a", model.digest, 4)
    assert list(tmp_path.iterdir()) == [out]
    train(model, "4a", "toytown:40", tmp_path / "again.safetensors", FEW)
    assert read(tmp_path / "again.safetensors", 152).digest == found.digest


def test_what_was_interrupted_goes_on_to_the_same_end(tmp_path, monkeypatch):
    model = load("toytown")
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"
    train(model, "mixed4a", "toytown:40", whole, FEW)
    monkeypatch.setattr(batch_topk, "_CHECKPOINT", 2)

    class Stops(Silent):
        def update(self, done, doing):
            if "latents dead" in doing and done == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(model, "mixed4a", "toytown:40", cut, FEW, Stops())
    assert not cut.exists()
    with pytest.raises(Conflict, match="another training"):
        train(model, "mixed4a", "toytown:40", cut, DictionarySettings(41, k=4))
    train(model, "mixed4a", "toytown:40", cut, FEW)
    assert read_safetensors(cut).keys() == read_safetensors(whole).keys()
    for name, tensor in read_safetensors(whole).items():
        assert read_safetensors(cut)[name].data == tensor.data, name


@pytest.mark.parametrize(
    "settings",
    [
        DictionarySettings(1),
        DictionarySettings(40, k=41),
        DictionarySettings(40, steps=0),
        DictionarySettings(40, seed=-1),
    ],
)
def test_absurd_settings_leave_nothing(tmp_path, settings):
    with pytest.raises(BadInput, match="out of range"):
        train(load("toytown"), "mixed4a", "toytown:40", tmp_path / "d.safetensors", settings)
    assert not list(tmp_path.iterdir())
