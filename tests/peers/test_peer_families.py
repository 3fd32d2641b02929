"""The table of families (`benchmarks/families`): small networks always, all of them nightly."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
WRONG = ("values_wrong", "edges_missing", "fields_wrong", "maps_wrong", "pictures_wrong")
"""Lists of a row that are empty; false edges are counted in the table."""


def rows(tmp_path: Path, only: str) -> list[dict[str, Any]]:
    """The rows of the networks whose names match, checked now."""
    kept = tmp_path / "rows.jsonl"
    command = [sys.executable, "benchmarks/families", "--rows", str(kept), "--only", only]
    path = os.pathsep.join([str(CHECKOUT / "src"), os.environ.get("PYTHONPATH", "")])
    subprocess.run(command, cwd=CHECKOUT, check=True, env=os.environ | {"PYTHONPATH": path})
    return [json.loads(line) for line in kept.read_text().splitlines()]


def faults(row: dict[str, Any]) -> dict[str, Any]:
    found = {name: row[name] for name in WRONG if row[name]}
    return found | ({"error": row["error"]} if row["error"] else {})


def test_small_networks_are_what_is_shown_of_them(peer, monkeypatch: pytest.MonkeyPatch) -> None:
    peer("timm")
    monkeypatch.syspath_prepend(str(CHECKOUT / "benchmarks" / "families"))
    from one import row_of

    for name in ("timm:test_vit", "timm:test_resnet"):
        row = row_of(name)
        assert not faults(row)
        assert row["output"]
        assert row["nodes"] > 40
        assert row["values"] == row["nodes"]
        assert row["fields"] > 1


def test_a_wrong_row_is_told(peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks see what is wrong: false edges, a map turned round, a field too small."""
    peer("timm")
    monkeypatch.syspath_prepend(str(CHECKOUT / "benchmarks" / "families"))
    import torch
    from checks import Found, check
    from torch import nn

    from micrograph.models.layout import OutputLayout
    from micrograph.models.model import Model
    from micrograph.models.node import ReceptiveField
    from networks import spread_constants

    net = nn.Sequential(nn.Conv2d(3, 4, 4, 4), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())
    net.requires_grad_(False)
    with torch.no_grad():
        spread_constants(net)
    model = Model.of(net, id="net", preprocessing="32,0..1")
    nodes = model._named[0]
    nodes["0"] = replace(nodes["0"], layout=OutputLayout("buxy"))
    nodes["2"] = replace(nodes["2"], parents=("0",), receptive_field=ReceptiveField(8, 4, 0))
    nodes["3"] = replace(nodes["3"], parents=("2", "1"))
    found = Found("net")
    check(found, model)
    assert found.edges_false == ["0 > 2", "1 > 3"]
    assert found.edges_missing == ["1 > 2"]
    assert found.fields_wrong == ["0: sees more than its field", "2: sees more than its field"]
    assert found.maps_wrong == ["0: does not follow a square in the picture"]


@pytest.mark.nightly
def test_all_families(peer, tmp_path: Path) -> None:
    for name in ("timm", "torchvision", "open_clip", "transformers"):
        peer(name)
    found = [row for row in rows(tmp_path, "") if not row["error"].startswith("not built")]
    assert len(found) > 200
    assert {row["name"]: faults(row) for row in found if faults(row)} == {}
