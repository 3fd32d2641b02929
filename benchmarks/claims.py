"""Are claims that are true told from claims that are not?

    python benchmarks/claims.py assembled toytown dictionary toytown_vit latents --out claims.json

Toytown's pictures come with exact masks of their parts, and its generator draws a scene again
without a part. Three truths follow from that (`claims_truth.py`), each stricter than the one
before: *shown*, *needed*, *carried*. Kinds of claims are

- true: a unit that means a thing is built from one that means a part of it;
- control: the same with a unit that means, as clearly, a part which the thing does not have;
- idle: with one that means a part which the thing has, but which can be erased without a loss;
- random: any two units.

The network `assembled` is trained here, if its weights are not beside `--out` yet, so that its
compositions are known (`micrograph.organisms.assembled`), and so is the dictionary of `latents`.
Truth and evidence use different
pictures. Targets are divided in two halves: whoever changes the rule looks at the first only
(`--half tuning`); the table in docs/claims.md tells both apart. A study that was stopped goes on
where it was; `claims_summary.py` and `claims_plot.py` tell what was found so far.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import claims_truth as truth
import numpy as np
from claims_summary import HALF, HALVES, Row, is_carried, table
from claims_truth import PARTS, THINGS

from micrograph import load
from micrograph.cards.preprocessing import Preprocessing
from micrograph.circuits.claims.answers import Answers, look
from micrograph.circuits.claims.bench import Bench
from micrograph.circuits.claims.judge import checked, judged
from micrograph.circuits.claims.synthesis import Synthesizer
from micrograph.claims import Claim, ClaimSource
from micrograph.datasets import open_dataset
from micrograph.lenses.engines import presets
from micrograph.models.model import Model
from micrograph.organisms.assembled import network as assembled
from micrograph.organisms.assembled.train import AssembledSettings, train
from micrograph.organisms.toytown.composition import COMPOSED
from micrograph.organisms.toytown.network import INPUT_SIZE as SIZE
from micrograph.organisms.toytown.network import MEAN, STD
from micrograph.runner.batch_topk import DictionarySettings
from micrograph.runner.train_dictionary import train as train_dictionary
from micrograph.subject import UnitSubject

NETWORKS = {
    "assembled": ("assembled", "parts", "things"),
    "toytown": ("toytown", "mixed4c", "mixed5a"),
    "toytown_vit": ("toytown_vit", "blocks.2.mlp.act", "blocks.4.mlp.act"),
    "dictionary": ("toytown", "mixed4a.sae", "mixed4b"),
    "latents": ("toytown_vit", "blocks.3.sae", "blocks.5.mlp.act"),
}
"""Model, node of the sources, node of the targets."""
LATENTS = DictionarySettings(latents=768, k=8, steps=1200)
"""The dictionary of a transformer's residual stream, trained for `latents`."""

PART_OVERLAP, THING_OVERLAP = 0.1, 0.15
"""Intersection over union from which a unit means a concept; Bau et al. (2017) take 0.04."""
NOTHING = 0.1
"""Up to this share the part is idle."""
PER_TARGET = 6
"""Random claims about one target."""


@dataclass(frozen=True)
class Trial:
    """One claim of the study. `plain` says that it was drawn among all that are true by masks (or
    is the control of one that was); `fall` is what its target loses with the part, `carried` what
    it loses by way of the source (`surely`: in its interval), None where that is not known."""

    claim: Claim
    kind: str
    half: str
    about: str
    plain: bool = True
    fall: float | None = None
    carried: tuple[float, float] | None = None


@dataclass(frozen=True)
class Pair:
    """A source, the part that it means, and the truth about it and a target; `carried` is the share
    and the lower end of its interval."""

    source: int
    part: int
    fall: float | None
    carried: tuple[float, float] | None

    @property
    def is_carried(self) -> bool:
        return is_carried(self.carried)


@dataclass(frozen=True)
class Meanings:
    """What units of the sources' node and of the targets' answer to, and the parts and the things
    that some of them mean, by unit."""

    source: truth.Units
    target: truth.Units
    parts: dict[int, int]
    things: dict[int, int]


