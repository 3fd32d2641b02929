"""Are claims that are true told from claims that are not?

    python benchmarks/claims.py assembled toytown toytown_vit dictionary --out claims.json

Toytown's pictures come with exact masks of their parts, and its generator draws a scene again
without a part. Three truths follow from that (`claims_truth.py`), each stricter than the one before:
*shown*, *needed*, *carried*. Kinds of claims are

- true: a unit that means a thing is built from one that means a part of it;
- control: the same with a unit that means, as clearly, a part which the thing does not have;
- idle: with one that means a part which the thing has, but which can be erased without a loss;
- random: any two units.

The network `assembled` is trained here, if its weights are not beside `--out` yet, so that its
compositions are known (`micrograph.organisms.assembled`). Truth and evidence use different
pictures. Targets are divided in two halves: whoever changes the rule looks at the first only
(`--half tuning`); the table in docs/claims.md tells both apart. `--plot FILE` draws what was found.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import claims_truth as truth
import numpy as np
from claims_truth import PARTS, THINGS

from micrograph import load
from micrograph.circuits.claims.answers import Answers, look
from micrograph.circuits.claims.bench import Bench
from micrograph.circuits.claims.evidence import LINES, SUPPORTS
from micrograph.circuits.claims.judge import checked, judged
from micrograph.circuits.claims.statistics import area_under_curve, score, share_interval
from micrograph.circuits.claims.synthesis import Synthesizer
from micrograph.claims import Claim, ClaimSource
from micrograph.datasets import open_dataset
from micrograph.lenses.engines import presets
from micrograph.models.model import Model
from micrograph.organisms.assembled import network as assembled
from micrograph.organisms.assembled.train import AssembledSettings, train
from micrograph.organisms.toytown.composition import COMPOSED
from micrograph.subject import UnitSubject

NETWORKS = {
    "assembled": ("assembled", "parts", "things"),
    "toytown": ("toytown", "mixed4c", "mixed5a"),
    "toytown_vit": ("toytown_vit", "blocks.2.mlp.act", "blocks.4.mlp.act"),
    "dictionary": ("toytown", "mixed4a.sae", "mixed4b"),
}
"""Model, node of the sources, node of the targets."""

PART_OVERLAP, THING_OVERLAP = 0.1, 0.15
"""Intersection over union from which a unit means a concept; Bau et al. (2017) take 0.04."""
HALF = 0.5
"""The share of an answer that has to go with a part for the part to be needed."""
NOTHING = 0.1
"""Up to this share the part is idle."""
CARRIED = 0.05
"""The share of the target's answer that a part takes by way of one source, from which that source
carries it; its interval over scenes must be above 0 too."""
HALVES = ("tuning", "held out")
KINDS = ("true", "control", "idle", "random")
PER_TARGET = 6
"""Random claims about one target."""


@dataclass(frozen=True)
class Trial:
    """One claim of the study. `plain` says that it was drawn among all that are true by masks (or is
    the control of one that was); `fall` is what its target loses with the part, and `carried` what
    it loses by way of the source, None where that cannot be known."""

    claim: Claim
    kind: str
    half: str
    about: str
    plain: bool = True
    fall: float | None = None
    carried: float | None = None
    surely: bool = False


@dataclass(frozen=True)
class Pair:
    """A source, the part that it means, and the truth about it and a target."""

    source: int
    part: int
    fall: float | None
    carried: float | None
    surely: bool


def trials(
    model: Model, nodes: tuple[str, str], seen: truth.Scenes, each: int, randoms: int
) -> Iterator[Trial]:
    """The claims of the study."""
    source, target = nodes
    units, above = truth.units_of(model, nodes, seen)
    means = {
        unit: part
        for unit, part in truth.matched(units.overlap, PART_OVERLAP, 3).items()
        if units.shown[unit, part] >= truth.FEWEST and units.fall[unit, part] >= HALF
    }
    are = truth.matched(above.overlap, THING_OVERLAP, 1)
    print(f"{len(are)} units of {target} mean things, {len(means)} units of {source} mean parts")
    draw = np.random.default_rng(0)
    for number, (unit, thing) in enumerate(are.items()):
        has = [_pairs(model, nodes, seen, above, unit, means, p) for p in _parts_of(thing)]
        pairs = [pair for some in has for pair in some]
        absent = [u for u, p in means.items() if p not in _parts_of(thing)]
        plain = [pairs[k] for k in draw.permutation(len(pairs))[:each]]
        more = [p for p in pairs if p not in plain and _is_carried(p)]
        chosen = plain + sorted(more, key=lambda p: p.source)[:each]
        idle = [p for p in pairs if p.fall is not None and p.fall <= NOTHING]
        half = HALVES[number % 2]
        for one in chosen:
            # The control whose unit means its part as clearly.
            clear = units.overlap[one.source].max()
            other = min(absent, key=lambda u: abs(units.overlap[u].max() - clear))
            absent.remove(other)
            told = f"{THINGS[thing]} from "
            facts = {"half": half, "plain": one in plain, "fall": one.fall}
            facts |= {"carried": one.carried, "surely": one.surely}
            yield Trial(
                _claim(model, nodes, unit, one.source),
                kind="true",
                about=told + PARTS[one.part],
                **facts,
            )
            # A control stands for the claim that it was matched to: of the same half, as true.
            yield Trial(
                _claim(model, nodes, unit, other),
                kind="control",
                about=told + PARTS[means[other]],
                **facts,
            )
        for one in idle[:each]:
            yield Trial(
                _claim(model, nodes, unit, one.source),
                "idle",
                half,
                f"{THINGS[thing]} from {PARTS[one.part]}",
                fall=one.fall,
            )
    for number in range(randoms // PER_TARGET):
        unit = int(draw.integers(model.node(target).units))
        for one in draw.choice(model.node(source).units, PER_TARGET, replace=False).tolist():
            if unit in are and means.get(one, -1) in _parts_of(are[unit]):
                continue  # true by chance
            yield Trial(_claim(model, nodes, unit, one), "random", HALVES[number % 2], "")


def _parts_of(thing: int) -> list[int]:
    return [PARTS.index(part) for part in sorted(COMPOSED[THINGS[thing]])]


def _pairs(
    model: Model,
    nodes: tuple[str, str],
    seen: truth.Scenes,
    above: truth.Units,
    unit: int,
    means: dict[int, int],
    part: int,
) -> list[Pair]:
    """The sources that mean a part of the target's thing."""
    sources = [u for u, p in means.items() if p == part]
    if not sources:
        return []
    fall = float(above.fall[unit, part]) if above.shown[unit, part] >= truth.FEWEST else None
    by_way = (
        truth.carried(model, nodes, seen, above.top, unit, part, sources)
        if fall is not None and fall >= HALF
        else {}
    )
    return [
        Pair(one, part, fall, *(by_way[one][0], by_way[one][1] > 0))
        if one in by_way
        else Pair(one, part, fall, None, False)
        for one in sources
    ]


