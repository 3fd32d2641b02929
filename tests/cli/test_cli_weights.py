"""`micrograph weights`: what it says, and that it says it without torch."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from PIL import Image

from micrograph.cards import card, registry
from micrograph.cards.model_card import Conversion, Probe
from micrograph.models import WeightsSource


@pytest.fixture
def known(monkeypatch):
    """Register a changed card: `known(original, **changes)`."""

    def register(original, **changes):
        changed = replace(card(original), **changes)
        monkeypatch.setitem(registry._cards, changed.id, changed)
        return changed

    return register


def test_status_of_all_models(run):
    shown = run("weights", "status").out
    assert "contrastive_v1" in shown
    assert "never released" in shown
    rows = {row["model"]: row for row in json.loads(run("weights", "status", "--json").out)}
    assert rows["toytown"]["path"].endswith("weights.safetensors")
    assert rows["contrastive_v1"]["unreleased"]
    assert rows["inceptionv1"]["sources"][0]["member"] == "tensorflow_inception_graph.pb"


def test_status_needs_no_torch():
    code = "import sys; from micrograph.cli import main; main(['weights', 'status']); "
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_status_says_what_fetch_would_do(run, known):
    sources = (
        WeightsSource("A bucket", "gs://bucket/net.pb"),
        WeightsSource("An original", "https://a.org/net.npy", size=574_000_000, licence="CC BY"),
    )
    known(
        "toytown",
        id="tiny",
        bundled="",
        sources=sources,
        dictionaries=(),
        conversions=(Conversion("npy", lambda given: {}),),
    )
    shown = run("weights", "status", "tiny").out
    for part in (
        "weights   missing",
        "import    npy, or any form with our names",
        "source    A bucket",
        "not fetched: gs:// addresses need Google's own program (gsutil cp)",
        "source    An original (574.0 MB)",
        "licence: CC BY",
        "`micrograph weights fetch tiny` gets it from https://a.org/net.npy",
        "`micrograph weights import tiny net.pb`",
    ):
        assert part in shown
    assert "missing; fetch them (574.0 MB)" in run("weights", "status").out


def test_never_released(run):
    assert "weights   none: " in run("weights", "status", "lm_v1").out
    for command in (("fetch", "lm_v1"), ("import", "lm_v1", "x"), ("verify", "lm_v1")):
        refused = run("weights", *command)
        assert refused.status == 2
        assert "lm_v1 has no weights" in refused.err


def test_fetch_of_what_is_here_and_of_what_cannot_be_had(run, known):
    assert "toytown: its weights are here already" in run("weights", "fetch", "toytown").out
    known(
        "toytown",
        id="tiny",
        bundled="",
        dictionaries=(),
        sources=(WeightsSource("Gone", "http://127.0.0.1:9/net.npy"),),
    )
    refused = run("weights", "fetch", "tiny")
    assert refused.status == 2
    assert "cannot reach 127.0.0.1" in refused.err
    assert "By hand: download http://127.0.0.1:9/net.npy" in refused.err


def test_import_says_what_was_done(run, known, tmp_path):
    tensors = {"theirs/w": torch.zeros(1, 3, 1, 1)}
    torch.save(tensors, tmp_path / "x.pt")
    known(
        "toytown",
        id="tiny",
        bundled="",
        digest="",
        dictionaries=(),
        node_id=lambda path: path,
        build=lambda: torch.nn.Conv2d(3, 1, 1, bias=False),
        conversions=(Conversion("torch", lambda g: {"weight": g.take("theirs/w")}),),
    )
    done = run("weights", "import", "tiny", tmp_path / "x.pt")
    assert done.status == 0
    assert "tiny: converted from torch and kept as" in done.out
    assert "(the card states none)" in done.out


def test_verify_on_pictures(run, known, tmp_path):
    probes = (Probe("logits", 0, "cars", classes=("car",), source="Somebody 2020"),)
    known("toytown", probes=probes, accuracy="99 % on its own scenes")
    shown = run("weights", "verify", "toytown", "--images", "toytown:60", "--limit", "30").out
    for part in (
        "(as it should be)",
        "30 pictures",
        "accuracy  top-1 ",
        "of 30 of known class",
        "the card  99 % on its own scenes",
        "logits/0",
        "cannot be told",
        "said by Somebody 2020",
    ):
        assert part in shown
    Image.new("RGB", (9, 9)).save(tmp_path / "x.png")
    refused = run("weights", "verify", "toytown", "--images", tmp_path)
    assert refused.status == 2
    assert "tells its class" in refused.err
    assert "--images" in run("weights", "verify", "toytown", "--limit", "3").err
