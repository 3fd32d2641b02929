"""Where the time of an optimization step goes, and milliseconds per picture by size and batch.

    python benchmarks/step.py [--node 4c] [--write]
    python benchmarks/step.py --sizes 112,224 --batches 1,4,16 [--write]
    python benchmarks/step.py --maco 64,200,410 [--write]

A step of BVLC GoogLeNet up to a node: picture from its spectrum, resampling, forward, backward,
Adam. The first table is of one batch of 16 at 224 px in bf16: time by the kind of work, as torch's
profiler sees it, in time of one processor, next to what the matrix products of the step would take
at the machine's own rate (the best of some products in bf16, on one thread). With --sizes
a table by size, batch and precision instead; precisions take turns. With --maco what MaCo's
standard preset takes for each of these units, one after the other. Medians of several runs.
"""

import argparse
import os
import statistics
import time
from collections import Counter

import torch
from page_tables import write_between
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from micrograph import optimize as opt
from micrograph.lenses.maco.engine import ENGINE as MACO
from micrograph.models import load
from micrograph.models.model import Model

STEPS, RUNS, BATCH = 4, 3, 16

KINDS = (
    # What an operation, or one that it is a part of, is called: the first that fits counts.
    ("response normalization", ("_Normalized",)),
    ("resampling", ("grid_sampl", "affine_grid", "GridSampler")),
    ("FFT", ("fft",)),
    ("Adam", ("adam",)),
    ("convolutions", ("conv", "_Stem")),
    ("pooling", ("max_pool", "MaxPool")),
    ("ReLU", ("clamp", "relu", "threshold", "Lifted", "Redirected")),
)
REST = "colours, sums of gradients and the rest"


def run(model: Model, node: str, batch: int, size: int, steps: int, precision: str) -> None:
    opt.optimize(
        model,
        opt.channel(node, list(range(batch))),
        opt.Settings(size=size, steps=steps, precision=precision),
        seeds=[(0, u) for u in range(batch)],
    )


def matrix_rate() -> float:
    """The best of some products in bf16: operations a second of this thread."""
    rates = []
    for rows, inner, columns in ((4096, 4096, 4096), (12544, 576, 192), (1024, 1024, 1024)):
        a, b = torch.randn(rows, inner).bfloat16(), torch.randn(inner, columns).bfloat16()
        for _ in range(5):
            started = time.process_time()
            a @ b
            rates.append(2 * rows * inner * columns / (time.process_time() - started))
    return max(rates)


def kind_of(event) -> str:
    names = []
    while event is not None:
        names.append(event.name)
        event = event.cpu_parent
    for kind, parts in KINDS:
        if any(part in name for name in names for part in parts):
            return kind
    return REST


def by_kind(model: Model, node: str, steps: int) -> Counter[str]:
    """Microseconds of a run, by the kind of work."""
    with profile(activities=[ProfilerActivity.CPU]) as found:
        run(model, node, BATCH, 224, steps, "bf16")
    spent: Counter[str] = Counter()
    for event in found.events():
        spent[kind_of(event)] += event.self_cpu_time_total
    return spent


def parts(model: Model, node: str) -> str:
    """The first table. What a run does once is the difference of a long and a short one."""
    torch.set_num_threads(1)
    run(model, node, BATCH, 224, 1, "bf16")
    few, many = by_kind(model, node, 1), by_kind(model, node, 1 + STEPS)
    spent = {kind: (many[kind] - few[kind]) / STEPS / BATCH / 1000 for kind in many}
    seconds = []
    for _ in range(RUNS):
        stamps = []
        for steps in (1, 1 + STEPS):
            started = time.process_time()
            run(model, node, BATCH, 224, steps, "bf16")
            stamps.append(time.process_time() - started)
        seconds.append((stamps[1] - stamps[0]) / STEPS / BATCH * 1000)
    step = statistics.median(seconds)
    # What no operation took is Python's; the profiler slows things down, never beyond all of it.
    scale, rate = min(1.0, step / sum(spent.values())), matrix_rate()
    spent["Python, calls of operations"] = max(0.0, step - sum(spent.values()))
    x = torch.rand(1, 3, 224, 224, requires_grad=True)
    with FlopCounterMode(display=False) as counted:
        model.run(x, [node])[node].mean().backward()
    limit = counted.get_total_flops() / rate * 1000
    lines = [
        f"{machine()}, {node}, {BATCH} pictures of 224 px, bf16:\n",
        "| work | ms a step and picture | share |",
        "|---|--:|--:|",
    ]
    for kind, ms in sorted(spent.items(), key=lambda pair: -pair[1]):
        lines.append(f"| {kind} | {ms * scale:.2f} | {ms * scale / step:.0%} |")
    lines.append(f"| all | {step:.1f} | |")
    lines.append(
        f"| the step's products at {rate / 1e9:.0f} GFLOP/s, this thread's best | {limit:.1f} "
        f"| {limit / step:.0%} |"
    )
    return "\n".join(lines) + "\n"


def by_size(model: Model, node: str, sizes: list[int], batches: list[int]) -> str:
    lines = [
        f"{machine()}, in time of processors:\n",
        "| size, px | batch | bf16, ms | fp32, ms | ratio |",
        "|---|---|---|---|---|",
    ]
    for size in sizes:
        for batch in batches:
            times: dict[str, list[float]] = {"bf16": [], "fp32": []}
            for turn in range(RUNS + 1):
                for precision, seen in times.items():
                    started = time.process_time()
                    run(model, node, batch, size, STEPS, precision)
                    if turn:  # the first one warms up
                        seen.append((time.process_time() - started) / STEPS / batch * 1000)
            bf16, fp32 = (statistics.median(times[p]) for p in ("bf16", "fp32"))
            lines.append(f"| {size} | {batch} | {bf16:.1f} | {fp32:.1f} | {fp32 / bf16:.1f}x |")
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def of_maco(model: Model, node: str, units: list[int]) -> str:
    job = MACO.jobs(model)[0]
    lines = [f"{machine()}:\n", "| unit | s | s of CPU | score |", "|---|---|---|---|"]
    taken: list[tuple[float, float]] = []
    for unit in units:
        started = time.perf_counter(), time.process_time()
        (made,) = MACO.run(model, node, [unit], job)
        taken.append((time.perf_counter() - started[0], time.process_time() - started[1]))
        clock, cpu = taken[-1]
        lines.append(f"| {node}/{unit} | {clock:.1f} | {cpu:.1f} | {made.score:.3g} |")
    clock, cpu = (statistics.median(column) for column in zip(*taken, strict=True))
    lines.append(f"| median | {clock:.1f} | {cpu:.1f} | |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    return (
        f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}, "
        f"AMX: {'yes' if torch.cpu._is_amx_tile_supported() else 'no'}, load of the machine "
        f"{os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--node", default="4c")
    parser.add_argument("--sizes", help="a table by size, batch and precision, for these sizes")
    parser.add_argument("--batches", default="1,4,16,32")
    parser.add_argument("--maco", help="a table of MaCo, for these units")
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/benchmarks.md"
    )
    args = parser.parse_args()
    model = load("inceptionv1_caffe")
    node = model.node(args.node).id
    if args.sizes:
        sizes, batches = ([int(n) for n in t.split(",")] for t in (args.sizes, args.batches))
        name, found = "step.py sizes", by_size(model, node, sizes, batches)
    elif args.maco:
        units = [int(n) for n in args.maco.split(",")]
        name, found = "step.py maco", of_maco(model, node, units)
    else:
        name, found = "step.py", parts(model, node)
    print(found)
    if args.write:
        write_between(name, found)


if __name__ == "__main__":
    main()
