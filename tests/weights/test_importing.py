"""Importing weights of every form, and refusing what is not plain tensors."""

import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from micrograph.cards import registry
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, NotFound, Unavailable
from micrograph.models import ModelCard, load
from micrograph.weights.building import build
from micrograph.weights.formats import WeightsError, read_safetensors
from micrograph.weights.importing import import_weights
from micrograph.weights.readers import read_any
from micrograph.weights.tensors import module_digest, to_raw


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


@pytest.fixture
def tiny(no_weights, monkeypatch):
    """A registered model whose right weights are known: (card, state dict, where imports go)."""
    module = small()
    names = {n: f"file_{n}" for n in module.state_dict()}
    state = module.state_dict()
    digest_source = {names[n]: to_raw(t) for n, t in state.items()}
    from micrograph.weights.formats import digest_of

    card = ModelCard(
        id="tiny",
        title="Tiny",
        summary="",
        build=small,
        preprocessing=Preprocessing(size=8, resize=8),
        digest=digest_of(digest_source),
        tensor_name=names.__getitem__,
    )
    monkeypatch.setitem(registry._cards, "tiny", card)
    return card, state, no_weights / "tiny.safetensors"


def saved(form, state, path):
    arrays = {n: t.numpy() for n, t in state.items()}
    if form == "npz":
        np.savez(path, **arrays)
        return path.with_name(path.name + ".npz")
    if form == "npz packed":
        np.savez_compressed(path, **arrays)
        return path.with_name(path.name + ".npz")
    if form == "npz big endian":
        np.savez(path, **{n: a.astype(a.dtype.newbyteorder(">")) for n, a in arrays.items()})
        return path.with_name(path.name + ".npz")
    if form == "safetensors":
        from safetensors.numpy import save_file

        save_file(arrays, path)
    if form == "torch":
        torch.save(OrderedDict(state), path)
    if form == "torch before 1.6":
        torch.save(state, path, _use_new_zipfile_serialization=False)
    if form == "torch checkpoint":
        torch.save({"state_dict": state, "epoch": 3}, path)
    return path