def meanings(model: Model, nodes: tuple[str, str], seen: truth.Scenes, things: int) -> Meanings:
    """Units matched to parts and to at most so many `things`."""
    source, target = truth.units_of(model, nodes, seen)
    parts = {
        unit: part
        for unit, part in truth.matched(source.overlap, PART_OVERLAP, 3).items()
        if source.shown[unit, part] >= truth.FEWEST and source.fall[unit, part] >= HALF
    }
    found = list(truth.matched(target.overlap, THING_OVERLAP, 1).items())
    draw = np.random.default_rng(0)
    kept = [found[k] for k in sorted(draw.permutation(len(found))[:things].tolist())]
    told = f"{len(found)} units of {nodes[1]} mean things, {len(parts)} of {nodes[0]} parts"
    print(told, flush=True)
    return Meanings(source, target, parts, dict(kept))


def trials(
    model: Model, nodes: tuple[str, str], seen: truth.Scenes, known: Meanings, each: int
) -> Iterator[list[Trial]]:
    """True claims with their controls, and idle ones, about one target after the other."""
    draw = np.random.default_rng(0)
    for number, (unit, thing) in enumerate(known.things.items()):
        pairs = [
            p for part in _parts_of(thing) for p in _pairs(model, nodes, seen, known, unit, part)
        ]
        absent = [u for u, part in known.parts.items() if part not in _parts_of(thing)]
        plain = [pairs[k] for k in draw.permutation(len(pairs))[:each]]
        more = [pair for pair in pairs if pair not in plain and pair.is_carried]
        half, told = HALVES[number % 2], f"{THINGS[thing]} from "
        found = []
        for one in plain + more[:each]:
            # The control whose unit means its part as clearly.
            clear = known.source.overlap[one.source].max()
            other = min(absent, key=lambda u: abs(known.source.overlap[u].max() - clear))
            absent.remove(other)
            # A control stands for the claim that it was matched to, and goes with its truth.
            facts = {"half": half, "plain": one in plain, "fall": one.fall, "carried": one.carried}
            for kind, source in (("true", one.source), ("control", other)):
                about = told + PARTS[known.parts[source]]
                found.append(Trial(_claim(model, nodes, unit, source), kind, about=about, **facts))
        idle = [pair for pair in pairs if pair.fall is not None and pair.fall <= NOTHING]
        for one in idle[:each]:
            claim, about = _claim(model, nodes, unit, one.source), told + PARTS[one.part]
            found.append(Trial(claim, "idle", half, about, fall=one.fall))
        yield found


