"""Models of transformers as the first thing in a process, beside any torchvision."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 32,
    "patch_size": 8,
}
HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"height": 32, "width": 32}}
SHOW = """
import micrograph
model = micrograph.load({spec!r}, weights="random")
print(len(model.nodes), model.preprocessing.fit)
"""


@pytest.mark.nightly  # importing the libraries anew takes seconds
@pytest.mark.skipif(find_spec("transformers") is None, reason="transformers is not installed")
def test_a_folder_of_transformers_comes_first(tmp_path: Path) -> None:
    folder = tmp_path / "vit"
    folder.mkdir()
    config = {"architectures": ["ViTModel"], "model_type": "vit", **SIZES}
    (folder / "config.json").write_text(json.dumps(config))
    processor = {"image_processor_type": "ViTImageProcessor", **HALF}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(spec=f"hf:{folder}")],
        capture_output=True,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "XDG_DATA_HOME": str(tmp_path / "home")},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-800:]
    count, fit = done.stdout.split()
    assert int(count) > 5
    assert fit == "squash"
