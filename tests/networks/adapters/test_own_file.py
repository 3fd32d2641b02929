"""A network in a Python file of the user's."""

import os
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from micrograph import load
from micrograph.cards import card, remembered
from micrograph.cards.remembered import OwnModel
from micrograph.errors import BadInput, NotFound, Unavailable
from micrograph.weights.formats import WeightsError

NET = '''"""A network
of two convolutions."""
import torch
from torch import nn

PREPROCESSING = dict(size=24, resize=28, mean=(0.5,) * 3, std=(0.25,) * 3)
LABELS = ["day", "night"]
SEEN = []


def build(width=6):
    import beside_net  # a file beside this one
    SEEN.append(width)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 2))


def trained():
    net = build()
    net.load_state_dict(torch.load(__file__.replace("net.py", "net.pth")))
    return net


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
    def forward(self, x):
        return self.conv(x)


there = nn.Conv2d(3, 5, 3)


def said(): return nn.Conv2d(3, 5, 3)
said.preprocessing = "16,imagenet"


def new_head():
    torch_state = torch.get_rng_state()
    torch.manual_seed(5)
    body = nn.Conv2d(3, 64, 3)
    torch.set_rng_state(torch_state)
    return nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 2))


def needs(path): return None
def fails(): raise ValueError("no weights\\nhere")
def leaves(): raise SystemExit(3)
def number(): return 3
def double(): return build().double()
def wrong_input(): return nn.Sequential(nn.Flatten(), nn.Linear(7, 2))
def grey(): return nn.Conv2d(1, 4, 3)
def no_nodes(): return nn.Identity()
three = 3
'''


@pytest.fixture(autouse=True)
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with net.py, which is the working directory of a new user."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MICROGRAPH_WEIGHTS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside_net.py").write_text("")
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


def state(width: int = 6) -> dict[str, torch.Tensor]:
    net = nn.Sequential(
        nn.Conv2d(3, width, 3),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, 2),
    )
    return net.state_dict()


def test_the_file_says_all_and_a_weights_file_fills_it(net):
    given = state()
    save_file(given, "w.safetensors")
    path_before = list(sys.path)
    model = load("net.py:build", weights="w.safetensors")
    assert sys.path == path_before
    assert model.id == "net"
    assert model.card.summary == "A network of two convolutions."
    assert model.labels == ("day", "night")
    assert (model.preprocessing.size, model.preprocessing.std) == (24, (0.25,) * 3)
    assert model.card.sources[0].title == "net.py:build --weights w.safetensors"
    assert model.card.parameters == sum(p.numel() for p in model.module.parameters())
    for name, tensor in model.module.state_dict().items():
        assert tensor.equal(given[name]), name
    pictures = torch.rand(2, 3, 24, 24)
    with torch.no_grad():
        got = model.run(pictures, ["2"])["2"]
        body = model.module[:3]
        torch.testing.assert_close(got, body((pictures - 0.5) / 0.25))


@pytest.mark.parametrize("form", ["pth", "wrapped", "prefixed", "half", "without-counts", "npz"])
def test_weights_of_any_form_and_with_anything_in_front(form):
    given = state()
    if form == "npz":
        import numpy as np

        np.savez("w.npz", **{name: tensor.numpy() for name, tensor in given.items()})
    else:
        saved = {
            "pth": given,
            "wrapped": {"state_dict": given, "epoch": 3},
            "prefixed": {f"module.net.{n}": t for n, t in given.items()} | {"step": torch.ones(1)},
            "half": {n: t.half() if t.is_floating_point() else t for n, t in given.items()},
            "without-counts": {n: t for n, t in given.items() if "num_batches" not in n},
        }[form]
        torch.save(saved, "w.npz")
    found = load("net.py:build", weights="w.npz").module.state_dict()
    for name, tensor in given.items():
        kept = tensor.half().float() if form == "half" and tensor.is_floating_point() else tensor
        assert found[name].equal(kept), name
        assert found[name].dtype == tensor.dtype


def test_wrong_weights_are_refused():
    save_file(state(5), "other.safetensors")
    with pytest.raises(WeightsError, match=r"0.weight has shape \[5, 3, 3, 3\], expected \[6"):
        load("net.py:build", weights="other.safetensors")
    save_file({"stem.kernel": torch.ones(1), "x": torch.ones(1)}, "foreign.safetensors")
    with pytest.raises(WeightsError, match=r"none of its 2 tensors is named as.*instead of 0\.w"):
        load("net.py:build", weights="foreign.safetensors")
    more = state() | {"extra.weight": torch.ones(2)}
    save_file(more, "more.safetensors")
    with pytest.raises(WeightsError, match=r"also holds extra.weight"):
        load("net.py:build", weights="more.safetensors")
    with pytest.raises(Unavailable, match="cannot read nothing"):
        load("net.py:build", weights="nothing.safetensors")


def test_options_classes_and_modules():
    assert load("net.py:build,width=9", weights="random").nodes["0"].units == 9
    assert load("net.py:Net", weights="random", preprocessing="16,0..1").nodes["conv"].units == 4
    assert load("net.py:said", weights="random").preprocessing.size == 16
    named = load("net.py:there", id="mine", preprocessing="16,0..1")  # made once, so not random
    assert (named.id, next(iter(named.nodes.values())).units) == ("mine", 5)
    assert named.card.spec == "net.py:there --input 16,0..1 --id mine"


