"""How well each kind of picture tells a unit: a forced choice by machine observers.

    python benchmarks/forced_choice.py --work FOLDER [--model toytown] [--pictures FOLDER] [--write]

An observer is shown pictures of a unit and two natural ones, a strong example of the unit and a
weak one, and says which of the two is more like the pictures: the experiment of Borowski et al.
(2021) with a network in the place of people. Natural pictures are cut in halves: from the
references come the dataset examples and the prototypes, from the others the two to choose between,
so that nobody has seen these before. What observers look at is said in forced_choice_observers.py.

Without --pictures the model must be toytown, whose scenes are drawn. Pictures of units go into an
atlas in the folder of --work, a few units of each node at a time: stopped, the same command goes
on. Units that lack some kind of picture are left out of the table; --write puts it into
docs/techniques/quality.md.
"""

import argparse
import io
import os
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import forced_choice_table as tables
import numpy as np
import torch
from forced_choice_observers import (
    ANOTHER,
    FAR,
    NEAR,
    SCENES,
    Natural,
    Observer,
    alive,
    largest,
    natural,
    questions,
)
from page_tables import write_between
from PIL import Image

import micrograph
from micrograph import load
from micrograph.atlas import Atlas
from micrograph.lenses.engines.common import as_images, cut
from micrograph.models.model import Model

QUALITY = Path(__file__).resolve().parents[1] / "docs" / "techniques" / "quality.md"
NODES = {
    "inceptionv1_caffe": tuple(f"inception_{name}" for name in ("3b", "4a", "4c", "4e", "5b")),
    "toytown": ("mixed3a", "mixed4a", "mixed4c", "mixed5a", "mixed5b"),
}
PICTURES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "inceptionv1_caffe": {
        "feature_vis": {"size": 96, "steps": 24},
        "diversity": {"size": 96, "steps": 16},
        "maco": {"size": 224, "steps": 16, "crops": 2},
        "prototype": {"size": 96, "steps": 32},
    },
    "toytown": {
        "feature_vis": {"preset": "draft"},
        "diversity": {"preset": "draft"},
        "maco": {"preset": "draft"},
        "prototype": {"preset": "draft"},
    },
}
"""How the pictures are made: small, and in fewer steps than by default."""
TOGETHER = 4
"""Units of a node that are rendered in one go."""
EXAMPLES = 8
"""Dataset examples that are shown, and that prototypes are made from."""
COLUMNS = {
    "another network, far": ("another", FAR),
    "another network, near": ("another", NEAR),
    "own node, far": ("own", FAR),
    "own node, near": ("own", NEAR),
}


def render(
    model: Model,
    work: Path,
    units: Mapping[str, Sequence[int]],
    references: str,
    kinds: Sequence[str],
) -> None:
    """All pictures that are missing: of every node a few units first."""
    nodes = list(units)
    micrograph.render(model, work, technique="dataset_examples", nodes=nodes, dataset=references)
    for first in range(0, max(map(len, units.values())), TOGETHER):
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


def drawn(atlas: Atlas, node: str, unit: int, kind: str) -> list[np.ndarray]:
    """The pictures of a unit, uint8 [y, x, 3]; none where there are none."""
    for v in atlas.visualizations(node, unit, kind):
        asked = PICTURES[atlas.model.id][kind]
        if v.picture is not None and all(
            v.recipe.get(key) == value for key, value in asked.items() if key != "preset"
        ):
            stored = atlas.picture(v.picture.digest)
            assert stored is not None
            with Image.open(io.BytesIO(stored.data)) as opened:
                whole = np.asarray(opened.convert("RGB"))
            return cut([whole], v.data["columns"], v.data["rows"]) if "rows" in v.data else [whole]
    return []


def seen(model: Model, node: str, pictures: Sequence[np.ndarray]) -> np.ndarray:
    """What a network has on some pictures of one size at `node`, [picture, channel]."""
    parts = torch.split(as_images(pictures), 16)
    return np.concatenate([largest(model, [node], part)[node] for part in parts])


Known = dict[tuple[int, str], np.ndarray]
"""What a network has on the pictures of a unit, by unit and kind: [picture, channel]."""


