"""What a sweep of 20,000 units takes, measured in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

UNITS, CLASSES = 20_000, 100

SCRIPT = """
import json, resource, sys
import torch
from PIL import Image
from torch import nn
from micrograph import Model
from micrograph.datasets.base import Dataset, Entry
from micrograph.sweep import Look, Tally, collect, specify

pictures, batches, units, classes = map(int, sys.argv[1:])

class Entries:
    def __len__(self):
        return pictures
    def __getitem__(self, number):
        return Entry(str(number), number % classes)

def draw(number):
    draw = torch.Generator().manual_seed(number)
    return Image.fromarray((torch.rand(16, 16, 3, generator=draw) * 255).byte().numpy())

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(3, 32, 4, 4), nn.ReLU(), nn.Conv2d(32, units - 32, 1), nn.ReLU())
model = Model.of(net, id="wide", preprocessing="16,-1..1")
names = tuple(map(str, range(classes)))
made = Dataset("made", "made", "Made", "ab" * 32, Entries(), draw, classes=names)
look = Look(model, [model.node("1"), model.node("3")])
spec = specify(model, made, look, largest=16, smallest=8, code="test")
before = peak()
tally = Tally(spec)
collect(model, made, look, tally, range(batches))
samples = sum(tensor.units * tensor.positions for tensor in look.sampled)
largest = max(node.units * 16 for node in look.nodes)
json.dump([peak() - before, spec.units, spec.batch, samples, largest], sys.stdout)
"""


def grown(pictures: int, batches: int) -> tuple[int, int, int, int, int]:
    """Bytes by which the process grew, units, pictures in a batch, samples, values of a map."""
    given = map(str, (pictures, batches, UNITS, CLASSES))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *given],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    found: tuple[int, int, int, int, int] = tuple(json.loads(done.stdout))
    return found


@pytest.mark.nightly
def test_memory_is_bounded_whatever_the_number_of_pictures() -> None:
    """By the formula in docs/datasets.md."""
    peaks = []
    for pictures, batches in ((2000, 12), (1_300_000, 24)):
        peak, units, together, samples, largest = grown(pictures, batches)
        assert units == UNITS
        kept = units * (12 * (16 + 8) + 1092 + 12 * 1024 + 8 * CLASSES)
        batch = together * (8 * samples + 64 * units)
        network = 6 * 4 * together * largest
        assert kept < peak < kept + batch + network
        peaks.append(peak)
    assert peaks[1] < 1.15 * peaks[0], "but for holes between what is kept"
