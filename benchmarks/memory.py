"""How much memory each lens takes with a network of 60,000 units.

    python benchmarks/memory.py [--models "M;..."] [--lenses "L;..."] [--write]

Four networks: CLIP RN50x16 with random weights, both towers; 60 nodes of 1,000 units; one node of
60,000; and toytown with a dictionary of 60,000 latents. Each lens works in a process of its own,
and stores what it makes in an atlas; the number is the peak of the process's resident memory, torch
and the network included.

Lenses that look at a dataset see few pictures, of the 1,024 in 1,000 classes that there are. What a
sweep keeps is as large as for any number of pictures from 1,024 on, and is there from its first
batch on. Results are made from a sweep that is filled up with random numbers, and so are two parts
that are merged. Lenses that make pictures take two steps for the units that go together, at the
widest node.
`--write` puts the rows into the table of docs/benchmarks.md; those that are not measured anew stay.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from micrograph import render
from micrograph.graph import worth_seeing
from micrograph.models import load
from micrograph.models.dictionaries.dictionary import Dictionary
from micrograph.models.model import Model
from micrograph.runner import parts
from micrograph.sweep import Tally, part
from micrograph.sweep.collecting import batch_size

UNITS = 60_000
PICTURES, CLASSES = 1024, 1000
DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
START, END = "<!-- benchmarks/memory.py -->\n", "<!-- end -->\n"


def many_nodes() -> tuple[Model, str]:
    layers = [nn.Conv2d(3, 1000, 4, 4), nn.ReLU()]
    for _ in range(59):
        layers += [nn.Conv2d(1000, 1000, 1), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1000, 10)]
    return _model("many_nodes", [*layers, *head])


def one_node() -> tuple[Model, str]:
    layers = [nn.Conv2d(3, 64, 4, 4), nn.ReLU(), nn.Conv2d(64, UNITS, 1), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(UNITS, 10)]
    return _model("one_node", [*layers, *head])


def _model(id: str, layers: list[nn.Module]) -> tuple[Model, str]:
    torch.manual_seed(0)
    module = nn.Sequential(*layers)
    model = Model.of(module, id=id, preprocessing="32,-1..1", labels=map(str, range(10)))
    return model, max(worth_seeing(model.nodes), key=lambda node: (node.units, node.index)).id


def dictionary() -> tuple[Model, str]:
    model = load("toytown")
    torch.manual_seed(0)
    units = model.nodes["mixed4a"].units
    encoder = nn.functional.normalize(torch.randn(UNITS, units), dim=1)
    zeros = torch.zeros(UNITS)
    made = Dictionary(
        "dictionary", "ab" * 32, encoder, encoder, zeros, torch.zeros(units), zeros, "topk", 32
    )
    return model, model.attach("mixed4a", made).id


def clip() -> tuple[Model, str]:
    return load("contrastive_16x", weights="random"), "layer4.7.out"


NETWORKS: dict[str, Callable[[], tuple[Model, str]]] = {
    "CLIP RN50x16": clip,
    "60 nodes of 1,000": many_nodes,
    "one node of 60,000": one_node,
    "dictionary of 60,000": dictionary,
}


class Lens:
    """One lens at work on a network: at the widest node, unless it looks at all nodes."""

    def __init__(self, model: Model, widest: str, folder: Path) -> None:
        self.model, self.folder = model, folder
        self.nodes = [widest]
        if model.attached(widest) is None:
            self.nodes = [node.id for node in worth_seeing(model.nodes)]
        self.widest = widest

    @property
    def units(self) -> int:
        """Of all nodes that are looked at."""
        return sum(self.model.node(node).units for node in self.nodes)

    @property
    def batches(self) -> int:
        """Into which a sweep is cut."""
        return -(-PICTURES // batch_size(self.model))

    def pictures(self, size: int = 32) -> str:
        """A folder of noise in class folders."""
        root = self.folder / "pictures"
        draw = np.random.default_rng(0)
        for number in range(PICTURES):
            place = root / f"{number % CLASSES:04}"
            place.mkdir(parents=True, exist_ok=True)
            noise = draw.integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(noise).save(place / f"{number:04}.png")
        return str(root)

    def render(self, lens: str, nodes: list[str], **options: object) -> None:
        render(self.model, self.folder, technique=lens, nodes=nodes, **options)

    def at_the_widest(self, lens: str, **options: object) -> None:
        """Of the units that go together."""
        self.render(lens, [self.widest], units="0-15", **options)

    def part(self, number: int, pictures: str) -> Path:
        """A part of a sweep: one batch."""
        out = self.folder / f"part{number}"
        parts.sweep_part(
            self.model, out, dataset=pictures, shard=(number, self.batches), nodes=self.nodes
        )
        return out

    def sweep(self) -> None:
        """A batch, and what unfinished work takes on its way to the disk and back."""
        pictures = self.pictures()
        out = self.part(1, pictures)
        part.read(out)

    def results(self) -> None:
        """The results of a sweep, some units of each node of many."""
        pictures = self.pictures()
        out = self.part(1, pictures)
        tally, source = part.read(out)
        _fill(tally, range(tally.spec.batches))
        part.write(tally, out, source)
        del tally
        self._store([out], pictures)

    def merge(self) -> None:
        """Two halves of a sweep, into an atlas."""
        pictures = self.pictures()
        files = [self.part(1, pictures), self.folder / "rest"]
        tally, source = part.read(files[0])
        half = tally.spec.batches // 2
        halves = range(half), range(half, tally.spec.batches)
        for file, batches in zip(files, halves, strict=True):
            tally.arrays["done"][:] = False
            _fill(tally, batches)
            part.write(tally, file, source)
        del tally
        self._store(files, pictures)

    def _store(self, files: list[Path], pictures: str) -> None:
        from micrograph.runner import local

        choose = local.choose_units  # a few units of each node: the others would be no different
        local.choose_units = lambda node, *given: choose(node, *given)[:16]
        whole, _ = parts.merge_parts(files)
        parts.store_merged(self.model, whole, self.folder, dataset=pictures)


def _fill(tally: Tally, batches: range) -> None:
    """Whatever these batches could have left."""
    draw = np.random.default_rng(0)
    arrays, spec = tally.arrays, tally.spec
    arrays["done"][batches.start : batches.stop] = True
    numbers = spec.profile_numbers() // spec.batch
    arrays["profile.there"][:] = (numbers >= batches.start) & (numbers < batches.stop)
    for row in arrays["profile.top"]:
        row[:] = draw.random(len(row), np.float32)
    arrays["class.counts"][:] = 1


def _lenses() -> dict[str, Callable[[Lens], None]]:
    """What is measured, by its name in the table."""
    two = {"steps": 2}
    picture = {"images": ["owl"], **two}
    every: dict[str, Callable[[Lens], None]] = {
        "dataset_examples, the sweep": Lens.sweep,
        "dataset_examples, its results": Lens.results,
        "dataset_examples, two parts merged": Lens.merge,
        "tuning": lambda it: it.render("tuning", it.nodes, variants=["gratings"]),
        "similar": lambda it: it.render("similar", it.nodes),
        "unit_map": lambda it: it.render(
            "unit_map", it.nodes, dataset=it.pictures(), pictures=16, variants=["model"]
        ),
        "attribution": lambda it: it.at_the_widest("attribution", images=["owl"]),
        "text_feature_vis": lambda it: it.at_the_widest("text_feature_vis", steps=2, inputs=16),
    }
    for lens in ("feature_vis", "diversity", "maco", "deepdream"):
        every[lens] = lambda it, lens=lens: it.at_the_widest(lens, **two)
    every["faceted_feature_vis"] = lambda it: it.at_the_widest(
        "faceted_feature_vis", scenes=64, variants=["day"], **two
    )
    every["joint"] = lambda it: it.at_the_widest("joint", partner=f"{it.widest}:1", **two)
    for lens in ("accentuate", "caricature", "activation_grid", "neuron_groups"):
        every[lens] = lambda it, lens=lens: it.at_the_widest(lens, **picture)
    return every


LENSES = _lenses()


def peak() -> int:
    """Of this process so far, in MB. Not `ru_maxrss`, which begins with what the parent had."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024


