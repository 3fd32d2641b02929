"""`models` and `weights`."""

import json
import os
import re

import numpy as np
import pytest
import rich.console

from micrograph.cards import card, registry
from micrograph.weights.building import build
from micrograph.weights.formats import digest_of, read_safetensors, write_safetensors
from micrograph.weights.tensors import to_raw


@pytest.fixture
def weights_file(tmp_path, monkeypatch):
    """A stand-in for SqueezeNet's weights: the card is made to expect exactly these."""
    from dataclasses import replace

    squeezenet = card("squeezenet1_1")
    state = {squeezenet.tensor_name(n): t for n, t in build(squeezenet).state_dict().items()}
    raw = {name: to_raw(tensor) for name, tensor in state.items()}
    changed = replace(squeezenet, digest=digest_of(raw))
    monkeypatch.setitem(registry._cards, squeezenet.id, changed)
    path = tmp_path / "given.npz"
    np.savez(path, **{name: tensor.numpy() for name, tensor in state.items()})
    return path


def test_models_as_a_table(run):
    status, out, err = run("models")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["model", "parameters", "input", "weights", "title"]
    rows = {line.split()[0]: line for line in lines[1:] if line.strip()}
    assert "missing" in rows["inceptionv1_caffe"]
    assert "ready" in rows["toytown"]
    assert "weights status alexnet" in lines[-1]


def test_models_as_json(run):
    found = {m["id"]: m for m in json.loads(run("models", "--json").out)}
    assert found["toytown"]["weights"].endswith("weights.safetensors")
    assert found["inceptionv1_caffe"]["weights"] is None
    assert found["inceptionv1_caffe"]["parameters"] == 6_998_552
    assert found["inceptionv1_caffe"]["digest"] == card("inceptionv1_caffe").digest


@pytest.mark.parametrize("width", [20, 40, 100])
def test_narrow_terminals_lose_nothing(run, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(rich.console.Console, "is_terminal", True)
    monkeypatch.setenv("NO_COLOR", "1")
    out = run("models").out
    for text in ("inceptionv1_caffe", "InceptionV1 (Caffe)", "7.0 M", "missing", "ready"):
        assert text in out
    assert "\x1b[3" not in out  # no colour


def test_status_says_where_to_put_what_is_missing(run, new_user):
    out = run("weights", "status", "SqueezeNet1_1").out
    for text in (
        "weights   missing",
        "weights import squeezenet1_1 'its file'",
        str(new_user / "weights"),
        "https://github.com/webmachinelearning/test-data",
        card("squeezenet1_1").digest,
    ):
        assert text in out
    rows = dict(line.split(None, 1) for line in run("weights", "status").out.splitlines())
    assert rows["squeezenet1_1"].startswith("missing")
    assert rows["toytown"].endswith("weights.safetensors")
    (found,) = json.loads(run("weights", "status", "squeezenet1_1", "--json").out)
    assert found["path"] is None
    assert found["import_path"] == str(new_user / "weights" / "squeezenet1_1.safetensors")


def test_import_then_status_and_verify(run, new_user, weights_file):
    kept = new_user / "weights" / "squeezenet1_1.safetensors"
    status, out, _ = run("weights", "import", "squeezenet1_1", weights_file)
    assert (status, out.splitlines()[0]) == (0, f"squeezenet1_1: read from npz and kept as {kept}")
    assert f"digest {card('squeezenet1_1').digest} (as it should be)" in out
    assert str(kept) in run("weights", "status", "squeezenet1_1").out
    status, out, _ = run("weights", "verify", "squeezenet1_1")
    assert status == 0
    assert "52 tensors" in out
    assert digest_of(read_safetensors(kept)) in out
    assert run("weights", "verify", "squeezenet1_1", kept).status == 0


def test_bundled_weights_verify(run):
    status, out, _ = run("weights", "verify", "toytown")
    assert status == 0
    assert re.search(r"tensors, digest [0-9a-f]{64} ", out)


def test_wrong_weights_are_refused(refused, new_user, weights_file, tmp_path):
    other = tmp_path / "other.safetensors"
    right = card("squeezenet1_1")
    state = build(right).state_dict()
    tensors = {right.tensor_name(n): to_raw(t + 1) for n, t in state.items()}
    write_safetensors(other, tensors, {})
    for command in ("verify", "import"):
        line = refused("weights", command, "squeezenet1_1", other)
        assert right.digest in line
        assert digest_of(tensors) in line
    other.write_bytes(other.read_bytes()[:-1])
    assert "no sound safetensors file" in refused("weights", "verify", "squeezenet1_1", other)
    assert "no sound safetensors file" in refused("weights", "import", "squeezenet1_1", other)
    assert not new_user.exists()


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("victim",)


def test_pickles_with_code_are_refused(refused, tmp_path, new_user):
    import torch

    torch.save({"x": Malicious()}, tmp_path / "evil.pt")
    line = refused("weights", "import", "squeezenet1_1", tmp_path / "evil.pt")
    assert "nothing in it was run" in line
    assert not (tmp_path / "victim").exists()
    assert not new_user.exists()


def test_other_bad_input(refused, tmp_path):
    assert "did you mean 'toytown'" in refused("weights", "status", "toytwn")
    assert "did you mean 'toytown'" in refused("weights", "import", "toytwn", "x")
    assert "no weights for squeezenet1_1 here" in refused("weights", "verify", "squeezenet1_1")
    assert "cannot read" in refused("weights", "import", "squeezenet1_1", tmp_path / "absent")
    assert "cannot read" in refused("weights", "verify", "squeezenet1_1", tmp_path)
