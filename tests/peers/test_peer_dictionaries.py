"""Dictionaries that their own libraries wrote, at pinned versions, with the libraries' latents."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "dictionary_formats.py"


@pytest.mark.nightly
def test_latents_are_those_of_the_libraries_that_wrote_the_files(tmp_path):
    out = tmp_path / "found.json"
    words = [
        sys.executable,
        str(SCRIPT),
        "--json",
        str(out),
        "--environment",
        str(tmp_path / "env"),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert out.exists(), done.stderr[-2000:]
    found = json.loads(out.read_text())
    libraries = {"SAELens", "sparsify", "dictionary_learning", "OverComplete", "saev"}
    assert libraries <= {one["library"] for one in found}
    assert len(found) >= 60
    wrong = [one for one in found if one["difference"] > 1e-5 or one["others"]]
    assert not wrong, wrong