FORMS = [
    "safetensors",
    "npz",
    "npz packed",
    "npz big endian",
    "torch",
    "torch before 1.6",
    "torch checkpoint",
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_weights(tiny, tmp_path, form):
    card, state, target = tiny
    assert import_weights("tiny", saved(form, state, tmp_path / "weights")).path == target
    model = load("tiny")
    assert model.digest == card.digest
    assert all(torch.equal(t, state[n]) for n, t in model.module.state_dict().items())
    assert sorted(read_safetensors(target)) == sorted(f"file_{n}" for n in state)
    assert list(target.parent.iterdir()) == [target]


def test_names_of_the_weights_file_are_understood_too(tiny, tmp_path):
    _, state, target = tiny
    np.savez(tmp_path / "x.npz", **{f"file_{n}": t.numpy() for n, t in state.items()})
    assert import_weights("tiny", tmp_path / "x.npz").path == target


def refused(tiny, file, message, error=WeightsError):
    _, _, target = tiny
    with pytest.raises(error) as caught:
        import_weights("tiny", file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not target.exists()


class Malicious:
    def __init__(self, victim):
        self.victim = str(victim)

    def __reduce__(self):
        return os.mkdir, (self.victim,)


FORMS_OF_CODE = ["torch", "torch before 1.6", "pickle", "new pickle", "pickle in npz"]


@pytest.mark.parametrize("form", FORMS_OF_CODE)
def test_code_in_a_file_is_refused_and_not_run(tiny, tmp_path, form):
    victim, path = tmp_path / "victim", tmp_path / "weights"
    evil = {"0.weight": Malicious(victim)}
    if form.endswith("pickle"):
        path.write_bytes(pickle.dumps(evil, protocol=4 if form.startswith("new") else 2))
    elif form == "pickle in npz":
        path = tmp_path / "x.npz"
        np.savez(path, x=np.array([Malicious(victim)], dtype=object))
    else:
        torch.save(evil, path, _use_new_zipfile_serialization=form == "torch")
    refused(tiny, path, "array" if form == "pickle in npz" else "nothing in it was run")
    assert not victim.exists()


def test_what_is_no_dict_of_tensors_is_refused(tiny, tmp_path):
    path = tmp_path / "x.pt"
    torch.save([torch.zeros(3)], path)
    refused(tiny, path, "holds a list, expected a dict of tensors")
    torch.save({"a": 3}, path)
    refused(tiny, path, "expected a dict of tensors")
    np.savez(tmp_path / "x.npz", a=np.array(["text"]))
    refused(tiny, tmp_path / "x.npz", "no archive of plain arrays")
    np.savez(tmp_path / "x.npz", a=np.array([1j]))
    refused(tiny, tmp_path / "x.npz", "cannot be stored", BadInput)


@pytest.mark.parametrize("keep", [3, 100, 700, -200, -3])
@pytest.mark.parametrize("form", ["torch", "torch before 1.6", "npz", "safetensors"])
def test_truncated_files_are_refused(tiny, tmp_path, form, keep):
    _, state, _ = tiny
    path = saved(form, state, tmp_path / "weights")
    path.write_bytes(path.read_bytes()[:keep])
    refused(tiny, path, str(path))


def test_damaged_data_in_an_archive_is_refused(tiny, tmp_path):
    _, state, _ = tiny
    path = saved("npz", state, tmp_path / "weights")
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    refused(tiny, path, "no archive of plain arrays")


def test_an_archive_that_unpacks_without_end_is_refused(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("micrograph.weights.readers.common.LARGEST", 10_000)
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, x=np.zeros(10_000))
    assert path.stat().st_size < 1000
    refused(tiny, path, "would unpack to")


def test_an_array_larger_than_memory_is_refused(tiny, tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }" % 2**45
    header = header.ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00v\x00" + header)
    refused(tiny, tmp_path / "x.npz", "no archive of plain arrays")


def test_pipes_are_refused_at_once(tiny, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refused(tiny, tmp_path / "pipe", "expected a file", Unavailable)


@pytest.mark.parametrize("form", ["npz", "torch", "torch before 1.6"])
def test_where_safetensors_are_expected_other_forms_name_the_import(tiny, tmp_path, form):
    path = saved(form, tiny[1], tmp_path / "weights")
    with pytest.raises(WeightsError, match=f"`micrograph weights import MODEL {path}`"):
        load("tiny", weights=path)


def test_foreign_files_say_what_they_lack(tiny, tmp_path):
    _, state, _ = tiny
    del state["1.running_var"]
    state["more"] = torch.zeros(1)
    path = saved("torch", state, tmp_path / "weights")
    refused(tiny, path, "lacks file_1.running_var (1) and also holds more (1)")


def test_wrong_shapes_and_values_are_refused(tiny, tmp_path):
    card, state, _ = tiny
    other = saved("torch", small().state_dict(), tmp_path / "other")
    refused(tiny, other, card.digest)
    state["1.bias"] = torch.zeros(5)
    path = saved("torch", state, tmp_path / "weights")
    refused(tiny, path, "file_1.bias has shape [5], expected [4]")


def test_other_refusals(tiny, tmp_path):
    refused(tiny, tmp_path / "absent", "cannot read", Unavailable)
    with pytest.raises(NotFound, match="did you mean 'tiny'"):
        import_weights("tinny", tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(tiny, tmp_path / "a.zip", "the archive should hold one file of weights")


def test_no_permission_leaves_nothing(tiny, tmp_path):
    _, state, target = tiny
    target.parent.parent.mkdir()
    target.parent.write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="cannot write"):
        import_weights("tiny", saved("torch", state, tmp_path / "weights"))
    assert target.parent.read_text() == "a file where the folder should be"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_tensors_keep_their_bits(tmp_path, dtype):
    x = torch.randn(3, 5).to(dtype).T  # not contiguous
    torch.save({"x": x}, tmp_path / "x.pt")
    assert torch.equal(read_any(tmp_path / "x.pt")[1]["x"], x)


def test_building_leaves_the_random_state(tiny):
    card, _, _ = tiny
    before = torch.random.get_rng_state()
    assert module_digest(build(card)) != ""
    assert torch.equal(torch.random.get_rng_state(), before)


def test_unusable_devices_are_named(tiny, tmp_path):
    import_weights("tiny", saved("torch", tiny[1], tmp_path / "weights"))
    for device in ("cuda:77", "nonsense", "meta"):
        with pytest.raises(BadInput, match=f"device '{device}' cannot be used here"):
            load("tiny", device=device)