def one(network: str, lens: str) -> None:
    """For the process of one measurement: a line of JSON."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        it = Lens(*NETWORKS[network](), Path(folder))
        loaded = peak()
        LENSES[lens](it)
        print(json.dumps({"units": it.units, "loaded": loaded, "peak": peak()}))


def measured(networks: list[str], lenses: list[str]) -> Iterator[str]:
    """Rows of the table."""
    for network in networks:
        for lens in lenses:
            command = [sys.executable, __file__, "--one", network, lens]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                reason = done.stderr.strip().splitlines()[-1]
                print(f"{network}, {lens}: {reason}", flush=True)
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            yield f"| {network} | {found['units']:,} | {lens} | {found['peak']:,} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=";".join(NETWORKS), help="separated by semicolons")
    parser.add_argument("--lenses", default=";".join(LENSES), help="separated by semicolons")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--one", nargs=2, metavar=("NETWORK", "LENS"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        one(*args.one)
        return
    rows = []
    for row in measured(args.models.split(";"), args.lenses.split(";")):
        print(row, flush=True)
        rows.append(row)
    if args.write:
        write(rows)


def write(rows: list[str]) -> None:
    """Between their marks in the docs, in the order in which lenses and networks stand here."""
    page = DOCS.read_text("utf-8")
    before, _, rest = page.partition(START)
    table, _, after = rest.partition(END)
    old = [line for line in table.splitlines() if line.startswith("| ")]
    named = {_place(row): row for row in [*old, *rows]}
    there = [named[place] for place in sorted(place for place in named if place is not None)]
    head = "| network | units | lens | peak, MB |\n|---|---|---|---|\n"
    about = f"Python {platform.python_version()}, torch {torch.__version__}, one thread:\n\n"
    text = about + head + "\n".join(there) + "\n"
    DOCS.write_text(f"{before}{START}{text}{END}{after}", "utf-8")


def _place(row: str) -> tuple[int, int] | None:
    """Where a row of the table stands; None for what is none of those that can be measured."""
    _, network, _, lens, *_ = (cell.strip() for cell in row.split("|"))
    if network not in NETWORKS or lens not in LENSES:
        return None
    return list(NETWORKS).index(network), list(LENSES).index(lens)


if __name__ == "__main__":
    main()
