"""How well each kind of picture tells a unit: a forced choice by machine observers.

    python benchmarks/forced_choice.py --work FOLDER [--model toytown] [--pictures FOLDER] [--write]

An observer is shown pictures of a unit and two natural ones, a strong example of the unit and a
weak one, and says which of the two is more like the pictures. Natural pictures are cut in halves:
from the references come the dataset examples and the prototypes, from the others the two to choose
between, so that nobody has seen these before. What the observers look at, and what they are
not told, says forced_choice_observers.py.

Without --pictures the model must be toytown, whose scenes are drawn. Pictures of units go into an
atlas in the folder of --work, node after node and a few units of each at a time: stopped, the same
command goes on. --write puts the table into docs/techniques/quality.md.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import forced_choice_observers as observers
import numpy as np

import micrograph
from micrograph import load
from micrograph.models.model import Model

NODES = {
    "inceptionv1_caffe": (
        "inception_3b",
        "inception_4a",
        "inception_4c",
        "inception_4e",
        "inception_5b",
    ),
    "toytown": ("mixed3a", "mixed4a", "mixed4c", "mixed5a", "mixed5b"),
}
PICTURES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "inceptionv1_caffe": {
        "feature_vis": {"size": 112, "steps": 32},
        "diversity": {"size": 112, "steps": 24},
        "maco": {"size": 224, "steps": 24, "crops": 2},
        "prototype": {"size": 112, "steps": 48},
    },
    "toytown": {
        "feature_vis": {},
        "diversity": {},
        "maco": {"preset": "draft"},
        "prototype": {},
    },
}
"""How the pictures are made: those of GoogLeNet small and in fewer steps than by default."""
TOGETHER = 4
"""Units of a node that are rendered in one go."""
K = 16
"""Dataset examples that are kept of a unit."""


def render(
    model: Model,
    work: Path,
    units: Mapping[str, Sequence[int]],
    references: str,
    kinds: Sequence[str],
) -> None:
    """All pictures that are missing: of every node a few units first."""
    most = max(map(len, units.values()))
    micrograph.render(
        model, work, technique="dataset_examples", nodes=list(units), dataset=references, k=K
    )
    for first in range(0, most, TOGETHER):
        for node, chosen in units.items():
            some = list(chosen[first : first + TOGETHER])
            for kind in kinds if some else ():
                more = {"dataset": references} if kind == "prototype" else {}
                said = micrograph.render(
                    model,
                    work,
                    technique=kind,
                    nodes=node,
                    units=some,
                    image_format="webp",
                    quality=90,
                    **PICTURES[model.id][kind],
                    **more,
                )
                print(f"{node} {kind} {some}: {said.rendered} in {said.seconds:.0f} s", flush=True)


def half(work: Path, pictures: Path) -> str:
    """Every second picture of a folder, as a folder of links."""
    folder = work / "references"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(pictures.iterdir())[::2]:
        if not (folder / path.name).is_symlink():
            os.symlink(path.resolve(), folder / path.name)
    return str(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="inceptionv1_caffe", choices=NODES)
    parser.add_argument("--pictures", type=Path, help="folder of photographs")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--units", type=int, default=24, help="of each node")
    parser.add_argument("--kinds", default="feature_vis,diversity,maco,prototype")
    parser.add_argument("--only-render", action="store_true")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    model, kinds = load(args.model), args.kinds.split(",")
    args.work.mkdir(parents=True, exist_ok=True)
    references = half(args.work, args.pictures) if args.pictures else "toytown:1000"
    answers = observers.answers(model, NODES[model.id], args.pictures, args.work)
    rng = np.random.default_rng(0)
    units = {
        node: rng.permutation(observers.alive(answers[node]))[: args.units].tolist()
        for node in NODES[model.id]
    }
    render(model, args.work, units, references, kinds)
    if args.only_render:
        return


if __name__ == "__main__":
    main()
