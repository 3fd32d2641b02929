"""What `dictionary check` measures, against the same sums taken at once."""

import dictionary_files as files
import pytest
import torch
from dictionary_files import LATENTS, UNITS, B, W
from torch import nn

from micrograph.cards.preprocessing import Preprocessing
from micrograph.datasets import batches, open_dataset
from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.runner.check_dictionary import check_dictionary

OUT = 5


@pytest.fixture
def model():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, UNITS, 3), nn.ReLU(), nn.Conv2d(UNITS, OUT, 1))
    return Model.of(net, id="net", preprocessing=Preprocessing(size=16, resize=16))


def rows(model, *nodes):
    (batch,) = batches(open_dataset("toytown:11"), model.preprocessing, 11, range(1))
    found = model.run(batch.images(model.device), nodes)
    return [found[node].movedim(1, -1).flatten(0, 2) for node in nodes]


def test_the_length_of_inputs_is_beside_that_of_training(model, tmp_path):
    path, _, encode = files.CASES["Llama Scope, hyperparams.json"](tmp_path)
    model.attach("1", path)
    found = check_dictionary(model, "1.sae", "toytown:11")
    (x,) = rows(model, "1")
    latents = encode(x)
    assert (found.node, found.writes, found.pictures, found.positions) == ("1", "1", 11, len(x))
    assert found.l0 == pytest.approx(float((latents != 0).sum(1).float().mean()))
    assert found.dead == int((latents == 0).all(0).sum())
    assert found.length == pytest.approx(float(x.norm(dim=1).mean()), rel=1e-4)
    assert found.stated() == {"length": 4.0}
    assert found.rows()[-1][0] == "length of what is read"


def test_a_transcoder_is_measured_where_it_writes(model, tmp_path):
    decoder, bias = files.random(LATENTS, OUT, seed=1) * 0.1, files.random(OUT, seed=2)
    tensors = {"W_enc": W, "b_enc": B, "W_dec": decoder, "b_dec": bias}
    files.write(tmp_path, "layer_0.safetensors", tensors)
    model.attach("1", tmp_path, writes="2")
    found = check_dictionary(model, "1.sae", "toytown:11")
    x, y = rows(model, "1", "2")
    left = y - ((x @ W.T + B).relu() @ decoder + bias)
    explained = 1 - float(left.square().sum() / (y - y.mean(0)).square().sum())
    assert found.writes == "2"
    assert found.explained == pytest.approx(explained, rel=1e-4)


def test_a_node_of_the_network_is_no_dictionary(model):
    with pytest.raises(BadInput, match="attach one first"):
        check_dictionary(model, "1", "toytown:2")
