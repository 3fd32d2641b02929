"""Accuracy and known units, where the truth is known."""

import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from micrograph.cards import card
from micrograph.cards.model_card import Probe
from micrograph.cards.preprocessing import Preprocessing
from micrograph.datasets import open_dataset
from micrograph.errors import BadInput
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.runner import verify as module
from micrograph.runner.verify import DOES_NOT, FITS, UNTOLD, Accuracy, evenly_chosen, verify
from micrograph.stimuli import FAMILIES
from micrograph.weights import store

CHECKOUT = Path(__file__).parents[2]


def probed(model, *probes):
    return Model(replace(model.card, probes=probes), model.module, model.digest)


@pytest.fixture(scope="module")
def toytown():
    return load("toytown")


@pytest.fixture(scope="module")
def pictures():
    return open_dataset("toytown:90")


def test_toytown_is_right_and_its_logits_are_their_classes(toytown, pictures):
    told = []
    number = {name: n for n, name in enumerate(toytown.labels)}
    model = probed(
        toytown,
        Probe("logits", number["bus"], "buses", classes=("bus",)),
        Probe("logits", number["bus"], "giraffes", classes=("giraffe",)),
        Probe("logits", number["bus"], "snakes", classes=("snake",)),
        Probe("logits", number["bus"], "nothing to measure"),
    )
    report = verify(model, pictures, lambda done, size: told.append((done, size)))
    assert report.accuracy is not None
    assert report.accuracy.first / 90 > 0.9
    assert report.accuracy.five >= report.accuracy.first
    assert (report.pictures, report.left_out, report.unknown) == (90, 0, 0)
    assert [f.verdict for f in report.findings] == [FITS, DOES_NOT, UNTOLD, UNTOLD]
    assert report.findings[0].measured == "4 of the top 4 pictures (of all: 4.4%)"
    assert told[-1] == (90, 90)


def test_accuracy_is_that_of_a_plain_count(toytown, pictures):
    right = five = 0
    for number in range(len(pictures)):
        pixels = np.asarray(pictures.picture(number).convert("RGB"), np.float32) / 255
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
        with torch.no_grad():
            order = toytown.run(image, ["logits"])["logits"][0].argsort(descending=True)
        wanted = toytown.labels.index(pictures.classes[pictures.entries[number].cls])
        right += int(order[0]) == wanted
        five += wanted in order[:5].tolist()
    assert verify(toytown, pictures).accuracy == Accuracy(90, right, five)


@pytest.fixture
def drawn(tmp_path):
    """Folders of grey pictures, called by class; the brighter a bus the larger its number."""
    for cls, grey in (("bus", 200), ("boat", 20), ("unheard of", 90)):
        (tmp_path / cls).mkdir()
        for n in range(5):
            Image.new("RGB", (96, 96), (grey + n,) * 3).save(tmp_path / cls / f"{n}.png")
    (tmp_path / "bus" / "broken.png").write_bytes(b"no picture")
    return tmp_path


class Brightness(nn.Module):
    """Unit 0 is the mean brightness, unit 1 its negative."""

    def __init__(self):
        super().__init__()
        self.map = nn.Conv2d(3, 2, 1, bias=False)
        self.map.weight.data = torch.tensor([[1 / 3] * 3, [-1 / 3] * 3])[..., None, None]

    def forward(self, x):
        return self.map(x).mean((2, 3))


def hand_made(module, labels, *probes):
    model = Model.of(module.eval(), id="hand", preprocessing=Preprocessing(size=96, resize=96))
    changed = replace(model.card, labels=labels, probes=probes)
    return Model(changed, model.module, model.digest)


def test_units_whose_meaning_is_known_by_construction(drawn):
    probes = (
        Probe("map", 0, "bright", classes=("bus",)),
        Probe("map", 1, "dark", classes=("bus",)),
        Probe("map", 1, "dark", classes=("boat", "ship")),
    )
    model = hand_made(Brightness(), (), *probes)
    report = verify(model, open_dataset(str(drawn)))
    assert report.accuracy is None
    assert [f.verdict for f in report.findings] == [FITS, DOES_NOT, FITS]
    assert report.findings[0].measured == "5 of the top 5 pictures (of all: 33.3%)"
    assert (report.pictures, report.left_out) == (15, 1)


def test_pictures_of_unknown_class_do_not_count(drawn, toytown):
    report = verify(toytown, open_dataset(str(drawn)))
    assert report.accuracy.pictures == 10
    assert (report.pictures, report.left_out, report.unknown) == (15, 1, 5)


def test_pictures_that_tell_no_class_are_refused(drawn, toytown):
    with pytest.raises(BadInput, match="none of the 6 pictures tells its class"):
        verify(toytown, open_dataset(str(drawn / "bus")))
    for path in (*drawn.glob("bus/?.png"), *drawn.glob("boat/*.png")):
        path.unlink()
    with pytest.raises(BadInput, match="of known class can be decoded"):
        verify(toytown, open_dataset(str(drawn)))


