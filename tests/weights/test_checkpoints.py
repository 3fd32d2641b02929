"""Training checkpoints: the one set of tensors that fits is found, objects beside it are only data."""

import argparse
import collections
import datetime
import enum
import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from micrograph import load
from micrograph.errors import NotFound
from micrograph.weights.formats import WeightsError

NET = """import warnings
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm

PREPROCESSING = "16,0..1"

def build():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())

def normed():
    return nn.Sequential(parametrizations.weight_norm(nn.Conv2d(3, 4, 3)),
                         parametrizations.spectral_norm(nn.Conv2d(4, 4, 3)))

def normed_before():
    with warnings.catch_warnings(action="ignore"):
        return nn.Sequential(weight_norm(nn.Conv2d(3, 4, 3)), spectral_norm(nn.Conv2d(4, 4, 3)))

class Counting(nn.Sequential):
    def get_extra_state(self):
        return {"steps": 1}

    def set_extra_state(self, state):
        pass

def counting():
    return Counting(nn.Conv2d(3, 4, 3))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MICROGRAPH_WEIGHTS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


def network() -> nn.Module:
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    net(torch.rand(2, 3, 8, 8))
    return net.eval()


STATE = {name: tensor.clone() for name, tensor in network().state_dict().items()}
OTHER = {n: t * 2 if t.is_floating_point() else t for n, t in STATE.items()}


def named(prefix: str, state: dict[str, torch.Tensor] = STATE) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


class Kind(enum.Enum):
    A = 1


class Settings(dict):
    """As libraries of configurations have them."""


def settings() -> Settings:
    made = Settings(lr=0.1)
    made.itself = made
    return made


def optimizer() -> dict[str, object]:
    net = network()
    adam = torch.optim.Adam(net.parameters())
    net(torch.rand(1, 3, 8, 8)).sum().backward()
    adam.step()
    return adam.state_dict()


FOUND = {
    "model": {"model": STATE, "optimizer": optimizer(), "epoch": 1},
    "net": {"net": STATE, "acc": 91.2},
    "params": {"params": STATE},
    "model_state_dict": {"model_state_dict": STATE, "optimizer_state_dict": optimizer()},
    "Namespace": {"state_dict": STATE, "args": argparse.Namespace(lr=0.1)},
    "NumPy numbers": {"state_dict": STATE, "best": np.float64(0.7), "ok": np.bool_(True)},
    "objects": {
        "model": STATE,
        "kind": Kind.A,
        "cfg": settings(),
        "path": Path("x"),
        "day": datetime.date(2020, 1, 1),
        "steps": collections.Counter({30: 1, 0.5: 2, (1, "a"): 3, None: 4}),
        "sets": [{1, 2}, frozenset("a")],
        "random": [np.random.RandomState(0).get_state(), torch.get_rng_state()],
        "type": int,
        "dtype": torch.float16,
        "texts": np.array(["a", "b"]),
    },
    "default dict": collections.defaultdict(list, model=STATE),
    "module.": named("module."),
    "_orig_mod.": {"model": named("_orig_mod.module.")},
    "compiled inside": {name.replace(".", "._orig_mod.", 1): t for name, t in STATE.items()},
    "backbone.": {"state_dict": named("backbone.") | {"head.weight": torch.ones(3)}},
    "encoder.": named("encoder.") | {"decoder.weight": torch.ones(3)},
    "averaged": torch.optim.swa_utils.AveragedModel(network()).state_dict(),
    "a whole module": network(),
    "a module in a dict": {"model": nn.DataParallel(network()), "ema": None},
    "arrays": {"model": {name: tensor.numpy() for name, tensor in STATE.items()}, "by": "x"},
    "parts": {
        place: {n[2:]: t for n, t in STATE.items() if n.startswith(place)} for place in ("0", "1")
    },
    "another shape beside it": {"a": {n: t[:1] if t.ndim else t for n, t in STATE.items()}, "b": STATE},
    "half": {"model": {n: t.half() if t.is_floating_point() else t for n, t in STATE.items()}},
}


@pytest.mark.parametrize("written", ["archive", "before 1.6"])
@pytest.mark.parametrize("name", FOUND)
def test_the_one_set_that_fits_is_found(name, written):
    torch.save(FOUND[name], "c.pth", _use_new_zipfile_serialization=written == "archive")
    found = load("net.py:build", weights="c.pth").module.state_dict()
    for tensor_name, tensor in STATE.items():
        torch.testing.assert_close(
            found[tensor_name], tensor, rtol=1e-3 if name == "half" else 0, atol=0
        )


def test_a_pickle_of_arrays():
    Path("c.pkl").write_bytes(pickle.dumps(FOUND["arrays"]))
    assert load("net.py:build", weights="c.pkl").module[0].weight.equal(STATE["0.weight"])


PLACES = {
    "model": {"model": STATE, "epoch": 1},
    "state_dict.backbone": {"state_dict": named("backbone.") | {"head.weight": torch.ones(3)}},
    "module": named("module."),
    "": STATE,
}


@pytest.mark.parametrize("place", PLACES)
def test_the_choice_is_told_where_the_weights_come_from(place):
    torch.save(PLACES[place], "c.pth")
    lineage = load("net.py:build", weights="c.pth").card.lineage
    assert lineage.endswith(f"weights from c.pth, those under {place!r}" if place else "from c.pth")


SEVERAL = {
    "an average beside it": (
        {"state_dict": STATE, "state_dict_ema": OTHER},
        ("state_dict", "state_dict_ema"),
    ),
    "student and teacher": ({"student": STATE, "teacher": STATE}, ("student", "teacher")),
    "two networks in one dict": (
        named("module.encoder_q.") | named("module.encoder_k.", OTHER),
        ("module.encoder_q", "module.encoder_k"),
    ),
    "an average among the names": (STATE | named("ema.", OTHER), (".", "ema")),
    "a prefix in each": (
        {"student": named("backbone."), "teacher": named("backbone.", OTHER)},
        ("student.backbone", "teacher.backbone"),
    ),
    "a list": ([STATE, OTHER], ("0", "1")),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_that_fit_are_named_and_one_is_chosen_by_its_name(name, tmp_path):
    content, (first, second) = SEVERAL[name]
    torch.save(content, "c.pth")
    with pytest.raises(WeightsError, match="2 sets of tensors that fit") as caught:
        load("net.py:build", weights="c.pth")
    assert repr(first) in str(caught.value)
    assert repr(second) in str(caught.value)
    assert "c.pth#" in str(caught.value)
    one, two = (load("net.py:build", weights=f"c.pth#{key}") for key in (first, second))
    assert one.module[0].weight.equal(STATE["0.weight"])
    if name != "student and teacher":
        assert two.module[0].weight.equal(OTHER["0.weight"])
    assert load("net.py:build", weights=tmp_path / f"c.pth#{second}").digest == two.digest
    with pytest.raises(NotFound, match=r"unknown set of tensors 'nobody' in c.pth"):
        load("net.py:build", weights="c.pth#nobody")


def test_a_file_whose_name_has_the_mark_is_that_file():
    torch.save(STATE, "run#3.pth")
    assert load("net.py:build", weights="run#3.pth").module[0].weight.equal(STATE["0.weight"])


@pytest.mark.parametrize("ours", ["normed", "normed_before"])
def test_weights_made_of_others_in_both_spellings(ours):
    theirs = "normed_before" if ours == "normed" else "normed"
    names: dict[str, object] = {}
    exec(NET, names)
    with warnings.catch_warnings(action="ignore"):
        net = names[theirs]().eval()  # type: ignore[operator]
    torch.save({"state_dict": named("module.", net.state_dict())}, "c.pth")
    model = load(f"net.py:{ours}", weights="c.pth")
    pictures = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(model.module(pictures), net(pictures))


class Evil:
    def __reduce__(self) -> object:
        return os.mkdir, ("made",)


@pytest.mark.parametrize("written", ["archive", "before 1.6", "pickle"])
def test_nothing_beside_the_tensors_is_run(written):
    content = {"model": STATE, "callback": Evil()}
    if written == "pickle":
        arrays = {name: tensor.numpy() for name, tensor in STATE.items()}
        Path("c.pth").write_bytes(pickle.dumps(content | {"model": arrays}))
    else:
        torch.save(content, "c.pth", _use_new_zipfile_serialization=written == "archive")
    assert load("net.py:build", weights="c.pth").module[0].weight.equal(STATE["0.weight"])
    assert not Path("made").exists()


def test_state_that_is_no_tensor_is_said_not_to_be_taken():
    state = {name: tensor for name, tensor in STATE.items() if name.startswith("0.")}
    torch.save(state | {"_extra_state": {"steps": 5}}, "c.pth")
    lineage = load("net.py:counting", weights="c.pth").card.lineage
    assert lineage.endswith("(what the network keeps besides tensors is as it was made)")


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("written", ["archive", "before 1.6"])
def test_a_file_that_ends_too_soon_is_refused(written, cut):
    content = {"model": STATE, "args": argparse.Namespace(lr=1)}
    torch.save(content, "c.pth", _use_new_zipfile_serialization=written == "archive")
    data = Path("c.pth").read_bytes()
    Path("c.pth").write_bytes(data[: int(cut * len(data))])
    with pytest.raises(WeightsError) as caught:
        load("net.py:build", weights="c.pth")
    assert "\n" not in str(caught.value)