def _is_carried(pair: Pair) -> bool:
    return pair.carried is not None and pair.carried >= CARRIED and pair.surely


def _claim(model: Model, nodes: tuple[str, str], unit: int, other: int) -> Claim:
    source, target = nodes
    return Claim(model.id, UnitSubject(target, unit), (ClaimSource(UnitSubject(source, other)),))


def answers_of(model: Model, nodes: tuple[str, str], pictures: int) -> Answers:
    """What all units of both nodes answer to the pictures of the evidence."""
    units = {node: list(range(model.node(node).units)) for node in nodes}
    return look(model, open_dataset(f"toytown:{pictures}"), units, pictures=pictures)


Row = dict[str, Any]

TRUTHS: dict[str, Callable[[Row], bool]] = {
    "shown": lambda row: row["plain"],
    "needed": lambda row: row["plain"] and row["fall"] is not None and row["fall"] >= HALF,
    "carried": lambda row: (
        row["carried"] is not None and row["carried"] >= CARRIED and row["surely"]
    ),
}
"""Which true claims (with their controls) are true in which sense."""


def summary(rows: list[Row], half: str) -> dict[str, Any]:
    """Area under the curve by each truth, and how many claims of each kind are supported."""
    rows = [row for row in rows if half in ("both", row["half"])]
    found: dict[str, Any] = {}
    for name, holds in TRUTHS.items():
        true = [r for r in rows if r["kind"] == "true" and holds(r)]
        found[name] = _supported(true)
        for kind in ("control", "idle", "random"):
            others = [
                r for r in rows if r["kind"] == kind and (kind != "control" or holds(r))
            ]
            found[name][kind] = _supported(others) | _ranked(true, others)
    return found


