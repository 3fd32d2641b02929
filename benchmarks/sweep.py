"""What looking at all nodes costs: a sweep against the bare forward pass.

    python benchmarks/sweep.py [--dataset D] [--models M,M] [--decode FOLDER] [--write]

Pictures are decoded before. Each batch goes through the network bare, up to its last node, and then
with everything that `dataset_examples` keeps, turn by turn; ratios are medians over the batches,
those of the first eighth, in which the examples fill up, included. Both keep the memory that they
free for the next batch, as a sweep does; a bare pass that does not, which is what torch does by
itself, is measured before.

*first* are the pictures of the dataset, all of which are in the profile; *later* the same once
more, with lists that nothing enters any more and none of the profile, as almost all pictures of a
large dataset are. From them follows how long 1.3 million pictures take. `--decode` says what
decoding a folder's pictures takes, which happens beside it, in threads of its own.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from micrograph import heap
from micrograph.cards.preprocessing import Preprocessing
from micrograph.datasets import Batch, batches, open_dataset
from micrograph.datasets.reading import picture
from micrograph.graph import worth_seeing
from micrograph.models import load
from micrograph.sweep import Look, Tally, specify

MANY = 1_300_000
DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
START, END = "<!-- benchmarks/sweep.py -->\n", "<!-- end -->\n"
TITLES = (
    "model, pictures",
    "nodes",
    "units",
    "bare, by itself, ms",
    "bare, ms",
    "sweep, ms",
    "ratio, CPU",
    "ratio, wall",
    "to bare by itself",
    "1.3 M, hours",
    "decoding, ms",
)


class Clock:
    """CPU time and time by the clock of calls, in ms a picture."""

    def __init__(self, pictures: int) -> None:
        self.pictures = pictures
        self.taken: list[tuple[float, float]] = []

    def __call__(self, work: Callable[[], object]) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        ended = time.process_time() - cpu, time.perf_counter() - wall
        self.taken.append((ended[0] * 1000 / self.pictures, ended[1] * 1000 / self.pictures))

    @property
    def median(self) -> float:
        return statistics.median(cpu for cpu, _ in self.taken)


def decoding(folder: str, preprocessing: Preprocessing) -> float:
    """CPU time to decode a picture of a folder and fit it to the network, in ms."""
    dataset = open_dataset(folder)
    clock = Clock(1)
    for number in range(0, len(dataset), max(1, len(dataset) // 32)):
        clock(partial(picture, dataset, preprocessing, number))
    return clock.median


def fill(tally: Tally) -> None:
    """Every list full of the best value there is, on the first picture."""
    tally.top.values[:] = tally.arrays["max"][:, None]
    tally.low.values[:] = -tally.arrays["min"][:, None]
    tally.top.numbers[:] = tally.low.numbers[:] = 0


def rows(name: str, dataset, folder: str | None) -> list[str]:
    model = load(name, device="cpu")
    nodes = worth_seeing(model.nodes)
    look = Look(model, nodes)
    spec = specify(model, dataset, look, largest=16, smallest=8, code="benchmark")
    tally = Tally(spec)
    last = nodes[-1].id

    def bare(images: torch.Tensor) -> None:
        with torch.inference_mode():
            model.run(images, [last])

    def sweep(batch: Batch, images: torch.Tensor, means: bool) -> None:
        tally.add(batch, look(images, batch.index, means, tally.bars(batch)), look.sampled)

    drawn = list(batches(dataset, model.preprocessing, spec.batch, range(spec.batches)))
    shown = [batch.images() for batch in drawn]
    decoded = f"{decoding(folder, model.preprocessing):.1f}" if folder else ""
    itself = Clock(spec.batch)
    bare(shown[0])
    for images in shown:
        itself(partial(bare, images))
    found = []
    with heap.kept():
        look(shown[0], 0, True)
        for part in ("first", "later"):
            plain, looking = Clock(spec.batch), Clock(spec.batch)
            if part == "later":
                fill(tally)
            for batch, images in zip(drawn, shown, strict=True):
                plain(partial(bare, images))
                looking(partial(sweep, batch, images, part == "first"))
            pairs = list(zip(plain.taken, looking.taken, strict=True))
            ratios = [statistics.median(p[k] / s[k] for p, s in pairs) for k in (0, 1)]
            cells = [
                f"{name}, {part}",
                f"{len(nodes)}",
                f"{spec.units:,}",
                *(f"{clock.median:.1f}" for clock in (itself, plain, looking)),
                *(f"{ratio:.2f}" for ratio in ratios),
                f"{itself.median / looking.median:.2f}",
                f"{looking.median * MANY / 3.6e6:.1f}" if part == "later" else "",
                decoded,
            ]
            found.append("| " + " | ".join(cells) + " |")
            print(found[-1], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="toytown:512")
    parser.add_argument("--models", default="toytown,inceptionv1_caffe")
    parser.add_argument("--decode", metavar="FOLDER")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    dataset = open_dataset(args.dataset)
    capability = torch.backends.cpu.get_cpu_capability()
    lines = [
        f"{torch.get_num_threads()} threads, {capability}, {len(dataset)} pictures:\n",
        "| " + " | ".join(TITLES) + " |",
        "|---|" + "--:|" * (len(TITLES) - 1),
    ]
    print("\n".join(lines), flush=True)
    for name in args.models.split(","):
        lines += rows(name, dataset, args.decode)
    if args.write:
        before, _, rest = DOCS.read_text().partition(START)
        _, _, after = rest.partition(END)
        DOCS.write_text(before + START + "\n".join(lines) + "\n" + END + after)


if __name__ == "__main__":
    main()
