"""Seconds per unit to the activation that Lucent reaches: Lucent against Micrograph, in one run.

    python -m venv VENV; VENV/bin/pip install --no-deps torch-lucent==0.1.8 decorator tqdm
    VENV/bin/pip install ipython==8.20.0       (Lucent imports it)
    python benchmarks/against_lucent.py --lucent VENV/lib/python3.11/site-packages --write

Both work on BVLC GoogLeNet with its real weights (MICROGRAPH_WEIGHTS) and optimize the channel
objective under lucid's standard transformations. Lucent runs with its own defaults: a picture of
128 px, enlarged to 224 for the network, 512 steps a unit, on the plain network (torch's own
response normalization, parameters as torch makes them); ours are pictures of 224 px, 16 units at a
time, with settings as they are by default. Neutral evaluator for both: the finished picture in 8
bits, resized to 224 px, fp32, mean over the map. By default twelve units at four nodes.

    --older CHECKOUT    measures another checkout of ours too, turn by turn with this one
    --work FILE         keeps what Lucent took and reached, unit by unit, and goes on from there:
                        for trying things; a table that is published measures both sides
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
from to_goal import SIZE, evaluate
from torch import Tensor, nn

from micrograph.models import load
from micrograph.models.model import Model
from micrograph.networks.layers import LocalResponseNorm

STEPS = 512
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
    """Seconds and activation of each unit; what `work` knows is not run again."""
    known = json.loads(work.read_text()) if work is not None and work.exists() else {}
    module = plain(model)
    for unit in units:
        key = f"{node}/{unit}"
        if key not in known:
            started = time.perf_counter(), time.process_time()
            picture = run_lucent(module, model, node, unit, STEPS)
            known[key] = {
                "seconds": time.perf_counter() - started[0],
                "cpu": time.process_time() - started[1],
                "goal": evaluate(model, node, picture, [unit])[0],
            }
            print(f"lucent {key}: {known[key]}", flush=True)
            if work is not None:
                work.write_text(json.dumps(known, indent=1) + "\n")
    return [known[f"{node}/{unit}"] for unit in units]


def ours(source: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """What to_goal.py finds with the package at `source`, in a process of its own."""
    command = [sys.executable, str(HERE / "to_goal.py"), json.dumps(asked)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(source)}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(rows: list[dict[str, Any]], older: bool) -> str:
    """As Markdown, with a line about all of them."""
    head = ["unit", "goal", "Lucent, s", "steps", "s", "against Lucent"]
    if older:
        head[3:3] = ["older: steps", "s"]
        head.append("against older")
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for r in rows:
        cells = [r["unit"], f"{r['goal']:.0f}", f"{r['lucent_s']:.1f}"]
        if older:
            cells += [r["older"][0] or "not reached", f"{r['older'][1]:.2f}"]
        cells += [r["ours"][0] or "not reached", f"{r['ours'][1]:.2f}"]
        cells.append(f"{r['lucent_s'] / r['ours'][1]:.0f}x")
        if older:
            cells.append(f"{r['older'][1] / r['ours'][1]:.1f}x")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    ratios = {"Lucent": [r["lucent_s"] / r["ours"][1] for r in rows]}
    if older:
        ratios["the older build"] = [r["older"][1] / r["ours"][1] for r in rows]
    said = [
        f"against {name}: median {statistics.median(found):.1f}x, worst {min(found):.1f}x"
        for name, found in ratios.items()
    ]
    return "\n".join(lines) + f"\n\n{'; '.join(said).capitalize()}.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lucent", type=Path, help="folder lucent was installed into")
    parser.add_argument("--nodes", default=NODES)
    parser.add_argument("--units", default=UNITS)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--older", type=Path, help="another checkout of ours")
    parser.add_argument("--work", type=Path, help="where Lucent's runs are kept")
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/benchmarks.md"
    )
    args = parser.parse_args()
    lucent_standins.install(args.lucent)
    model = load("inceptionv1_caffe")
    targets = [int(u) for u in args.units.split(",")]
    rows: list[dict[str, Any]] = []
    for node in (model.node(name).id for name in args.nodes.split(",")):
        found = lucents(model, node, targets, args.work)
        asked = {
            "node": node,
            "units": targets,
            "goals": [one["goal"] for one in found],
            "batch": args.batch,
            "threads": torch.get_num_threads(),
        }
        sides = {"ours": HERE.parent / "src"}
        if args.older:
            sides = {"older": args.older / "src", **sides}
        measured = {name: ours(source, asked) for name, source in sides.items()}
        for i, (unit, one) in enumerate(zip(targets, found, strict=True)):
            row = {"unit": f"{node}/{unit}", "goal": one["goal"], "lucent_s": one["seconds"]}
            for name, side in measured.items():
                steps = side["needed"][i]
                row[name] = steps, (steps or float("inf")) * side["step_s"]
            rows.append(row)
        print(table(rows[-len(targets) :], bool(args.older)), flush=True)
    machine = (
        f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}, "
        f"AMX: {'yes' if torch.cpu._is_amx_tile_supported() else 'no'}, torch {torch.__version__}, "
        f"pictures of {SIZE} px, {args.batch} units at a time:\n\n"
    )
    whole = machine + table(rows, bool(args.older))
    print(whole)
    if args.write:
        write_between("against_lucent.py", whole)


if __name__ == "__main__":
    main()
