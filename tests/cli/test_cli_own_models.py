"""Commands on a network in a file of the user's."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from micrograph.atlas import Atlas

NET = '''"""Two convolutions."""
from torch import nn

PREPROCESSING = "48,-1..1"
LABELS = ["day", "night"]


def build():
    return nn.Sequential(nn.Conv2d(3, 6, 3, 2), nn.ReLU(), nn.Conv2d(6, 4, 3, 2), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
'''
QUICK = ("--steps", "2", "--size", "32", "--units", "0", "--device", "cpu", "--atlas", "atlas")


@pytest.fixture(autouse=True)
def net(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3),
        nn.ReLU(),
        nn.Conv2d(6, 4, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )
    save_file(net.state_dict(), tmp_path / "w.safetensors")
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


def test_render_then_by_id_then_info_and_look(run, net, start, monkeypatch):
    spec = ("net.py:build", "--weights", "w.safetensors", "--id", "mine")
    status, out, _ = run("render", *spec, "-n", "3", *QUICK)
    assert (status, out.split(" in ")[0]) == (0, "1 result")
    status, out, err = run("render", "mine", "-n", "1", "--no-input-check", *QUICK)
    assert (status, out.split(" in ")[0]) == (0, "1 result"), err
    with Atlas.open(Path("atlas/mine.atlas")) as atlas:
        assert atlas.model.labels == ("day", "night")
        assert "weights from w.safetensors" in atlas.model.lineage
        assert atlas.model.source == "net.py:build --id mine --weights w.safetensors"
        digest = atlas.model.digest
    facts = json.loads(run("info", "mine/3/0", "--atlas", "atlas", "--json").out)
    assert len(facts["visualizations"]) == 1

    process = start("look", "mine", "--digest", digest)
    assert json.loads(process.stdout.readline()) == {"answer": "ready"}


def test_info_tells_nodes_digest_and_what_it_finds_of_the_input(run):
    facts = json.loads(run("info", "net.py:build", "--weights", "w.safetensors", "--json").out)
    assert facts["address"] == "net"
    assert len(facts["model"]["digest"]) == 64
    assert [n["id"] for n in facts["nodes"]][:2] == ["0", "1"]
    assert facts["model"]["size"] == 48
    status, out, err = run("info", "net.py:build")
    assert (status, "digest" in out) == (0, True)
    assert "net.py:build gives a network with random weights" in err


def test_info_tells_which_modules_have_no_node(run):
    Path("odd.py").write_text(
        "import torch\nfrom torch import nn\nPREPROCESSING = '32,0..1'\n"
        "class Odd(nn.Module):\n"
        "    def forward(self, x): return torch.fft.rfft(x, dim=2).real.contiguous()\n"
        "build = lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.Flatten(2), Odd(), nn.Flatten())\n"
    )
    spec = ("odd.py:build", "--weights", "random")
    status, out, err = run("info", *spec)
    assert status == 0, err
    assert out.rstrip().splitlines()[-1].startswith("1 of 4 modules have no node: 2 (lost at ")
    assert json.loads(run("info", *spec, "--json").out)["model"]["coverage"]["without_node"] == [
        "2"
    ]
    _, out, _ = run("render", *spec, "-n", "0", "--no-input-check", *QUICK)
    assert "1 of 4 modules have no node: 2 (lost at " in out
    told = json.loads(run("info", "odd", "--atlas", "atlas", "--json").out)["model"]["coverage"]
    assert told["without_node"] == ["2"]
    whole = json.loads(run("info", "net.py:build", "--weights", "random", "--json").out)
    assert whole["model"]["coverage"] is None


def test_the_input_check_warns_and_can_be_silenced(run):
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 6, 3, 2), nn.BatchNorm2d(6), nn.ReLU())
    body[1].running_mean.fill_(500.0)
    torch.save(body.state_dict(), "bn.pth")
    Path("bn.py").write_text(
        "from torch import nn\nPREPROCESSING = '48'\n"
        "build = lambda: nn.Sequential(nn.Conv2d(3, 6, 3, 2), nn.BatchNorm2d(6), nn.ReLU())\n"
    )
    args = ("bn.py:build", "--weights", "bn.pth", "-n", "2", *QUICK)
    status, _, err = run("render", *args)
    assert status == 0
    (line,) = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert "what reaches its first batch norm is unlike what it was trained on" in line
    assert "--input" in line
    assert "warning" not in run("render", *args, "--no-input-check").err
    assert "warning" not in run("render", "bn", *args[3:]).err
    status, out, err = run("weights", "verify", "bn.py:build", "bn.pth")
    assert (status, "digest" in out, err.count("warning: ")) == (0, True, 1)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("nit.py:build",), "there is no file 'nit.py'"),
        (("net.py",), "names no function; expected FILE.py:FUNCTION"),
        (("net.py:build",), "gives a network with random weights"),
        (("net.py:build", "--weights", "net.py"), "net.py"),
        (("net.py:build", "--weights", "random", "--input", "frog"), "'frog' in --input"),
        (("net.py:build", "--weights", "random", "--id", "a/b"), "cannot be part of an address"),
        (("net.py:build", "--weights", "random", "--id", "toytown"), "is registered; choose"),
        (("net.py:build,deep=1", "--weights", "random"), "cannot be called so"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(refused, args, message, new_user):
    assert message in refused("render", *args, *QUICK)
    assert not Path("atlas").exists()
    assert not new_user.exists()


def test_an_untrained_network_of_ours_beside_the_trained_one(run):
    rest = ("-n", "conv0", *QUICK)
    assert run("render", "TOYTOWN", "--weights", "random", "--id", "blank", *rest).status == 0
    assert "1 were there already" in run("render", "blank", *rest).out
    assert run("render", "toytown", *rest).status == 0
    assert {path.name for path in Path("atlas").glob("*.atlas")} == {
        "blank.atlas",
        "toytown.atlas",
    }


def test_sweep_takes_own_networks_too(run):
    spec = ("net.py:build", "--weights", "w.safetensors")
    status, out, err = run("sweep", *spec, "--dataset", "toytown:12", "--out", "part", "-n", "1")
    assert (status, "shard 1/1 is in part" in out) == (0, True), err
    assert run("sweep", "--merge", "part", "--atlas", "atlas").status == 0
    with Atlas.open(Path("atlas/net.atlas")) as atlas:
        assert [c.technique for c in atlas.counts()] == ["dataset_examples"]