def shown_of(
    model: Model, atlas: Atlas, node: str, units: Sequence[int], there: Natural
) -> tuple[list[int], Known, Known]:
    """The units of which there are all kinds of pictures; and what their own node, and the node of
    the other network, has on these and on the examples."""
    kinds = PICTURES[model.id]
    other, watched = load(ANOTHER[model.id][0]), ANOTHER[model.id][1]
    made = {unit: {kind: drawn(atlas, node, unit, kind) for kind in kinds} for unit in units}
    whole = [unit for unit in units if all(made[unit].values())]
    own: Known = {}
    another: Known = {}
    for kind in kinds:
        shots = list(chain.from_iterable(made[unit][kind] for unit in whole))
        for network, at, found in ((model, node, own), (other, other.node(watched).id, another)):
            rows = np.split(seen(network, at, shots), len(whole))
            found |= {(unit, kind): part for unit, part in zip(whole, rows, strict=True)}
    numbers = np.flatnonzero(there.references)
    for unit in whole:
        answers = there.answers[node][numbers, unit]
        best = numbers[np.argsort(-answers, kind="stable")][:EXAMPLES]
        for kind, some in (("examples", best), ("example", best[:1])):
            own[unit, kind] = there.answers[node][some]
            another[unit, kind] = there.another[some]
    return whole, own, another


def judged(
    model: Model, atlas: Atlas, units: Mapping[str, Sequence[int]], there: Natural
) -> tuple[dict[tuple[str, str], np.ndarray], list[str]]:
    """The share of right choices of each unit by what was shown and by column, and the node of each
    unit."""
    found: dict[tuple[str, str], list[float]] = {}
    nodes: list[str] = []
    judge = Observer.of(there.another, there.references)
    for node, chosen in units.items():
        whole, own, another = shown_of(model, atlas, node, chosen, there)
        neighbour = Observer.of(there.answers[node], there.references)
        kinds = [*PICTURES[model.id], "examples", "example"]
        for i, unit in enumerate(whole):
            nodes.append(node)
            asked = [(kind, unit, kind) for kind in kinds]
            asked.append(("another unit", whole[i - 1], "feature_vis"))
            for column, (observer, between) in COLUMNS.items():
                known = own if observer == "own" else another
                looks = neighbour.without(unit) if observer == "own" else judge
                answers = there.answers[node][:, unit]
                pair = questions(answers, there.references, between, (0, unit))
                for name, of, kind in asked:
                    others = [known[one, kind] for one in whole if one not in (of, unit)]
                    right = looks.right(known[of, kind], np.concatenate(others).mean(0), *pair)
                    found.setdefault((name, column), []).append(right)
    return {key: np.array(values) for key, values in found.items()}, nodes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="inceptionv1_caffe", choices=NODES)
    parser.add_argument("--pictures", type=Path, help="folder of photographs")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--units", type=int, default=20, help="of each node")
    parser.add_argument("--kinds", default=",".join(PICTURES["toytown"]))
    parser.add_argument("--nodes", help="some of the nodes only, by commas")
    parser.add_argument("--only-render", action="store_true", help="leave the table for later")
    parser.add_argument("--only-table", action="store_true", help="of what there is")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    model = load(args.model)
    args.work.mkdir(parents=True, exist_ok=True)
    references = half(args.work, args.pictures) if args.pictures else f"toytown:{SCENES // 2}"
    there = natural(model, NODES[model.id], args.pictures, args.work)
    rng = np.random.default_rng(0)
    units = {
        node: rng.permutation(alive(there.answers[node]))[: args.units].tolist()
        for node in NODES[model.id]
    }
    if args.nodes:
        units = {node: units[node] for node in args.nodes.split(",")}
    if not args.only_table:
        render(model, args.work, units, references, args.kinds.split(","))
    if args.only_render:
        return
    atlas = Atlas.open(args.work / f"{model.id}.atlas")
    shares, nodes = judged(model, atlas, units, there)
    text = (
        f"{len(nodes)} units of {model.id} at {len(units)} nodes, right choices in percent:\n\n"
        f"{tables.table(shares, list(COLUMNS))}\n\n"
        f"{tables.by_node(shares, 'another network, far', nodes)}\n"
    )
    print(text)
    if args.write:
        write_between(f"forced_choice.py {model.id}", text, QUALITY)


if __name__ == "__main__":
    main()
