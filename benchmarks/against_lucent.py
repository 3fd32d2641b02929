"""Seconds per unit to the activation that Lucent reaches: Lucent against Micrograph, in one run.

    pip install --no-deps torch-lucent==0.1.8 decorator tqdm    (or --target DIR and --lucent DIR)
    python benchmarks/against_lucent.py [--lucent DIR] [--node 4c] [--units 0,64,128] [--json FILE]

Both work on BVLC GoogLeNet with its real weights (MICROGRAPH_WEIGHTS) and optimize the channel
objective under lucid's standard transformations. Lucent runs with its own defaults: a picture of
128 px, enlarged to 224 for the network, 512 steps a unit, on the plain network (torch's own
response normalization, parameters as torch makes them); ours are pictures of 224 px. In addition a
few of Lucent's steps are timed on our frozen network, to tell apart what is ours in the network and
what in the loop. Neutral evaluator for both: the finished picture in 8 bits, resized to 224 px,
fp32, mean over the map.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import time
from pathlib import Path

import lucent_standins
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph import optimize as opt
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.networks.layers import LocalResponseNorm

STEPS, SIZE = 512, 224


def plain(model: Model) -> nn.Module:
    """The same network as an ordinary user has it: nn.LocalResponseNorm, gradients on."""
    module = model.card.build()
    module.load_state_dict(model.module.state_dict())
    for name, child in list(module.named_modules()):
        if isinstance(child, LocalResponseNorm):
            parent, _, last = name.rpartition(".")
            setattr(module.get_submodule(parent), last, nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0))
    return module.eval()


@torch.no_grad()
def evaluate(model: Model, node: str, images: Tensor, units: list[int]) -> list[float]:
    """The neutral evaluator, one value per picture [batch, 3, 224, 224]."""
    images = (images * 255).round() / 255
    if images.shape[-1] != SIZE:
        images = F.interpolate(images, size=SIZE, mode="bilinear", antialias=True)
    maps = model.run(images, [node])[node].mean((2, 3))
    return [maps[i, unit].item() for i, unit in enumerate(units)]


def run_lucent(module: nn.Module, model: Model, node: str, unit: int, steps: int) -> Tensor:
    """Lucent's own `render_vis` with its own defaults; the picture [1, 3, y, x]."""
    from lucent.optvis import objectives, render, transform

    place = model.node(node).path.replace(".", "_")
    torch.manual_seed(0)
    with contextlib.redirect_stderr(io.StringIO()):
        images = render.render_vis(
            module,
            objectives.channel(place, unit),
            transforms=[*transform.standard_transforms, model.preprocessing.apply],
            preprocess=False,
            thresholds=(steps,),
            show_image=False,
            progress=False,
        )
    return torch.from_numpy(images[-1]).permute(0, 3, 1, 2)


def run_ours(
    model: Model, node: str, units: list[int], goals: list[float], every: int, most: int
) -> tuple[list[int], float, float]:
    """Steps that each of the first `len(goals)` units needs to reach its goal; seconds per step
    and unit of a run of that length; and of its slowest unit's whole run per unit.

    One run looks at the pictures on the way, a second one of the same length is timed.
    """
    needed = [0] * len(goals)
    settings = opt.Settings(size=SIZE, steps=most)
    watched: list[Tensor] = []

    class Watched(opt.FourierImage):
        def image(self, params: Tensor) -> Tensor:
            watched[:] = [params.detach()]
            return super().image(params)

    def look(step: int, steps: int) -> None:
        if step % every or all(needed):
            if all(needed):
                raise StopIteration
            return
        scores = evaluate(model, node, canvas.image(watched[0][: len(goals)]), units[: len(goals)])
        for i, (score, goal) in enumerate(zip(scores, goals, strict=False)):
            if score >= goal and not needed[i]:
                needed[i] = step

    canvas = opt.FourierImage(SIZE)
    seeds = [(0, unit) for unit in units]
    with contextlib.suppress(StopIteration):
        opt.optimize(
            model,
            opt.channel(node, units),
            settings,
            seeds=seeds,
            parameterization=Watched(SIZE),
            on_step=look,
        )
    if not all(needed):
        raise SystemExit(f"not reached within {most} steps: goals {goals}, steps {needed}")
    length = max(needed)
    times = []
    for _ in range(3):
        started = time.perf_counter()
        opt.optimize(
            model, opt.channel(node, units), opt.Settings(size=SIZE, steps=length), seeds=seeds
        )
        times.append(time.perf_counter() - started)
    return needed, statistics.median(times) / length / len(units), statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lucent", type=Path, help="folder lucent was installed into")
    parser.add_argument("--node", default="4c")
    parser.add_argument("--units", default="0,64,128")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--every", type=int, default=2, help="look for the goal every N steps")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    args = parser.parse_args()
    lucent_standins.install(args.lucent)
    model = load("inceptionv1_caffe")
    node = model.node(args.node).id
    targets = [int(u) for u in args.units.split(",")]
    others = [u for u in range(model.nodes[node].units) if u not in targets]
    units = targets + others[:: max(1, len(others) // args.batch)][: args.batch - len(targets)]

    module, goals, theirs = plain(model), [], []
    for unit in targets:
        started = time.perf_counter()
        picture = run_lucent(module, model, node, unit, STEPS)
        theirs.append(time.perf_counter() - started)
        goals += evaluate(model, node, picture, [unit])
        print(f"lucent   {node}/{unit}: {theirs[-1]:.1f} s, activation {goals[-1]:.1f}", flush=True)
    started = time.perf_counter()
    run_lucent(model.module, model, node, targets[0], 24)
    frozen = (time.perf_counter() - started) / 24

    needed, step, whole = run_ours(model, node, units, goals, args.every, STEPS)
    rows = []
    for unit, goal, steps, seconds in zip(targets, goals, needed, theirs, strict=True):
        ours = steps * step
        rows.append(
            {
                "unit": unit,
                "goal": goal,
                "lucent_s": seconds,
                "steps": steps,
                "ours_s": ours,
                "ratio": seconds / ours,
            }
        )
        print(f"ours     {node}/{unit}: {steps} steps, {ours:.2f} s, {seconds / ours:.0f}x")
    ratio = statistics.median(row["ratio"] for row in rows)
    result = {
        "node": node,
        "batch": len(units),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "lucent_ms_per_step": 1000 * statistics.median(theirs) / STEPS,
        "lucent_frozen_ms_per_step": 1000 * frozen,
        "ours_ms_per_step": 1000 * step,
        "ours_batch_s": whole,
        "ratio": ratio,
        "worst_ratio": min(row["ratio"] for row in rows),
        "units": rows,
    }
    print("\n| unit | goal | Lucent, s | ours: steps | ours, s | ratio |")
    print("|---|---|---|---|---|---|")
    for r in rows:
        print(
            f"| {node}/{r['unit']} | {r['goal']:.0f} | {r['lucent_s']:.1f} | {r['steps']} "
            f"| {r['ours_s']:.2f} | {r['ratio']:.0f}x |"
        )
    lucent = result["lucent_ms_per_step"]
    print(
        f"\nmedian {ratio:.0f}x; a step of one picture: Lucent {lucent:.0f} ms "
        f"(on our frozen network {1000 * frozen:.0f} ms), ours {1000 * step:.1f} ms in a "
        f"batch of {len(units)}; {torch.get_num_threads()} threads, {os.cpu_count()} cores"
    )
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
