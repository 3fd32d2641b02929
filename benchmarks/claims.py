"""Are claims that are true told from claims that are not?

    python benchmarks/claims.py --out claims.json toytown toytown_vit dictionary

Toytown's pictures come with exact masks of their parts, and every class has parts that it is always
composed of. Units are matched to parts and to whole things by the overlap of where they fire with
the masks (network dissection). A claim is true where a unit that means a thing is said to be built
from one that means a part of that thing; its matched control names a unit that means a part which
the thing does not have. Random claims name any two units.

Dissection and evidence use different pictures. Targets are divided in two halves: whoever changes
the rule looks at the first only (`--half tuning`); the table in docs/claims.md tells both apart.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from micrograph import load
from micrograph.circuits.claims.answers import Answers, as_map, look
from micrograph.circuits.claims.bench import Bench
from micrograph.circuits.claims.evidence import LINES, SUPPORTS
from micrograph.circuits.claims.judge import checked, judged
from micrograph.circuits.claims.statistics import area_under_curve, score, share_interval
from micrograph.circuits.claims.synthesis import Synthesizer
from micrograph.claims import Claim, ClaimSource
from micrograph.datasets import open_dataset
from micrograph.lenses.engines import presets
from micrograph.models.model import Model
from micrograph.organisms.toytown import scenes
from micrograph.organisms.toytown.composition import COMPOSED
from micrograph.organisms.toytown.parts import PARTS
from micrograph.subject import UnitSubject

NETWORKS = {
    "toytown": ("toytown", "mixed4c", "mixed5a"),
    "toytown_vit": ("toytown_vit", "blocks.2.mlp.act", "blocks.4.mlp.act"),
    "dictionary": ("toytown", "mixed4a.sae", "mixed4b"),
}
"""Model, node of the sources, node of the targets."""

QUANTILE = 0.99
"""A unit fires where it is above this quantile of all its values."""
PART_OVERLAP, THING_OVERLAP = 0.1, 0.15
"""Intersection over union from which a unit means a concept; Bau et al. (2017) take 0.04."""
HALVES = ("tuning", "held out")
KINDS = ("true", "control", "random")
CELL = 1 / 3
"""The share of a cell from which it counts as showing a part."""
THINGS = tuple(COMPOSED)


@dataclass(frozen=True)
class Trial:
    """One claim of the study: `kind` is true, control or random; `half` tuning or held out."""

    claim: Claim
    kind: str
    half: str
    about: str


def masks(seeds: range, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """bool [picture, part, y, x] and [picture, thing, y, x]: which cells show what."""
    parts = np.zeros((len(seeds), len(PARTS), cells, cells), bool)
    things = np.zeros((len(seeds), len(THINGS), cells, cells), bool)
    for k, seed in enumerate(seeds):
        one = scenes.scene(seed)
        parts[k] = _cells(one.masks, cells) > CELL
        things[k, one.label] = _cells(one.figure[None], cells)[0] > CELL
    return parts, things


def _cells(counts: np.ndarray, cells: int) -> np.ndarray:
    step = counts.shape[-1] // cells
    return counts.reshape(-1, cells, step, cells, step).mean((2, 4)) / 4


@torch.no_grad()
def overlaps(model: Model, node: str, seeds: range, concepts: np.ndarray) -> np.ndarray:
    """Intersection over union of where units fire and where concepts are, [unit, concept]."""
    found = []
    for first in range(0, len(seeds), 20):
        some = [scenes.picture(seed) for seed in seeds[first : first + 20]]
        images = torch.from_numpy(np.stack(some)).permute(0, 3, 1, 2).float() / 255
        found.append(as_map(model.run(images, [node])[node]).numpy())
    values = np.concatenate(found).transpose(1, 0, 2, 3).reshape(model.node(node).units, -1)
    limit = np.quantile(values, QUANTILE, axis=1, keepdims=True)
    fires = (values > np.maximum(limit, 0)).astype(np.float32)
    there = concepts.transpose(1, 0, 2, 3).reshape(concepts.shape[1], -1).astype(np.float32)
    both = fires @ there.T
    return both / np.maximum(fires.sum(1)[:, None] + there.sum(1)[None] - both, 1)


def trials(
    model: Model,
    source: str,
    target: str,
    pictures: int,
    things_count: int,
    count: int,
    randoms: int,
) -> Iterator[Trial]:
    """The claims of the study."""
    seeds = range(scenes.HELD_OUT + pictures, scenes.HELD_OUT + 3 * pictures)
    parts = overlaps(model, source, seeds, masks(seeds, model.node(source).shape[0])[0])
    things = overlaps(model, target, seeds, masks(seeds, model.node(target).shape[0])[1])
    means = {u: PARTS[k] for u, k in matched(parts, PART_OVERLAP, 3).items()}
    are = {u: THINGS[k] for u, k in matched(things, THING_OVERLAP, 1).items()}
    print(f"{len(are)} units of {target} mean things, {len(means)} units of {source} mean parts")
    draw = np.random.default_rng(0)
    for number, (unit, thing) in enumerate(list(are.items())[:things_count]):
        inside = [u for u, part in means.items() if part in COMPOSED[thing]]
        outside = [u for u, part in means.items() if part not in COMPOSED[thing]]
        half = HALVES[number % 2]
        for one in draw.permutation(inside)[:count].tolist():
            # The control whose unit means its part as clearly.
            other = min(outside, key=lambda u: abs(parts[u].max() - parts[one].max()))
            outside.remove(other)
            for named, kind in ((one, "true"), (other, "control")):
                claim = _claim(model, target, unit, source, named)
                yield Trial(claim, kind, half, f"{thing} from {means[named]}")
    for number in range(randoms // 5):
        unit = int(draw.integers(model.node(target).units))
        for one in draw.choice(model.node(source).units, 5, replace=False).tolist():
            claim = _claim(model, target, unit, source, one)
            yield Trial(claim, "random", HALVES[number % 2], "")


def matched(found: np.ndarray, least: float, count: int) -> dict[int, int]:
    """The units that mean a concept: of `found` overlaps [unit, concept], the best `count` units of
    each concept that overlap by `least` and with no other concept more."""
    best = found.argmax(1)
    return {
        int(unit): concept
        for concept in range(found.shape[1])
        for unit in np.argsort(-found[:, concept], kind="stable")[:count]
        if found[unit, concept] >= least and best[unit] == concept
    }


def _claim(model: Model, target: str, unit: int, source: str, other: int) -> Claim:
    return Claim(model.id, UnitSubject(target, unit), (ClaimSource(UnitSubject(source, other)),))


def answers_of(model: Model, nodes: tuple[str, str], pictures: int) -> Answers:
    """What all units of both nodes answer to the pictures of the evidence."""
    units = {node: list(range(model.node(node).units)) for node in nodes}
    return look(model, open_dataset(f"toytown:{pictures}"), units, pictures=pictures)


def summary(rows: list[dict], half: str) -> dict:
    """Area under the curve, and how many claims of each kind are supported."""
    rows = [row for row in rows if half in ("both", row["half"])]
    of = {kind: [r for r in rows if r["kind"] == kind] for kind in KINDS}
    judged_rows = {k: [r for r in v if r["ps"]] for k, v in of.items()}
    found = {"half": half}
    for kind, some in of.items():
        hits = sum(r["verdict"] == SUPPORTS for r in some)
        low, high = share_interval(hits, max(1, len(some)))
        against = sum(r["verdict"] == "contradicts" for r in some)
        found[kind] = {
            "claims": len(some),
            "supported": hits,
            "low": low,
            "high": high,
            "contradicted": against,
        }
    for other in ("control", "random"):
        a, b = judged_rows["true"], judged_rows[other]
        if a and b:
            found[f"auc_{other}"] = area_under_curve(
                [r["strength"] for r in a], [r["strength"] for r in b]
            )
            found[f"lines_{other}"] = {
                name: area_under_curve(
                    [score(r["ps"][name]) for r in a], [score(r["ps"][name]) for r in b]
                )
                for name in LINES
            }
            draw = np.random.default_rng(0)
            again = [
                area_under_curve(
                    draw.choice([r["strength"] for r in a], len(a)),
                    draw.choice([r["strength"] for r in b], len(b)),
                )
                for _ in range(500)
            ]
            found[f"auc_{other}_interval"] = np.quantile(again, [0.025, 0.975]).tolist()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="+", choices=list(NETWORKS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--things", type=int, default=30)
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--randoms", type=int, default=300)
    parser.add_argument("--half", choices=(*HALVES, "both"), default="both")
    args = parser.parse_args()
    done = json.loads(args.out.read_text()) if args.out.exists() else {}
    for name in args.networks:
        id, source, target = NETWORKS[name]
        model = load(id)
        model.node(source)  # brings a bundled dictionary in
        started = time.process_time()
        listed = [
            trial
            for trial in trials(
                model, source, target, args.pictures, args.things, args.each, args.randoms
            )
            if args.half in ("both", trial.half)
        ]
        of_kind = {kind: [t for t in listed if t.kind == kind] for kind in KINDS}
        # In turns, so that a study that is stopped early has some of every kind.
        listed = [
            t
            for k in range(len(listed))
            for some in of_kind.values()
            for t in some[5 * k : 5 * k + 5]
        ]
        bench = Bench(model, answers_of(model, (source, target), args.pictures))
        maker = Synthesizer(model, presets.settings("draft", model))
        rows = []
        for number, trial in enumerate(listed):
            found = judged(bench, maker, checked(model, trial.claim))
            rows.append(
                {
                    "claim": str(trial.claim),
                    "kind": trial.kind,
                    "half": trial.half,
                    "about": trial.about,
                    "verdict": found.verdict,
                    "strength": found.strength,
                    "lines": {line.name: line.verdict for line in found.lines},
                    "ps": {line.name: r.p for line in found.lines for r in line.readings},
                }
            )
            if number % 10 == 9 or number + 1 == len(listed):
                seconds = time.process_time() - started
                print(f"{number + 1} of {len(listed)}, {seconds:.0f} s", flush=True)
                done[name] = {
                    "nodes": [source, target],
                    "of": len(listed),
                    "seconds": seconds,
                    "summary": {half: summary(rows, half) for half in (*HALVES, "both")},
                    "rows": rows,
                }
                args.out.write_text(json.dumps(done, indent=1))
        print(name, json.dumps(done[name]["summary"]["tuning"], indent=1), flush=True)


if __name__ == "__main__":
    main()
