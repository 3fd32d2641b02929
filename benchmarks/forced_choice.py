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


def judged(
    model: Model, atlas: Atlas, units: Mapping[str, Sequence[int]], there: Natural
) -> tuple[dict[tuple[str, str], np.ndarray], list[str]]:
    """The share of right choices of each unit by what was shown and by column, and the node of each
    unit."""
    other, watched = load(ANOTHER[model.id][0]), ANOTHER[model.id][1]
    watched = other.node(watched).id
    found: dict[tuple[str, str], list[float]] = {}
    nodes: list[str] = []
    judge = Observer.of(there.another, there.references)
    for node, chosen in units.items():
        kinds = PICTURES[model.id]
        made = {u: {kind: drawn(atlas, node, u, kind) for kind in kinds} for u in chosen}
        whole = [unit for unit in chosen if all(made[unit].values())]
        own = Observer.of(there.answers[node], there.references)
        known: dict[tuple[int, str], tuple[np.ndarray, np.ndarray]] = {}
        for kind in kinds:
            shots = list(chain.from_iterable(made[unit][kind] for unit in whole))
            at_own, at_other = seen(model, node, shots), seen(other, watched, shots)
            each = len(shots) // len(whole)
            for i, unit in enumerate(whole):
                part = slice(i * each, (i + 1) * each)
                known[unit, kind] = at_own[part], at_other[part]
        for i, unit in enumerate(whole):
            nodes.append(node)
            answers = there.answers[node][:, unit]
            best = np.flatnonzero(there.references)
            best = best[np.argsort(-answers[best], kind="stable")][:EXAMPLES]
            shown = {kind: known[unit, kind] for kind in kinds}
            shown["another unit"] = known[whole[i - 1], "feature_vis"]
            for kind, numbers in (("examples", best), ("example", best[:1])):
                shown[kind] = there.answers[node][numbers], there.another[numbers]
            alone = own.without(unit)
            for column, (observer, between) in COLUMNS.items():
                pair = questions(answers, there.references, between, (0, unit))
                for kind, (at_own, at_other) in shown.items():
                    looks = alone if observer == "own" else judge
                    right = looks.right(at_own if observer == "own" else at_other, *pair)
                    found.setdefault((kind, column), []).append(right)
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
    references = half(args.work, args.pictures) if args.pictures else "toytown:1000"
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
