"""What learning rate and start do: activations on the way and at the end of the standard preset.

    python benchmarks/rates.py [--nodes 4c,5b] [--units 3,148,293,438] [--write]

BVLC GoogLeNet, channel objective, 224 px, everything else as it is by default. Numbers are the
units' activation on the transformed pictures, the mean over the eight steps about the 20th and the
40th, and on the finished pictures; as multiples of the first row's, means over the units. One seed.
"""

import argparse
import statistics

import torch
from page_tables import write_between

from micrograph import optimize as opt
from micrograph.lenses.engines import common
from micrograph.models import load
from micrograph.models.model import Model

USUAL = opt.Settings()
TRIED = (
    {},
    {"rate": 2 * USUAL.rate},
    {"start": 0.6},
    {"start": 1.0},
)
ABOUT = (20, 40)


def run(model: Model, node: str, units: list[int], changed: dict[str, float]) -> list[list[float]]:
    """For each of `ABOUT` and for the end, the activation of each unit."""
    made = opt.optimize(
        model,
        opt.channel(node, units),
        opt.Settings(**changed),
        seeds=[common.key(0, node, unit) for unit in units],
    )
    on_the_way = [made.history[at - 4 : at + 4].mean(0).tolist() for at in ABOUT]
    return [*on_the_way, made.scores.tolist()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", default="4c,5b")
    parser.add_argument("--units", default="3,148,293,438")
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/benchmarks.md"
    )
    args = parser.parse_args()
    model = load("inceptionv1_caffe")
    units = [int(unit) for unit in args.units.split(",")]
    head = ["node", "rate", "start", *(f"about step {at}" for at in ABOUT), "finished"]
    lines = [
        f"{torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}, units {units}:",
        "",
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
    ]
    for node in (model.node(name).id for name in args.nodes.split(",")):
        first: list[list[float]] = []
        for changed in TRIED:
            found = run(model, node, units, changed)
            first = first or found
            settings = opt.Settings(**changed)
            ratios = [
                statistics.mean(a / b for a, b in zip(now, then, strict=True))
                for now, then in zip(found, first, strict=True)
            ]
            cells = [node, f"{settings.rate:g}", f"{settings.start:g}"]
            lines.append(f"| {' | '.join([*cells, *(f'{ratio:.2f}' for ratio in ratios)])} |")
            print(lines[-1], flush=True)
    if args.write:
        write_between("rates.py", "\n".join(lines))


if __name__ == "__main__":
    main()
