"""Transcoders, which read one node and write another; and places that files name."""

import json

import dictionary_files as files
import pytest
import torch
from dictionary_files import LATENTS, UNITS, B, W, top
from torch import nn

from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, Conflict
from micrograph.models.connections import outgoing
from micrograph.models.dictionaries.placing import fitting
from micrograph.models.dictionaries.reading import ReadFile
from micrograph.models.model import Model
from micrograph.models.node import Node, ReceptiveField
from micrograph.models.replacing import replaced
from micrograph.weights.formats import WeightsError

OUT = 5
DECODER, BIAS = files.random(LATENTS, OUT, seed=41), files.random(OUT, seed=42)
SKIP = files.random(OUT, UNITS, seed=43)


class Net(nn.Module):
    """A map of six units, one of five that reads it, and what reads that."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, UNITS, 3, padding=1)
        self.act = nn.ReLU()
        self.mix = nn.Conv2d(UNITS, OUT, 1)
        self.head = nn.Linear(OUT, 4)

    def forward(self, x):
        return self.head(self.mix(self.act(self.conv(x))).mean((2, 3)))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Model.of(Net(), id="net", preprocessing=Preprocessing(size=8, resize=8))


def transcoder(folder, architecture="skip_transcoder", **meta):
    tensors = {"W_enc": W.T, "b_enc": B, "W_dec": DECODER, "b_dec": BIAS, "W_skip": SKIP}
    if "skip" not in architecture:
        del tensors["W_skip"]
    meta = {"hook_name": "act", "hook_name_out": "mix", "model_name": "net"} | meta
    config = {"architecture": architecture, "d_in": UNITS, "d_sae": LATENTS, "d_out": OUT}
    config |= {"apply_b_dec_to_input": False, "metadata": meta}
    files.write(folder, "sae_weights.safetensors", tensors, config=config)
    return folder


def test_its_latents_are_units_of_a_node_that_reads_one_and_writes_another(model, tmp_path):
    node = model.attach(None, transcoder(tmp_path))
    assert (node.id, node.units, node.parents) == ("act.sae", LATENTS, ("act",))
    one = model.attached("act.sae")
    assert (one.base.id, one.writes.id, one.notes) == ("act", "mix", ())
    assert one.dictionary.about()["writes_node"] == "mix"
    images = torch.rand(2, 3, 8, 8)
    found = model.run(images, ["act.sae", "act"])
    x = found["act"].movedim(1, -1)
    torch.testing.assert_close(found["act.sae"].movedim(1, -1), (x @ W.T + B).relu())
    decoded = one.dictionary.decode(found["act.sae"], like=found["act"]).movedim(1, -1)
    expected = (x @ W.T + B).relu() @ DECODER + BIAS + x @ SKIP.T
    torch.testing.assert_close(decoded, expected, rtol=1e-4, atol=1e-4)


def test_replacing_its_latents_moves_the_node_that_it_writes(model, tmp_path):
    model.attach("act", transcoder(tmp_path))
    images = torch.rand(1, 3, 8, 8)
    before = model.run(images, ["act", "mix", "act.sae", "head"])
    with replaced(model, "act.sae", before["act.sae"]):
        same = model.run(images, ["act", "head"])
    torch.testing.assert_close(same["head"], before["head"])
    torch.testing.assert_close(same["act"], before["act"])
    latents = before["act.sae"].repeat(2, 1, 1, 1)
    latents[1, 4] += 1
    latents.requires_grad_(True)
    with replaced(model, "act.sae", latents):
        moved = model.run(images, ["head"])["head"]
    mixed = before["mix"] + DECODER[4].view(1, -1, 1, 1)
    torch.testing.assert_close(moved[1], model.module.head(mixed.mean((2, 3)))[0])
    (gradient,) = torch.autograd.grad(moved[:, 2].sum(), latents)
    expected = DECODER @ model.module.head.weight[2] / 64
    torch.testing.assert_close(gradient[0, :, 3, 3], expected)


def test_what_reads_it_reads_the_node_that_it_writes(model, tmp_path):
    model.attach("act", transcoder(tmp_path, "transcoder"))
    with pytest.raises(BadInput, match="made by a dictionary"):
        model.attach("act.sae", torch.randn(2, LATENTS))
    model.attach("act", torch.eye(UNITS), "axes")
    reads = outgoing(model, "act.axes")  # through the convolution
    assert reads.shape == (UNITS, OUT)
    assert torch.equal(model.attached("act.sae").dictionary.decoder, DECODER)


def test_a_node_that_it_writes_is_named_or_refused(model, tmp_path):
    path = transcoder(tmp_path, "transcoder", hook_name_out="blocks.3.hook_mlp_out")
    with pytest.raises(BadInput, match=r"blocks\.3\.hook_mlp_out.*writes=NODE"):
        model.attach("act", path)
    with pytest.raises(BadInput, match="writes 5 units does not fit head"):
        model.attach("act", path, writes="head")
    assert model.attach("act", path, writes="mix").id == "act.sae"
    with pytest.raises(BadInput, match="no transcoder"):
        model.attach("mix", torch.randn(2, OUT), "axes", writes="act")
    wrong = transcoder(tmp_path, "transcoder", hook_name="mix", hook_name_out="act")
    with pytest.raises(WeightsError, match="5 units"):
        model.attach("mix", wrong)


def test_a_square_one_may_not_write_before_it_reads(tmp_path):
    net = nn.Sequential(nn.Conv2d(3, UNITS, 1), nn.ReLU(), nn.Conv2d(UNITS, UNITS, 1))
    model = Model.of(net, id="net", preprocessing=Preprocessing(size=8, resize=8))
    tensors = {"encoder.weight": W, "encoder.bias": B, "W_dec": files.D, "b_dec": files.C}
    config = {"activation": "topk", "k": 3, "transcode": True, "d_in": UNITS}
    folder = tmp_path / "layers.0"
    files.write(folder, "sae.safetensors", tensors, config=config)
    with pytest.raises(BadInput, match="is not behind 2"):
        model.attach("2", folder, writes="1")
    model.attach("1", folder, writes="2")
    found = model.run(torch.rand(1, 3, 8, 8), ["1.sae", "1"])
    x = found["1"].movedim(1, -1)
    torch.testing.assert_close(found["1.sae"].movedim(1, -1), top(x @ W.T + B))


def test_a_place_that_fits_nothing_or_several_is_asked_for(model, tmp_path):
    meta = {"metadata": {"hook_name": "blocks.2.hook_resid_post", "model_name": "net"}}
    path = files.saelens(tmp_path, architecture="standard", **meta)
    with pytest.raises(BadInput, match=r"names 'blocks\.2\.hook_resid_post'.*one of conv, act"):
        model.attach(None, path)
    with pytest.raises(BadInput, match="name the node"):
        model.attach(None, torch.eye(UNITS))
    assert model.attach("act", path).id == "act.sae"
    with pytest.raises(Conflict, match="another dictionary"):
        model.attach("act", path, scale=2)


def test_another_model_or_place_than_the_file_names_is_said(model, tmp_path):
    meta = {"metadata": {"hook_name": "conv", "model_name": "google/vit-base-patch16-224"}}
    path = files.saelens(tmp_path, architecture="standard", **meta)
    model.attach("act", path)
    assert model.attached("act.sae").notes == (
        "made for the model google/vit-base-patch16-224, attached to net",
        "made for conv, which is conv here, attached to act",
    )
    model.attach("conv", path)
    assert len(model.attached("conv.sae").notes) == 1


@pytest.mark.parametrize(
    ("hook", "nodes"),
    [
        ("blocks.1.hook_resid_post", ["blocks.1"]),
        ("blocks.1.hook_resid_pre", ["blocks.0"]),
        ("blocks.0.hook_resid_pre", []),
        ("blocks.0.hook_resid_mid", ["blocks.0.add"]),
        ("blocks.0.hook_mlp_out", ["blocks.0.mlp"]),
        ("blocks.1.hook_attn_out", ["blocks.1.attn"]),
        ("blocks.1.ln2.hook_normalized", ["blocks.1.norm2"]),
        ("blocks.0.mlp.output", ["blocks.0.mlp"]),
        ("blocks.7.hook_resid_post", []),
        ("", []),
    ],
)
def test_names_of_places_in_blocks_are_nodes(hook, nodes):
    ids = [
        f"blocks.{n}{end}"
        for n in (0, 1)
        for end in (".norm1", ".attn", ".add", ".norm2", ".mlp", "")
    ]
    known = [
        Node(id, at, "block", UNITS, (4, 4), ReceptiveField(), (), id) for at, id in enumerate(ids)
    ]
    assert fitting(hook, known, UNITS) == nodes
    assert fitting(hook, known, UNITS + 1) == []


def test_a_dictionary_of_circuit_tracer_names_both_places(model, tmp_path):
    tensors = {"W_enc": W, "b_enc": B, "W_dec": DECODER.T, "b_dec": BIAS}
    files.write(tmp_path, "layer_3.safetensors", tensors)
    (tmp_path / "config.yaml").write_text(
        "model_name: net\nfeature_input_hook: mlp.hook_in\nfeature_output_hook: 'hook_mlp_out'\n"
    )
    said = ReadFile(tmp_path, {}).description
    assert (said.hooks.reads, said.hooks.writes, said.hooks.model) == (
        "blocks.3.mlp.hook_in",
        "blocks.3.hook_mlp_out",
        "net",
    )
    assert torch.equal(said.decoder, DECODER)
    model.attach("act", tmp_path, writes="mix")
    assert json.dumps(model.attached("act.sae").dictionary.about())


def test_one_trained_from_the_input_of_a_module_to_its_output_is_a_transcoder(tmp_path):
    tensors = files.LAYERS | {"decoder.bias": files.C}
    folder = files.dl(tmp_path, "AutoEncoderNew", tensors)
    config = json.loads((folder / "config.json").read_text())
    for io, transcodes, noted in (("in_and_out", True, 0), ("in", False, 1), ("out", False, 0)):
        (folder / "config.json").write_text(json.dumps(config | {"buffer": {"io": io}}))
        said = ReadFile(folder, {}).description
        assert (said.transcodes, len(said.notes)) == (transcodes, noted)
