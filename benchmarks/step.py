"""Milliseconds per picture and step, by size, batch and precision.

    python benchmarks/step.py [--node 4c]

One optimization step of BVLC GoogLeNet up to a node: picture from its spectrum, resampling,
forward, backward, Adam. Medians of several runs; precisions take turns.
"""

import argparse
import statistics
import time

import torch

from micrograph import optimize as opt
from micrograph.models import load

STEPS, RUNS = 4, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--node", default="4c")
    parser.add_argument("--sizes", default="112,224")
    parser.add_argument("--batches", default="1,4,16,32")
    args = parser.parse_args()
    model = load("inceptionv1_caffe")
    print(f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}\n")
    print("| size, px | batch | bf16, ms | fp32, ms | ratio |\n|---|---|---|---|---|")
    for size in map(int, args.sizes.split(",")):
        for batch in map(int, args.batches.split(",")):
            times: dict[str, list[float]] = {"bf16": [], "fp32": []}
            for run in range(RUNS + 1):
                for precision, seen in times.items():
                    settings = opt.Settings(size=size, steps=STEPS, precision=precision)
                    started = time.perf_counter()
                    opt.optimize(
                        model,
                        opt.channel(args.node, list(range(batch))),
                        settings,
                        seeds=[(0, u) for u in range(batch)],
                    )
                    if run:  # the first one warms up
                        seen.append((time.perf_counter() - started) / STEPS / batch * 1000)
            bf16, fp32 = (statistics.median(times[p]) for p in ("bf16", "fp32"))
            row = f"| {size} | {batch} | {bf16:.1f} | {fp32:.1f} | {fp32 / bf16:.1f}x |"
            print(row, flush=True)


if __name__ == "__main__":
    main()
