"""Adapters: ours by their names, and those of other packages through an entry point."""

import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from torch import nn

from micrograph.cards import adapters
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import Unavailable
from micrograph.models.model import Model

ADAPTER = '''
"""Networks of a library that knows two: `small:tiny` and `small:wide`."""

from torch import nn

from micrograph.cards.inputs import chosen_input
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing


class Small(nn.Sequential):
    side = 24


def build(width):
    return Small(nn.Conv2d(3, width, 3), nn.ReLU())


def card(spec, given):
    width = {"tiny": 4, "wide": 9}[spec.name] * spec.options.get("times", 1)
    return ModelCard(
        id=spec.id,
        title=spec.name,
        summary="",
        build=lambda: build(width),
        pretrained=lambda: build(width),
        preprocessing=chosen_input(given, Preprocessing(24, 24), spec.text),
    )


def of_module(module):
    return Preprocessing(module.side, 32) if isinstance(module, Small) else None
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package as pip leaves it: a module, and metadata that name its entry point."""
    (tmp_path / "small_nets.py").write_text(ADAPTER)
    info = tmp_path / "small_nets-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: small-nets\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[micrograph.adapters]\nsmall = small_nets\n")
    return tmp_path


def run(package: Path, code: str, *arguments: str) -> str:
    """What a process that has the package says."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(package), os.environ.get("PYTHONPATH", ""))),
            "XDG_DATA_HOME": str(package / "data"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installed_package_brings_a_library(package):
    code = (
        "import micrograph\n"
        "m = micrograph.load('small:wide,times=2')\n"
        "print(m.id, m.preprocessing.size, [n.units for n in m.nodes.values()])\n"
        "m = micrograph.load('small:tiny', preprocessing='40', id='mine', weights='random')\n"
        "print(m.id, m.preprocessing.size, [n.units for n in m.nodes.values()])\n"
    )
    assert run(package, code) == "small-wide 24 [18, 18]\nmine 40 [4, 4]\n"


def test_it_tells_what_its_modules_take(package):
    code = (
        "import micrograph, small_nets\n"
        "m = micrograph.Model.of(small_nets.build(5), id='net')\n"
        "print(m.preprocessing.size, m.preprocessing.resize)\n"
    )
    assert run(package, code) == "24 32\n"


def test_the_command_takes_it_too(package):
    code = "from micrograph.cli import run; run()"
    told = run(package, code, "info", "small:tiny", "--no-input-check")
    assert told.startswith("small-tiny\n")


@pytest.fixture
def theirs(monkeypatch):
    """Stands in for the entry points that are installed."""

    def put(**found: str) -> None:
        entries = {n: EntryPoint(n, value, adapters.ENTRY_POINTS) for n, value in found.items()}
        monkeypatch.setattr(adapters, "_foreign_adapters", lambda: entries)

    return put


def test_without_the_package_its_word_is_none(theirs):
    assert adapters.parse("small:tiny") is None
    theirs(small="small_nets")
    assert adapters.parse("small:tiny") == adapters.ModelSpec("small:tiny", "small", "tiny")


def test_one_that_cannot_be_imported_is_told(theirs):
    theirs(broken="no_such_module:ADAPTER")
    spec = adapters.parse("broken:net")
    assert spec is not None
    with pytest.raises(Unavailable, match="'broken' of entry point 'no_such_module:ADAPTER'"):
        adapters.card_of(spec)
    with pytest.warns(UserWarning, match="'broken' of entry point"):
        assert adapters.input_of(nn.Conv2d(3, 4, 3)) is None


def test_ours_are_there_and_import_no_library():
    for name, module in adapters.OURS.items():
        assert callable(import_module(module).card), name
    code = (
        "import sys; from micrograph.cards import adapters; from torch import nn\n"
        "found = adapters.input_of(nn.Conv2d(3, 4, 3))\n"
        "libraries = {'timm', 'torchvision', 'open_clip', 'transformers'}\n"
        "print(found, sorted(libraries & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "None []\n"


def test_a_network_of_timm_knows_its_input():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    net.pretrained_cfg = {
        "mean": (0.5, 0.5, 0.5),
        "std": (0.25, 0.25, 0.25),
        "input_size": (3, 40, 40),
    }
    found = Model.of(net, id="net").preprocessing
    assert (found.size, found.mean, found.std) == (40, (0.5,) * 3, (0.25,) * 3)
    given = Preprocessing(32, 32)
    assert Model.of(net, id="net", preprocessing=given).preprocessing is given