def test_other_precisions_become_float32():
    model = load("net.py:double", weights="random")
    assert {p.dtype for p in model.module.parameters()} == {torch.float32}
    assert model.run(torch.rand(1, 3, 24, 24), ["5"])["5"].dtype == torch.float32


def test_random_weights_are_the_same_every_time_and_meant():
    state_before = torch.get_rng_state()
    one, two = (load("net.py:build", weights="random") for _ in range(2))
    assert torch.get_rng_state().equal(state_before)
    assert one.digest == two.digest
    assert one.labels == ()
    assert one.card.lineage.endswith("random weights")
    with pytest.raises(Unavailable, match=r"gives a network with random weights.*-weights random"):
        load("net.py:build")


def test_a_function_that_loads_its_own_weights_needs_no_file(net):
    torch.save(state(), "net.pth")
    model = load("net.py:trained")
    assert model.module[0].weight.equal(state_of("net.pth")["0.weight"])
    assert model.labels == ("day", "night")
    with pytest.warns(UserWarning, match=r"new_head gives 2 tensors at random: 3.weight, 3.bias"):
        load("net.py:new_head")


def state_of(path: str) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)


BAD = {
    "gone.py:build": (NotFound, "there is no file 'gone.py'"),
    "net.py:bild": (NotFound, r"unknown function 'bild' in net.py; did you mean 'build'"),
    "net.py:needs": (BadInput, r"net.py:needs cannot be called so \(missing.*'path'\)"),
    "net.py:build,deep=3": (BadInput, r"cannot be called so \(got an unexpected.*'deep'\)"),
    "net.py:fails": (BadInput, r"net.py, line \d+: fails\(\) failed: ValueError: no weights$"),
    "net.py:leaves": (BadInput, r"leaves\(\) failed: SystemExit: 3"),
    "net.py:number": (BadInput, "gave something of type int, expected a torch.nn.Module"),
    "net.py:three": (BadInput, "is something of type int, expected a function"),
    "net.py:wrong_input": (BadInput, r"net cannot run on pictures \[1, 3, 24, 24\]"),
    "net.py:no_nodes": (BadInput, "no nodes|no node"),
    "broken.py:build": (BadInput, r"broken.py, line 2: SyntaxError"),
    "raises.py:build": (BadInput, r"raises.py, line 1: it failed: ZeroDivisionError"),
    "import.py:build": (BadInput, r"import.py, line 1: it failed: ModuleNotFoundError"),
    "silent.py:build": (BadInput, r"silent.py:build' takes as input cannot be known.*PREPROCESS"),
    "labels.py:build": (BadInput, r"LABELS in labels.py: expected a list of names"),
    "toytown.py:build": (BadInput, r"called 'toytown' is registered; choose another with --id"),
}


@pytest.mark.parametrize("spec", BAD)
def test_what_goes_wrong_is_one_line(spec, net):
    body = "\nfrom torch import nn\ndef build(): return nn.Conv2d(3, 4, 3)\n"
    Path("broken.py").write_text("x = 1\ndef (")
    Path("raises.py").write_text("1 / 0")
    Path("import.py").write_text("import no_such_package_at_all")
    Path("silent.py").write_text(body)
    Path("labels.py").write_text(f"PREPROCESSING = '16'\nLABELS = [1, 2]{body}")
    Path("toytown.py").write_text(f"PREPROCESSING = '16'{body}")
    kind, message = BAD[spec]
    with pytest.raises(kind, match=message) as caught:
        load(spec, weights="random")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_grey_network_must_say_so():
    with pytest.raises(BadInput, match=r"to have 1 channels, but got 3"):
        load("net.py:grey", weights="random")


def test_what_was_brought_goes_on_under_its_id(net, monkeypatch):
    save_file(state(), "w.safetensors")
    spec = os.path.abspath("net.py") + ":build"
    remembered.remember(OwnModel("Mine", spec, os.path.abspath("w.safetensors"), "32,-1..1"))
    digest = load("net.py:build", weights="w.safetensors").digest
    monkeypatch.chdir("/")
    model = load("mine")
    assert (model.id, model.digest, model.preprocessing.size) == ("Mine", digest, 32)
    assert remembered.ids() == ["Mine"]
    net.unlink()
    with pytest.raises(NotFound, match="there is no file"):
        card("mine")
    (remembered.folder() / "Mine.json").write_text("[1")
    with pytest.raises(NotFound, match="unknown model 'mine'; did you mean 'Mine'"):
        card("mine")


def test_an_untrained_model_of_ours_under_an_id_of_its_own():
    model = load("toytown", weights="random", id="toytown-random")
    assert model.id == "toytown-random"
    assert model.digest != card("toytown").digest
    remembered.remember(OwnModel("toytown-random", "toytown", "random"))
    assert load("toytown-random").digest == model.digest
    with pytest.raises(BadInput, match="is registered; choose another"):
        load("toytown", weights="random", id="squeezenet1_1")
    with pytest.raises(BadInput, match="cannot be part of an address"):
        load("toytown", id="a/b")