def test_words_are_whole_words():
    names = ["sports car", "cargo ship", "Cars", "scar", "car wheel"] + ["other"] * 50
    strongest = np.arange(len(names))[::-1].astype(np.float32)
    found = module._judge_by_classes(Probe("n", 0, "", classes=("car",)), strongest, names)
    assert found.measured.startswith("2 of the top 3 pictures (of all: 5.5%)")
    assert found.verdict == FITS


def test_chance_against_a_plain_count_of_all_draws():
    from itertools import combinations

    draws = [sum(n < 3 for n in chosen) for chosen in combinations(range(8), 4)]
    for hits in range(4):
        expected = sum(d >= hits for d in draws) / len(draws)
        assert math.isclose(module._probability_of_hits(8, 3, 4, hits), expected)


def test_a_few_pictures_are_spread_over_all(pictures):
    few = evenly_chosen(pictures, 20)
    assert [e.name for e in few.entries] == [e.name for e in pictures.entries[::5]]
    assert few.picture(1).tobytes() == pictures.picture(5).tobytes()
    assert len(evenly_chosen(pictures, 1000)) == 90


class Redness(nn.Module):
    """Unit 0: red above the mean of green and blue. Unit 1: a fine vertical grating. Unit 2: 0."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 9, padding=4, bias=False)
        kernel = torch.zeros(3, 3, 9, 9)
        kernel[0, :, 4, 4] = torch.tensor([1, -0.5, -0.5])
        kernel[1] = torch.cos(2 * math.pi * torch.arange(9) / 8)
        kernel[1] -= kernel[1].mean()
        self.conv.weight.data = kernel
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.conv(x))


def test_families_of_drawings_against_responses_by_hand():
    kinds = ("hue", "gratings", "curves")
    probes = [Probe("relu", unit, kind, stimuli=kind) for unit in range(3) for kind in kinds]
    model = hand_made(Redness(), (), *probes)
    empty = replace(open_dataset("toytown:1"), entries=[])
    told: list[float] = []
    findings = verify(model, empty, lambda step, steps: told.append(step / steps)).findings
    assert told == sorted(told), "drawings are told as the second half, after the pictures"
    assert told[0] > 0.5
    assert told[-1] == 1
    peaks = {}  # the response in the middle, computed without the library
    kernel = model.module.conv.weight.detach().numpy()
    for name, family in FAMILIES.items():
        stimuli = family.at(96)
        shown = np.stack([stimuli.picture(n) for n in range(len(stimuli))]).astype(np.float32) / 255
        best = np.zeros(3)
        for y, x in ((47, 47), (47, 48), (48, 47), (48, 48)):  # the middle is between four
            patch = shown[:, y - 4 : y + 5, x - 4 : x + 5].transpose(0, 3, 1, 2)
            best = np.maximum(best, np.einsum("nchw,uchw->nu", patch, kernel).max(0))
        peaks[name] = best
    for unit in (0, 1):
        strongest = max(peaks, key=lambda name: peaks[name][unit])
        for probe, found in zip(kinds, findings[3 * unit : 3 * unit + 3], strict=True):
            fits = strongest.startswith(probe.rstrip("s"))
            assert (found.verdict == FITS) == fits, (unit, found, strongest)
    assert [f.verdict for f in findings[6:]] == [DOES_NOT] * 3
    assert FITS in [f.verdict for f in findings]


@pytest.mark.parametrize(
    ("peaks", "verdict"),
    [
        ({"curves": 3, "edges": 2}, FITS),
        ({"curve_edges": 3, "curves": 1, "edges": 2}, FITS),
        ({"curves": 2, "edges": 3}, UNTOLD),
        ({"curves": 1, "edges": 3}, DOES_NOT),
        ({"curves": -1, "edges": -2}, DOES_NOT),
        ({"edges": 3}, DOES_NOT),
    ],
)
def test_verdicts_on_families(peaks, verdict):
    probe = Probe("n", 0, "", stimuli="curves")
    assert module._strongest_family(probe, peaks).verdict == verdict


SAMPLES = CHECKOUT.parent / "shared" / "images" / "imagenet_samples"


@pytest.mark.parametrize(
    ("model", "first", "five"),
    [
        ("squeezenet1_1", 0.670, 0.855),
        pytest.param("inceptionv1_caffe", 0.78, 0.95, marks=pytest.mark.nightly),
    ],
)
def test_pictures_of_imagenet(monkeypatch, model, first, five):
    folder = Path(os.environ.get("MICROGRAPH_WEIGHTS") or CHECKOUT.parent / "shared" / "weights")
    monkeypatch.setenv("MICROGRAPH_WEIGHTS", str(folder))
    if store.status(card(model)).path is None or not SAMPLES.is_dir():
        pytest.skip(f"no weights of {model} or no {SAMPLES}")
    found = verify(load(model), evenly_chosen(open_dataset(str(SAMPLES)), 200)).accuracy
    assert found.pictures == 200
    # One picture may fall on the other side: decoders and resampling differ a little.
    assert (found.first / 200, found.five / 200) == pytest.approx((first, five), abs=0.0051)
