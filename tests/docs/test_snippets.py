"""The Python of the guide and of the README runs as it stands, block after block.

What a reader has and a test has not (a network, a picture, a folder of pictures) is put in place
first; pictures take a few steps only; `QUICK` lists what else is replaced to be fast.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from cells import run_cell
from PIL import Image
from torch import nn

from micrograph import optimize as opt

CHECKOUT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEPS = 2
FAST = f'steps={STEPS}, image_format="webp"'
QUICK = {
    "docs/guide.md": {
        'preset="draft"': f'preset="draft", {FAST}',
        'technique=["caricature", "attribution"]': (
            f'technique=["caricature", "attribution"], nodes=["layer2"], {FAST}'
        ),
        "k=32": 'k=32, image_format="webp"',
    },
    "README.md": {
        'technique=["feature_vis", "tuning"]': f'technique=["feature_vis", "tuning"], {FAST}'
    },
}


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, object]:
    """The names that a reader has, in a folder with a picture and a folder of pictures."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 96, 96, 3), dtype=np.uint8)
    Image.fromarray(pixels[0]).save("cat.jpg")
    Path("my_pictures").mkdir()
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(f"my_pictures/{number}.png")
    monkeypatch.setattr(opt, "optimize", in_few_steps(opt.optimize))
    torch.manual_seed(0)
    layers = {
        "layer1": nn.Sequential(nn.Conv2d(3, 4, 5, 4, 2), nn.ReLU()),
        "layer2": nn.Sequential(nn.Conv2d(4, 4, 3, 2), nn.ReLU()),
        "layer3": nn.Sequential(nn.Conv2d(4, 6, 3, 2), nn.ReLU()),
        "classes": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)),
    }
    small = nn.Sequential(OrderedDict(layers))
    return {"my_module": small}


def in_few_steps(optimize: Callable[..., opt.Pictures]) -> Callable[..., opt.Pictures]:
    def quick(model, target, settings=None, **options):
        settings = settings or opt.Settings(size=model.preprocessing.size)
        return optimize(model, target, replace(settings, steps=STEPS), **options)

    return quick


@pytest.mark.parametrize("document", QUICK)
def test_snippets(document: str, reader: dict[str, object]) -> None:
    text = (CHECKOUT / document).read_text("utf-8")
    for slow, quick in QUICK[document].items():
        assert slow in text
        text = text.replace(slow, quick)
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) == text.count("```python")
    for block in blocks:
        line = text.count("\n", 0, block.start()) + 2
        run_cell(block[1], reader, f"{document}:{line}")
