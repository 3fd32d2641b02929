"""What looking at all nodes costs: a sweep against the bare forward pass.

    python benchmarks/sweep.py [--dataset D] [--models toytown,inceptionv1_caffe]

Pictures are decoded before. Each batch goes through the network bare, up to its last node, and then
with everything that `dataset_examples` keeps, turn by turn; ratios are medians over the batches,
those of the first eighth, in which the examples fill up, included.
"""

import argparse
import statistics
import time

import torch

from micrograph.datasets import batches, open_dataset
from micrograph.graph import worth_seeing
from micrograph.models import load
from micrograph.sweep import Look, Tally, specify


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="toytown:512")
    parser.add_argument("--models", default="toytown,inceptionv1_caffe")
    args = parser.parse_args()
    dataset = open_dataset(args.dataset)
    print(
        f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}, "
        f"{len(dataset)} pictures\n"
    )
    print("| model | nodes | units | bare, ms | sweep, ms | ratio, CPU | ratio, wall |")
    print("|---|---|---|---|---|---|---|")
    for name in args.models.split(","):
        row(name, dataset)


def row(name: str, dataset) -> None:
    model = load(name, device="cpu")
    nodes = worth_seeing(model.nodes)
    look = Look(model, nodes)
    spec = specify(model, dataset, look, largest=16, smallest=8, code="benchmark")
    tally = Tally(spec)
    last = nodes[-1].id

    def bare(images: torch.Tensor) -> None:
        with torch.inference_mode():
            model.run(images, [last])

    cpu: list[tuple[float, float]] = []
    wall: list[tuple[float, float]] = []
    for batch in list(batches(dataset, model.preprocessing, spec.batch, range(spec.batches))):
        images = batch.images()
        if not batch.index:
            bare(images)
            look(images, 0, True)
        stamps = [(time.process_time(), time.perf_counter())]
        bare(images)
        stamps.append((time.process_time(), time.perf_counter()))
        seen = look(images, batch.index, tally.wants_means(batch), tally.bars(batch))
        tally.add(batch, seen, look.sampled)
        stamps.append((time.process_time(), time.perf_counter()))
        for times, which in ((cpu, 0), (wall, 1)):
            a, b, c = (stamp[which] for stamp in stamps)
            times.append(((b - a) * 1000 / spec.batch, (c - b) * 1000 / spec.batch))
    ratio_cpu, ratio_wall = (statistics.median(b / s for b, s in t) for t in (cpu, wall))
    without, looking = (statistics.median(column) for column in zip(*cpu, strict=True))
    print(
        f"| {name} | {len(nodes)} | {spec.units} | {without:.1f} | {looking:.1f} | "
        f"{ratio_cpu:.2f} | {ratio_wall:.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