def random_trials(
    model: Model, nodes: tuple[str, str], known: Meanings, count: int
) -> Iterator[list[Trial]]:
    """Claims about any two units, but those that happen to be true."""
    draw = np.random.default_rng(1)
    for number in range(count // PER_TARGET):
        unit = int(draw.integers(model.node(nodes[1]).units))
        parts = _parts_of(known.things[unit]) if unit in known.things else []
        chosen = draw.choice(model.node(nodes[0]).units, PER_TARGET, replace=False).tolist()
        yield [
            Trial(_claim(model, nodes, unit, one), "random", HALVES[number % 2], "")
            for one in chosen
            if known.parts.get(one, -1) not in parts
        ]


def _parts_of(thing: int) -> list[int]:
    return [PARTS.index(part) for part in sorted(COMPOSED[THINGS[thing]])]


def _pairs(
    model: Model, nodes: tuple[str, str], seen: truth.Scenes, known: Meanings, unit: int, part: int
) -> list[Pair]:
    """The sources that mean a part of the target's thing."""
    sources = [u for u, p in known.parts.items() if p == part]
    above = known.target
    fall = float(above.fall[unit, part]) if above.shown[unit, part] >= truth.FEWEST else None
    by_way: dict[int, tuple[float, float]] = {}
    if sources and fall is not None and fall >= HALF:
        ways = truth.carried(model, nodes, seen, above.top, unit, part, [[one] for one in sources])
        by_way = dict(zip(sources, ways, strict=False))  # none where too few scenes show the part
    return [Pair(one, part, fall, by_way.get(one)) for one in sources]


def _claim(model: Model, nodes: tuple[str, str], unit: int, other: int) -> Claim:
    source, target = nodes
    return Claim(model.id, UnitSubject(target, unit), (ClaimSource(UnitSubject(source, other)),))


def answers_of(model: Model, nodes: tuple[str, str], pictures: int) -> Answers:
    """What all units of both nodes answer to the pictures of the evidence."""
    units = {node: list(range(model.node(node).units)) for node in nodes}
    return look(model, open_dataset(f"toytown:{pictures}"), units, pictures=pictures)


def network(name: str, folder: Path) -> Model:
    """The network; what has to be trained for it is, where it is not in `folder`."""
    if name != "assembled":
        id, node, _ = NETWORKS[name]
        model = load(id)
        if name == "latents":
            base, file = node.removesuffix(".sae"), folder / f"{id}-{node}.safetensors"
            if not file.exists():
                train_dictionary(model, base, "toytown:2000", file, LATENTS)
            model.attach(base, str(file))
        return model
    if not (folder / "assembled" / "weights.safetensors").exists():
        train(AssembledSettings(), folder / "assembled")
    return Model.of(
        assembled.trained(folder / "assembled" / "weights.safetensors"),
        id="assembled",
        preprocessing=Preprocessing(size=SIZE, resize=SIZE, mean=MEAN, std=STD),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="+", choices=list(NETWORKS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=400, help="from which the truth is known")
    parser.add_argument("--pictures", type=int, default=300, help="on which claims are judged")
    parser.add_argument("--things", type=int, default=16, help="targets, at most")
    parser.add_argument("--each", type=int, default=2, help="claims of a kind about one target")
    parser.add_argument("--randoms", type=int, default=42)
    parser.add_argument("--half", choices=(*HALVES, "both"), default="both")
    args = parser.parse_args()
    done = json.loads(args.out.read_text()) if args.out.exists() else {}
    for name in args.networks:
        _, *nodes = NETWORKS[name]
        model = network(name, args.out.parent)
        model.node(nodes[0])  # brings a bundled dictionary in
        seen = truth.drawn(args.scenes, args.out.parent)

        def keep(found: dict[str, Any], name: str = name) -> None:
            done[name] = found
            args.out.write_text(json.dumps(done, indent=1))

        studied(model, (nodes[0], nodes[1]), seen, args, done.get(name, {}), keep)
    print(table(done))


def studied(
    model: Model,
    nodes: tuple[str, str],
    seen: truth.Scenes,
    args: argparse.Namespace,
    before: dict[str, Any],
    keep: Callable[[dict[str, Any]], None],
) -> None:
    """What becomes of the claims about one network; `keep` is given it again and again, and
    `before` is what it was given when the study was stopped."""
    started = time.process_time() - before.get("seconds", 0)
    known = meanings(model, nodes, seen, args.things)
    bench = Bench(model, answers_of(model, nodes, args.pictures))
    maker = Synthesizer(model, presets.settings("draft", model))
    rows: list[Row] = before.get("rows", [])
    known_already = {(row["claim"], row["kind"]) for row in rows}
    # In turns, so that a study that is stopped early has some of every kind.
    turns = zip_longest(
        trials(model, nodes, seen, known, args.each),
        random_trials(model, nodes, known, args.randoms),
        fillvalue=[],
    )
    for trial in (trial for turn in turns for some in turn for trial in some):
        done = (str(trial.claim), trial.kind) in known_already
        if done or args.half not in ("both", trial.half):
            continue
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
        if len(rows) % 5 == 0:
            keep({"nodes": nodes, "seconds": time.process_time() - started, "rows": rows})
            print(f"{len(rows)} claims, {time.process_time() - started:.0f} s", flush=True)
    keep({"nodes": nodes, "seconds": time.process_time() - started, "rows": rows})


if __name__ == "__main__":
    main()
