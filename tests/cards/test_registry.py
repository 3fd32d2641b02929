"""Which models are known, also those of other packages."""

import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from micrograph.cards import card, registry
from micrograph.errors import BadInput, NotFound
from micrograph.models import cards, register

OURS = ("inceptionv1_caffe", "squeezenet1_1", "toytown", "toytown_clip")
FOREIGN = replace(cards()["squeezenet1_1"], id="foreign")


def a_card():
    return replace(FOREIGN, id="made")


def broken():
    raise RuntimeError("third party")


@pytest.fixture
def fresh(monkeypatch):
    """The registry as at the start of a process."""
    monkeypatch.setattr(registry, "_cards", {})
    monkeypatch.setattr(registry, "_scanned", False)


def test_our_models_are_there():
    assert set(OURS) <= set(cards())
    assert list(cards()) == sorted(cards())
    assert card("SqueezeNet1_1").id == "squeezenet1_1"


def test_unknown_models_are_named_with_the_nearest():
    with pytest.raises(NotFound, match="unknown model 'squeezenet'; did you mean 'squeezenet1_1'"):
        card("squeezenet")


def test_a_model_is_registered_once(fresh):
    assert register(FOREIGN) is register(FOREIGN)
    assert card("foreign") is FOREIGN
    with pytest.raises(BadInput, match="'foreign' is registered already"):
        register(replace(FOREIGN, title="another"))


@pytest.mark.parametrize("name", ["", "a/b", "a b", ".hidden"])
def test_ids_must_fit_addresses(fresh, name):
    with pytest.raises(BadInput):
        register(replace(FOREIGN, id=name))


def test_entry_points_join_and_broken_ones_only_warn(fresh, monkeypatch):
    here = "test_registry"
    points = EntryPoints(
        EntryPoint(name, f"{here}:{attribute}", registry.ENTRY_POINTS)
        for name, attribute in [
            ("foreign", "FOREIGN"),
            ("bad", "broken"),
            ("made", "a_card"),
            ("absent", "nothing"),
        ]
    )
    monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))
    with pytest.warns(UserWarning, match="is left out") as caught:
        found = cards()
    assert {"foreign", "made", *OURS} <= set(found)
    assert not {"bad", "absent"} & set(found)
    texts = sorted(str(w.message) for w in caught)
    assert len(texts) == 2
    assert "'absent'" in texts[0]
    assert "RuntimeError: third party" in texts[1]


@pytest.mark.parametrize("build", ["build", "Function('their_nets:build')"])
def test_an_installed_package_brings_a_model(tmp_path, build):
    """A package as pip leaves it: a module, and metadata that name its entry point. Its card has
    the function that builds the network, or names it."""
    (tmp_path / "their_nets.py").write_text(
        "from micrograph.cards import Function, ModelCard\n"
        "from micrograph.cards.preprocessing import Preprocessing\n"
        "def build():\n"
        "    from torch import nn\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())\n"
        f"CARD = ModelCard(id='their_net', title='Theirs', summary='', build={build},\n"
        "                 preprocessing=Preprocessing(size=16, resize=16))\n"
    )
    info = tmp_path / "their_nets-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-nets\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[micrograph.models]\ntheirs = their_nets:CARD\n")
    code = (
        "import micrograph; m = micrograph.load('their_net', weights='random'); "
        "print(m.id, *m.nodes)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "their_net 0 1\n", done.stderr


def test_the_registry_needs_no_torch():
    code = "import sys, micrograph.models as m; m.cards(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
