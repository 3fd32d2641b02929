"""Seconds per unit to the activation that Lucent reaches: Lucent against Micrograph, in one run.

    python -m venv VENV; VENV/bin/pip install --no-deps torch-lucent==0.1.8 decorator tqdm
    VENV/bin/pip install ipython==8.20.0       (Lucent imports it)
    python benchmarks/against_lucent.py --lucent VENV/lib/python3.11/site-packages --write

Both work on BVLC GoogLeNet with its real weights (MICROGRAPH_WEIGHTS) and optimize the channel
objective under lucid's standard transformations. Lucent runs with its own defaults: a picture of
128 px, enlarged to 224 for the network, 512 steps a unit, on the plain network (torch's own
response normalization, parameters as torch makes them); ours are pictures of 224 px, 8 units at a
time, with settings as they are by default. Neutral evaluator for both: the finished picture in 8
bits, resized to 224 px, fp32, mean over the map. By default twelve units at four nodes.

Ratios are those of time by the clock and, where other work may share the machine, of time of
processors. Medians of five runs; sides take turns.

    --older CHECKOUT    measures another checkout of ours too, turn by turn with this one
    --work FILE         keeps which activations Lucent reaches, unit by unit. With those at hand it
                        is timed anew on one unit of each node, which counts for the node: its
                        steps do the same for each. About 12 minutes on two free cores, else 25.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import lucent_standins
import torch
from page_tables import write_between
from to_goal import MOST, SIZE, evaluate
from torch import Tensor, nn

from micrograph.models import load
from micrograph.models.model import Model
from micrograph.networks.layers import LocalResponseNorm

STEPS, RUNS = 512, 5
NODES, UNITS = "inception_3b,inception_4c,inception_4e,inception_5b", "0,64,128"
HERE = Path(__file__).resolve().parent


def plain(model: Model) -> nn.Module:
    """The same network as an ordinary user has it: nn.LocalResponseNorm, gradients on."""
    module = model.card.build()
    module.load_state_dict(model.module.state_dict())
    for name, child in list(module.named_modules()):
        if isinstance(child, LocalResponseNorm):
            parent, _, last = name.rpartition(".")
            setattr(module.get_submodule(parent), last, nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0))
    return module.eval()


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


def lucents(model: Model, node: str, units: list[int], work: Path | None) -> list[dict[str, float]]:
    """Seconds by the clock and of processors, and the activation reached, for each unit. What
    `work` knows to be reached is not run again, but for the first."""
    known = json.loads(work.read_text()) if work is not None and work.exists() else {}
    module = plain(model)
    found: list[dict[str, float]] = []
    for unit in units:
        key = f"{node}/{unit}"
        if key in known and found:
            found.append({**found[0], "goal": known[key]["goal"]})
            continue
        started = time.perf_counter(), time.process_time()
        picture = run_lucent(module, model, node, unit, STEPS)
        one = {
            "clock": time.perf_counter() - started[0],
            "cpu": time.process_time() - started[1],
            "goal": evaluate(model, node, picture, [unit])[0],
        }
        found.append(one)
        print(f"lucent {key}: {one}", flush=True)
        if work is not None:
            known[key] = one
            work.write_text(json.dumps(known, indent=1) + "\n")
    return found


class Build:
    """A build of ours in a process of its own, which answers to_goal.py's questions."""

    def __init__(self, source: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "to_goal.py")],
            env={**os.environ, "PYTHONPATH": str(source)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a build ended without an answer; its error stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer


def measure(builds: dict[str, Build], asked: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    """For each build and goal: steps, seconds by the clock, seconds of processors; None and
    infinite where a goal is not reached."""
    needed = {name: build.ask(**asked)["needed"] for name, build in builds.items()}
    plain = {key: value for key, value in asked.items() if key != "goals"}
    timed: dict[str, list[dict[str, float]]] = {name: [] for name in builds}
    for turn in range(RUNS):
        order = list(builds) if turn % 2 else list(builds)[::-1]
        for name in order:
            length = max(step or MOST for step in needed[name])
            timed[name].append(builds[name].ask(**plain, steps=length))
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name, times in timed.items():
        each = [statistics.median(t[key] for t in times) for key in ("step_s", "step_cpu_s")]
        found[name] = [
            (step, *((step or float("inf")) * seconds for seconds in each)) for step in needed[name]
        ]
    return found


def table(rows: list[dict[str, Any]], others: list[str]) -> str:
    """As Markdown, with lines about all of them. A row has the unit, its goal, and what each side
    took: steps, seconds by the clock, seconds of processors."""
    head = ["unit", "goal"]
    for side in (*others, "ours"):
        head += [f"{side}: steps", "s", "s of CPU"]
    for side in others:
        head += [f"against {side}", "CPU"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    ratios: dict[tuple[str, str], list[float]] = {}
    for r in rows:
        cells = [r["unit"], f"{r['goal']:.0f}"]
        for side in (*others, "ours"):
            steps, clock, cpu = r[side]
            cells += [str(steps or "not reached"), f"{clock:.2f}", f"{cpu:.2f}"]
        for side in others:
            for k, kind in ((1, "by the clock"), (2, "in time of processors")):
                ratio = r[side][k] / r["ours"][k]
                ratios.setdefault((side, kind), []).append(ratio)
                cells.append(f"{ratio:.1f}x" if ratio < 10 else f"{ratio:.0f}x")
        lines.append(f"| {' | '.join(cells)} |")
    said = [
        f"- against {side}, {kind}: median {statistics.median(found):.1f}x, "
        f"worst {min(found):.1f}x, best {max(found):.1f}x"
        for (side, kind), found in ratios.items()
    ]
    return "\n".join([*lines, "", *said]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lucent", type=Path, help="folder lucent was installed into")
    parser.add_argument("--nodes", default=NODES)
    parser.add_argument("--units", default=UNITS)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--older", type=Path, help="another checkout of ours")
    parser.add_argument("--work", type=Path, help="where it is kept what Lucent reaches")
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/benchmarks.md"
    )
    args = parser.parse_args()
    lucent_standins.install(args.lucent)
    model = load("inceptionv1_caffe")
    targets = [int(u) for u in args.units.split(",")]
    builds = {"ours": Build(HERE.parent / "src")}
    others = ["Lucent"]
    if args.older:
        builds["older"] = Build(args.older / "src")
        others.append("older")
    rows: list[dict[str, Any]] = []
    for node in (model.node(name).id for name in args.nodes.split(",")):
        reached = lucents(model, node, targets, args.work)
        asked = {
            "node": node,
            "units": targets,
            "goals": [one["goal"] for one in reached],
            "batch": args.batch,
            "threads": torch.get_num_threads(),
        }
        measured = measure(builds, asked)
        for i, (unit, one) in enumerate(zip(targets, reached, strict=True)):
            row = {"unit": f"{node}/{unit}", "goal": one["goal"]}
            row["Lucent"] = STEPS, one["clock"], one["cpu"]
            rows.append({**row, **{name: found[i] for name, found in measured.items()}})
        print(table(rows[-len(targets) :], others), flush=True)
    machine = (
        f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}, "
        f"AMX: {'yes' if torch.cpu._is_amx_tile_supported() else 'no'}, torch {torch.__version__}, "
        f"pictures of {SIZE} px, {args.batch} units at a time, load of the machine at the end "
        f"{os.getloadavg()[0]:.1f}:\n\n"
    )
    whole = machine + table(rows, others)
    print(whole)
    if args.write:
        write_between("against_lucent.py", whole)


if __name__ == "__main__":
    main()
