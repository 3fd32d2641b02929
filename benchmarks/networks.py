"""How many units an hour Micrograph renders of whole networks.

    python benchmarks/networks.py [--device cpu|cuda] [--networks N,N] [--sizes 128,224] [--write]

Of each network and size a few nodes stand for all: units are put in a row, in the order in which a
pass reaches them, and the nodes in the middle of equal parts of that row are measured. So nodes
count by their units. At each node one batch is optimized, as many pictures as the engine takes
together (16 on a CPU, up to 256 on a GPU), for a few steps; steps at the beginning, which redirect
ReLUs, and those behind them are timed apart, medians of five. What a batch costs beside its steps
(its start, its scores, encoding its pictures as an atlas keeps them) is timed, too. From these
follow the seconds a unit of both presets (draft 40 steps, standard 80), and the time of the whole
network. On a CPU with one thread they are CPU time, which other work on the machine changes little.

`--estimate` asks `micrograph render --estimate` the same, and prints the ratio by the clock.

ResNet-50 has random weights here: they change no shape, and so hardly a time. On a GPU pictures go
in bf16, and nothing is fetched from it before a batch is done. `--write` puts the table into
docs/benchmarks.md, in the row of its device.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from micrograph.graph import worth_seeing
from micrograph.lenses.engines import presets
from micrograph.lenses.engines.base import Job
from micrograph.lenses.feature_vis.engine import ENGINE
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.optimize import Settings, memory
from micrograph.runner import estimate
from micrograph.runner.stored_pictures import PictureFormat, scored_as_stored

NETWORKS: dict[str, Callable[[str], Model]] = {
    "toytown": lambda device: load("toytown", device=device),
    "inceptionv1_caffe": lambda device: load("inceptionv1_caffe", device=device),
    "resnetv2_50_slim": lambda device: load("resnetv2_50_slim", device=device, weights="random"),
}
PRESETS = ("draft", "standard")
NODES, MEDIAN = 4, 5
DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Batch:
    """Seconds that a batch takes, by the clock and of CPU time: a step of either kind, and what is
    done once; and how many units it has."""

    redirected: np.ndarray
    plain: np.ndarray
    once: np.ndarray
    units: int

    def each(self, settings: Settings) -> np.ndarray:
        """Seconds a unit."""
        first = min(settings.steps, settings.redirect_steps)
        steps = first * self.redirected + (settings.steps - first) * self.plain
        seconds: np.ndarray = (steps + self.once) / self.units
        return seconds


def representatives(nodes: list[Node], count: int) -> list[Node]:
    """The nodes in the middle of `count` equal parts of the row of all units."""
    ends = np.cumsum([node.units for node in nodes])
    middles = (np.arange(count) + 0.5) * ends[-1] / count
    return [nodes[int(place)] for place in np.searchsorted(ends, middles, side="right")]


class Stamps:
    """A hook that notes when each step is done, on the device too."""

    def __init__(self, model: Model) -> None:
        self.cuda = model.device.type == "cuda"
        self.times: list[tuple[float, float]] = []
        self()

    def __call__(self, *step: object) -> None:
        if self.cuda:
            torch.cuda.synchronize()
        self.times.append((time.perf_counter(), time.process_time()))


def measured(model: Model, node: Node, size: int) -> Batch:
    (planned,) = ENGINE.jobs(model, size=size, steps=2 * MEDIAN + 1)
    job = Job({**planned.recipe, "redirect_steps": MEDIAN + 1}, planned.context)
    with memory.fixed_budget():
        units = list(range(min(node.units, memory.batch_size(model, node.id, size))))
        stamps = Stamps(model)
        results = tuple(ENGINE.run(model, node.id, units, job, stamps))
        scored_as_stored(ENGINE, model, node.id, job, results, PictureFormat())
    stamps()
    started, *steps, ended = np.diff(stamps.times, axis=0)
    redirected, plain = (np.median(some, axis=0) for some in (steps[:MEDIAN], steps[MEDIAN:]))
    once = np.maximum(0.0, started - redirected) + ended
    return Batch(redirected, plain, once, len(units))


def rows(name: str, size: int, device: str, compare: bool) -> list[str]:
    model = NETWORKS[name](device)
    nodes = worth_seeing(model.nodes)
    model.passes  # noqa: B018 - found once, and no part of any batch
    units = sum(node.units for node in nodes)
    if not model.takes(size):
        return [f"| {name} | {units} | {size} | takes other pictures only | | | | |"]
    batches = [measured(model, node, size) for node in representatives(nodes, NODES)]
    found = []
    for preset in PRESETS:
        settings = presets.settings(preset, model, size=size)
        clock, cpu = np.mean([batch.each(settings) for batch in batches], axis=0).tolist()
        each = cpu if device == "cpu" and torch.get_num_threads() == 1 else clock
        whole = each * units
        cells = [name, f"{units:,}", f"{size}", preset, f"{each:.3f}", f"{3600 / each:,.0f}"]
        cells.append(f"{whole / 3600:.1f} h" if whole > 3600 else f"{whole / 60:.1f} min")
        if compare:
            with tempfile.TemporaryDirectory() as folder:
                told = estimate(model, folder, preset=preset, size=size)
            cells.append(f"{told.seconds / (clock * told.results):.2f}")
        found.append("| " + " | ".join(cells) + " |")
        print(found[-1], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--sizes", default="128,224")
    parser.add_argument("--estimate", action="store_true")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    if args.device == "cuda":
        machine = torch.cuda.get_device_name()
    else:
        amx = "with" if torch.cpu._is_amx_tile_supported() else "without"
        capability = torch.backends.cpu.get_cpu_capability()
        machine = f"{torch.get_num_threads()} threads, {capability} {amx} AMX"
    titles = ["network", "units", "px", "preset", "s a unit", "units an hour", "whole network"]
    titles += ["--estimate says"] if args.estimate else []
    lines = [
        f"{machine}:\n",
        "| " + " | ".join(titles) + " |",
        "|---|--:|--:|---|" + "--:|" * (len(titles) - 4),
    ]
    print("\n".join(lines), flush=True)
    for name in args.networks.split(","):
        for size in map(int, args.sizes.split(",")):
            lines += rows(name, size, args.device, args.estimate)
    if args.write:
        start = f"<!-- benchmarks/networks.py, {args.device} -->\n"
        before, _, rest = DOCS.read_text().partition(start)
        _, end, after = rest.partition("<!-- end -->\n")
        DOCS.write_text(before + start + "\n".join(lines) + "\n" + end + after)


if __name__ == "__main__":
    main()
