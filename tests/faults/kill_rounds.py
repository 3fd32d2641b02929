"""Renders a small network, killing the render at random moments; prints what happened as JSON.

A program of its own (see test_kill.py): it forks each render from a process that has loaded torch
and run it once, so that a round is short and a kill can hit any part of it.

Usage: kill_rounds.py FOLDER KILLS SEED
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
from torch import nn

from micrograph.atlas import Atlas
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import NotFound
from micrograph.models.model import Model
from micrograph.runner import render

UNITS = {"0": 10, "3": 14}


def small_model() -> Model:
    """Two convolutions with fixed random weights."""
    torch.set_num_threads(1)
    torch.manual_seed(7)
    module = nn.Sequential(
        nn.Conv2d(3, 10, 3, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 14, 3), nn.ReLU()
    )
    return Model.of(module, id="small", preprocessing=Preprocessing(size=32, resize=32))


def render_all(folder: Path) -> None:
    """Every unit under two seeds, three units to a batch."""
    render(
        small_model(),
        folder,
        nodes=list(UNITS),
        batch=3,
        size=24,
        steps=2,
        repeats=2,
        image_format="png",
    )


def start(folder: Path) -> int:
    """Render in a child process; its id."""
    child = os.fork()
    if child == 0:
        try:
            render_all(folder)
            os._exit(0)
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(1)
    return child


def main(folder: Path, kills: int, seed: int) -> None:
    """Kill until `kills` renders were hit while they ran; then let the last one finish."""
    render_all(folder / "warm")
    began = time.monotonic()
    assert os.waitpid(start(folder / "whole"), 0)[1] == 0
    length = time.monotonic() - began
    rng = random.Random(seed)
    rounds = [folder / "round0"]
    stored: list[int] = []
    while len(stored) < kills:
        child = start(rounds[-1])
        time.sleep(rng.uniform(0, length / 2))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            stored.append(count(rounds[-1]))
        else:
            assert status == 0, "a render after a kill failed"
            rounds.append(folder / f"round{len(rounds)}")
    assert os.waitpid(start(rounds[-1]), 0)[1] == 0, "the last render failed"
    print(json.dumps({"rounds": [round.name for round in rounds], "stored": stored}))


def count(folder: Path) -> int:
    """Pictures stored so far; 0 where the atlas was not even made."""
    try:
        atlas = Atlas.open(folder / "small.atlas")
        return sum(len(atlas.visualizations(n, u)) for n in UNITS for u in range(UNITS[n]))
    except NotFound:
        return 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
