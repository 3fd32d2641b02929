"""How often the verdicts of `micrograph.lenses.feature_vis.quality` are right, on toytown.

    python benchmarks/quality.py [units per node]

Pictures that should be trusted (the standard preset, three repeats), and ones that should not:
optimization stopped after one step, pictures made for another unit, scenes taken for pictures,
repeats of two units mixed, and units that no scene excites. Prints a row per kind and variant.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from micrograph import Model, load
from micrograph.atlas import Picture, Visualization
from micrograph.datasets import batches, open_dataset
from micrograph.lenses.engines.base import Rendered
from micrograph.lenses.feature_vis.engine import ENGINE as FEATURE_VIS
from micrograph.lenses.feature_vis.quality import CAREFUL, DISTRUSTED, TRUSTED, qualities

NODES = ("conv2", "mixed3a", "mixed4a", "mixed4c", "mixed5b")
VARIANTS = ("channel", "neuron")
SCENES = 512
NO_PICTURE = Picture("0" * 32, "image/png", 1, 1, "#000000")
COMPANY = 16


def examples(model: Model, nodes: Sequence[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Largest and mean activation over the map, [unit, scene], of each node."""
    dataset = open_dataset(f"toytown:{SCENES}")
    most: dict[str, list[np.ndarray]] = {node: [] for node in nodes}
    mean: dict[str, list[np.ndarray]] = {node: [] for node in nodes}
    for batch in batches(dataset, model.preprocessing, 32, range(SCENES // 32)):
        with torch.no_grad():
            values = model.run(batch.images(), nodes)
        for node, v in values.items():
            most[node].append(v.amax((2, 3)).numpy())
            mean[node].append(v.mean((2, 3)).numpy())
    return {node: (np.concatenate(most[node]).T, np.concatenate(mean[node]).T) for node in nodes}


def example(node: str, unit: int, most: np.ndarray, mean: np.ndarray) -> Visualization:
    """As a sweep over the dataset stores it; `most`, `mean` over the scenes."""

    def quantiles(values: np.ndarray) -> dict[str, float]:
        return {str(q): float(np.quantile(values, q)) for q in (0.5, 0.9, 0.99, 1)}

    data = {
        "max": float(most.max()),
        "min": 0.0,
        "picture_max": quantiles(most),
        "picture_mean": quantiles(mean),
    }
    recipe = {"technique": "dataset_examples", "view": "toytown", "seed": 0}
    return Visualization(node, unit, recipe, float(most.max()), None, data)


def pictures(
    model: Model, node: str, units: Sequence[int], variant: str, **options: Any
) -> dict[int, list[Visualization]]:
    """The repeats of each unit's picture."""
    found: dict[int, list[Visualization]] = {unit: [] for unit in units}
    for job in FEATURE_VIS.jobs(model, variants=[variant], **options):
        results = [r for r in FEATURE_VIS.run(model, node, units, job) if isinstance(r, Rendered)]
        images = np.stack([r.image for r in results if r.image is not None])
        driven = mean_activations(model, node, images)
        for r, row in zip(results, driven, strict=True):
            assert r.unit is not None
            found[r.unit].append(picture(node, r.unit, variant, job.seed, r.score, row))
    return found


def mean_activations(model: Model, node: str, images: np.ndarray) -> np.ndarray:
    """Of uint8 [picture, y, x, 3]: [picture, unit]."""
    with torch.no_grad():
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        values: np.ndarray = model.run(pixels, [node])[node].mean((2, 3)).numpy()
    return values


def picture(
    node: str, unit: int, variant: str, seed: int, score: float, driven: np.ndarray
) -> Visualization:
    company = [[int(u), float(driven[u])] for u in (-driven).argsort()[:COMPANY]]
    return Visualization(
        node,
        unit,
        {"technique": "feature_vis", "view": variant, "seed": seed},
        score,
        NO_PICTURE,
        {"company": company},
    )


def of_another(
    good: Mapping[int, list[Visualization]], scores: Mapping[tuple[int, int], float]
) -> dict[int, list[Visualization]]:
    """Each unit with the pictures of the next one."""
    units = list(good)
    found = {}
    for unit, other in zip(units, units[1:] + units[:1], strict=True):
        found[unit] = [
            Visualization(
                v.node,
                unit,
                v.recipe,
                scores[unit, other],
                NO_PICTURE,
                v.data,
            )
            for v in good[other][:1]
        ]
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    torch.set_num_threads(1)
    model = load("toytown")
    profiles = examples(model, NODES)
    verdicts: dict[tuple[str, str], Counter[str]] = {}
    likeness: dict[str, list[float]] = {"one unit": [], "two units": []}

    def judge(kind: str, made: Mapping[int, list[Visualization]], dead: bool = False) -> None:
        for unit, repeats in made.items():
            variant, node = repeats[0].variant, repeats[0].node
            most, mean = (p[unit] * (not dead) for p in profiles[node])
            found = qualities([*repeats, example(node, unit, most, mean)])[variant]
            verdicts.setdefault((kind, variant), Counter())[found.verdict] += 1
            if kind == "standard" and found.agreement is not None:
                likeness["one unit"].append(found.agreement)
            if kind == "mixed repeats" and found.agreement is not None:
                likeness["two units"].append(found.agreement)

    draw = np.random.default_rng(0)
    for node in NODES:
        units = sorted(draw.permutation(model.nodes[node].units)[:count].tolist())
        for variant in VARIANTS:
            good = pictures(model, node, units, variant, repeats=3)
            judge("standard", good)
            judge("one step", pictures(model, node, units, variant, steps=1))
            row = 1 if variant == "channel" else 0
            scene = {u: float(np.median(profiles[node][row][u])) for u in units}
            nothing = np.zeros(model.nodes[node].units)
            judge("a scene", {u: [picture(node, u, variant, 0, scene[u], nothing)] for u in units})
            if variant == "channel":
                driven = {u: dict(map(tuple, good[u][0].data["company"])) for u in units}
                judge(
                    "another unit's",
                    of_another(good, {(u, o): driven[o].get(u, 0.0) for u in units for o in units}),
                )
                after = units[1:] + units[:1]
                judge(
                    "mixed repeats",
                    {
                        u: [
                            good[u][0],
                            Visualization(
                                node,
                                u,
                                {"technique": "feature_vis", "view": variant, "seed": 1},
                                good[u][0].score,
                                NO_PICTURE,
                                good[o][1].data,
                            ),
                        ]
                        for u, o in zip(units, after, strict=True)
                    },
                )
            judge("switched off", {u: good[u] for u in units}, dead=True)
        print(f"{node} done", file=sys.stderr, flush=True)

    print(f"| pictures | variant | number | {TRUSTED} | {CAREFUL} | {DISTRUSTED} |")
    print("|---|---|---|---|---|---|")
    for (kind, variant), counted in verdicts.items():
        total = counted.total()
        rates = " | ".join(f"{counted[v] / total:.0%}" for v in (TRUSTED, CAREFUL, DISTRUSTED))
        print(f"| {kind} | {variant} | {total} | {rates} |")
    for kind, values in likeness.items():
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
        said = f"5 % {low:.2f}, median {middle:.2f}, 95 % {high:.2f}"
        print(f"agreement of repeats of {kind}: {said}")


if __name__ == "__main__":
    main()
