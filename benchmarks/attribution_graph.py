"""How long attribution graphs and steering take, and how much of the influence they follow.

    python benchmarks/attribution_graph.py [MODEL/NODE/UNIT ...] [--picture car] [--follow 16 32]

Seconds of the processor on `--threads` threads and by the clock; a graph's parts are timed in one
run with a single pass of the model, so that their ratio tells more than the seconds do. Prints a
Markdown table.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from micrograph import attribution_graph, load, steer
from micrograph.circuits.seen_picture import seen_picture
from micrograph.graph import worth_seeing

PLACES = [
    "toytown/logits/0",
    "toytown_vit/logits/0",
    "inceptionv1_caffe/inception_4c/447",
    "inceptionv1_caffe/loss3_classifier/817",
]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="*", default=PLACES, metavar="MODEL/NODE/UNIT")
    parser.add_argument("--picture", default="car")
    parser.add_argument("--follow", nargs="*", type=int, default=[16, 32])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print("| target | what | s | CPU s | passes | kept | followed | missed |")
    print("|---|---|--:|--:|--:|---|--:|--:|")
    for place in asked.places:
        name, node, unit = place.rsplit("/", 2)
        model = load(name)
        picture = seen_picture(asked.picture, model).tensor
        with torch.no_grad():
            model.run(picture, [node])
            one = timed(lambda m=model, p=picture, n=node: m.run(p, [n]), asked.repeats)[0]
        for follow in asked.follow:
            seconds, cpu, graph = timed(
                lambda m=model, n=node, u=unit, f=follow: attribution_graph(
                    m, asked.picture, (n, int(u)), follow=f
                ),
                asked.repeats,
            )
            print(
                f"| {place} | graph, {follow} units a node | {seconds:.1f} | {cpu:.1f} "
                f"| {seconds / one:.0f} | {len(graph.nodes)} nodes, {len(graph.edges)} edges "
                f"| {graph.followed:.0%} | {graph.missed:.0e} |",
                flush=True,
            )
        worth = [one.id for one in worth_seeing(model.nodes)]
        seen = worth[len(worth) // 2]
        seconds, cpu, _ = timed(
            lambda m=model, s=seen: steer(m, asked.picture, s, 0), asked.repeats
        )
        print(
            f"| {name}/{seen}/0 | steering, 20 controls | {seconds:.1f} | {cpu:.1f} "
            f"| {seconds / one:.0f} | | | |",
            flush=True,
        )


def timed(work: Callable[[], Any], repeats: int) -> tuple[float, float, Any]:
    """Medians of seconds by the clock and of the processor, and what the last run gave."""
    clock, cpu = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        found = work()
        clock.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return statistics.median(clock), statistics.median(cpu), found


if __name__ == "__main__":
    main()
