"""By how many units of a node does a part reach a target?

    python benchmarks/claims_ways.py --folder FOLDER

For every target of the study (`claims.py`) that needs a part: the share of its answer that goes
where so many units of the sources' node, those that overlap with the part most, do what they do in
the scene without the part, everything else being as in the whole scene. One unit is what a claim
names; all units are all that passes through the node.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import claims_truth as truth
import numpy as np
from claims import NETWORKS, THING_OVERLAP, network
from claims_summary import HALF
from claims_truth import PARTS, THINGS

from micrograph.models.model import Model
from micrograph.organisms.toytown.composition import COMPOSED

COUNTS = (1, 3, 10, 100_000)
FURTHER = {"the residual stream": ("toytown_vit", "blocks.3", "blocks.4.mlp.act")}


def shares(model: Model, nodes: tuple[str, str], seen: truth.Scenes) -> Iterator[list[float]]:
    """What each target loses with a part, and by way of so many units as `COUNTS` says."""
    source, target = truth.units_of(model, nodes, seen)
    for unit, thing in truth.matched(target.overlap, THING_OVERLAP, 1).items():
        for part in (PARTS.index(one) for one in sorted(COMPOSED[THINGS[thing]])):
            fall = float(target.fall[unit, part])
            if target.shown[unit, part] < truth.FEWEST or fall < HALF:
                continue
            order = np.argsort(-source.overlap[:, part], kind="stable").tolist()
            groups = [order[:count] for count in COUNTS]
            found = truth.carried(model, nodes, seen, target.top, unit, part, groups)
            if found:
                yield [fall, *(share for share, _ in found)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where `claims.py --out` is")
    parser.add_argument("--scenes", type=int, default=400)
    folder, scenes = (args := parser.parse_args()).folder, args.scenes
    seen = truth.drawn(scenes, folder)
    print(
        "| network | targets and parts | lost with the part | by 1 unit | by 3 | by 10 | by all |"
    )
    print("|---" * 7 + "|")
    for name, (id, *nodes) in {**NETWORKS, **FURTHER}.items():
        model = network(name if name in NETWORKS else id, folder)
        model.node(nodes[0])  # brings a bundled dictionary in
        found = np.array(list(shares(model, (nodes[0], nodes[1]), seen)))
        cells = [f"{100 * one:.0f} %" for one in np.median(found, axis=0)]
        print(
            f"| {name}, `{nodes[0]}` to `{nodes[1]}` | {len(found)} | {' | '.join(cells)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
