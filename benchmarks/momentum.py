"""Steps to a given activation, by Adam's momentum and learning rate.

    python benchmarks/momentum.py [--goals 305,303,421] [--write]

BVLC GoogLeNet, channel objective, 224 px, standard transformations; the neutral evaluator of
to_goal.py looks at every fourth step. The goals are what Lucent reaches in 512 steps (one of
its runs). Mean over seeds; "-" where a run of 96 steps did not get there.
"""

import argparse
import contextlib
import statistics

import torch
from page_tables import write_between
from to_goal import evaluate
from torch import Tensor

from micrograph import optimize as opt
from micrograph.models import load
from micrograph.models.model import Model

SIZE, MOST, EVERY = 224, 96, 4


class Watched(opt.FourierImage):
    """Keeps the present pictures within reach of the step hook."""

    def image(self, params: Tensor) -> Tensor:
        images = super().image(params)
        WATCHED[:] = [images.detach()]
        return images


WATCHED: list[Tensor] = []


def steps_needed(
    model: Model, node: str, units: list[int], goals: list[float], settings: opt.Settings, seed: int
) -> list[int | None]:
    """Per unit the first step, of every fourth, at which its picture has reached its goal."""
    needed: list[int | None] = [None] * len(units)

    def look(step: int, steps: int) -> None:
        if step % EVERY:
            return
        scores = evaluate(model, node, WATCHED[0], units)
        for i, (score, goal) in enumerate(zip(scores, goals, strict=True)):
            if score >= goal and needed[i] is None:
                needed[i] = step
        if None not in needed:
            raise StopIteration

    with contextlib.suppress(StopIteration):
        opt.optimize(
            model,
            opt.channel(node, units),
            settings,
            on_step=look,
            seeds=[(seed, unit) for unit in units],
            parameterization=Watched(SIZE),
        )
    return needed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--node", default="4c")
    parser.add_argument("--units", default="0,64,128")
    parser.add_argument("--goals", default="305,303,421")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/benchmarks.md"
    )
    args = parser.parse_args()
    model = load("inceptionv1_caffe")
    node = model.node(args.node).id
    units = [int(u) for u in args.units.split(",")]
    goals = [float(g) for g in args.goals.split(",")]
    lines = [
        f"{torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__} goals {args.goals}:",
        "",
        "| momentum | rate | " + " | ".join(f"{node}/{u}" for u in units) + " | mean |",
        "|---|---|" + "---|" * (len(units) + 1),
    ]
    for rate in (0.1, 0.2):
        for momentum in (0.9, 0.7, 0.5, 0.3):
            settings = opt.Settings(size=SIZE, steps=MOST, rate=rate, momentum=momentum)
            runs = [steps_needed(model, node, units, goals, settings, s) for s in range(args.seeds)]
            means = [
                None if None in column else statistics.mean(s for s in column if s is not None)
                for column in zip(*runs, strict=True)
            ]
            cells = ["-" if m is None else f"{m:.0f}" for m in means]
            known = [m for m in means if m is not None]
            whole = f"{statistics.mean(known):.0f}" if len(known) == len(means) else "-"
            lines.append(f"| {momentum} | {rate} | " + " | ".join(cells) + f" | {whole} |")
            print(lines[-1], flush=True)
    if args.write:
        write_between("momentum.py", "\n".join(lines))


if __name__ == "__main__":
    main()
