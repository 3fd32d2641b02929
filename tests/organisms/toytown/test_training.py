"""The whole training, small: pictures, both objectives, attacks, folding, files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.nightly
def test_a_quick_training_learns_and_writes_what_ships(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "micrograph.organisms.toytown.train", "--quick"]
    subprocess.run([*command, "--out", str(tmp_path)], check=True)
    assert (tmp_path / "weights.safetensors").stat().st_size < 4_000_000
    log = [json.loads(line) for line in (tmp_path / "training.jsonl").read_text().splitlines()]
    final = [row for row in log if "accuracy" in row][-1]
    assert final["accuracy"] > 5 / 30, "far above chance"