def _supported(rows: list[Row]) -> dict[str, Any]:
    hits = sum(r["verdict"] == SUPPORTS for r in rows)
    return {
        "claims": len(rows),
        "supported": hits,
        "interval": share_interval(hits, max(1, len(rows))),
        "contradicted": sum(r["verdict"] == "contradicts" for r in rows),
    }


def _ranked(true: list[Row], others: list[Row]) -> dict[str, Any]:
    """How true claims rank over others; the interval draws targets with replacement, because
    claims about one target are not independent."""
    a, b = ([r for r in some if r["ps"]] for some in (true, others))
    if len(a) < 3 or len(b) < 3:
        return {}
    draw = np.random.default_rng(0)
    sides = [_by_target(a), _by_target(b)]
    again = []
    for _ in range(500):
        x, y = (
            np.concatenate([some[k] for k in draw.integers(0, len(some), len(some))])
            for some in sides
        )
        again.append(area_under_curve(x.tolist(), y.tolist()))
    return {
        "auc": area_under_curve([r["strength"] for r in a], [r["strength"] for r in b]),
        "auc_interval": np.quantile(again, [0.025, 0.975]).tolist(),
        "lines": {
            name: area_under_curve(
                [score(r["ps"][name]) for r in a], [score(r["ps"][name]) for r in b]
            )
            for name in LINES
        },
    }


def _by_target(rows: list[Row]) -> list[np.ndarray]:
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["claim"].split(" <- ")[0], []).append(row["strength"])
    return [np.array(some) for some in found.values()]


def network(name: str, folder: Path) -> Model:
    """The network, `assembled` trained first where it is not in `folder`."""
    if name != "assembled":
        return load(name)
    if not (folder / "assembled" / "weights.safetensors").exists():
        train(AssembledSettings(), folder / "assembled")
    return assembled.model(assembled.trained(folder / "assembled" / "weights.safetensors"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="+", choices=list(NETWORKS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=400, help="from which the truth is known")
    parser.add_argument("--pictures", type=int, default=300, help="on which claims are judged")
    parser.add_argument("--each", type=int, default=3, help="claims of a kind about one target")
    parser.add_argument("--randoms", type=int, default=60)
    parser.add_argument("--half", choices=(*HALVES, "both"), default="both")
    parser.add_argument("--plot", type=Path)
    args = parser.parse_args()
    done = json.loads(args.out.read_text()) if args.out.exists() else {}
    for name in args.networks:
        id, *nodes = NETWORKS[name]
        model = network(id, args.out.parent)
        model.node(nodes[0])  # brings a bundled dictionary in
        seen = truth.drawn(args.scenes, args.out.parent)
        done[name] = studied(model, (nodes[0], nodes[1]), seen, args)
        args.out.write_text(json.dumps(done, indent=1))


def studied(
    model: Model, nodes: tuple[str, str], seen: truth.Scenes, args: argparse.Namespace
) -> dict[str, Any]:
    """What became of the claims about one network."""
    started = time.process_time()
    listed = [
        trial
        for trial in trials(model, nodes, seen, args.each, args.randoms)
        if args.half in ("both", trial.half)
    ]
    print({kind: sum(t.kind == kind for t in listed) for kind in KINDS}, flush=True)
    bench = Bench(model, answers_of(model, nodes, args.pictures))
    maker = Synthesizer(model, presets.settings("draft", model))
    rows: list[Row] = []
    # Claims about one target stand together: what they share is measured once.
    for number, trial in enumerate(listed):
        found = judged(bench, maker, checked(model, trial.claim))
        told = {k: v for k, v in trial.__dict__.items() if k != "claim"}
        rows.append(
            {
                "claim": str(trial.claim),
                **told,
                "verdict": found.verdict,
                "strength": found.strength,
                "lines": {line.name: line.verdict for line in found.lines},
                "ps": {line.name: r.p for line in found.lines for r in line.readings},
            }
        )
        if number % 20 == 19:
            seconds = time.process_time() - started
            print(f"{number + 1} of {len(listed)}, {seconds:.0f} s", flush=True)
    return {
        "nodes": nodes,
        "seconds": time.process_time() - started,
        "summary": {half: summary(rows, half) for half in (*HALVES, "both")},
        "rows": rows,
    }


if __name__ == "__main__":
    main()
