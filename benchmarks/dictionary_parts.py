"""Do the latents of toytown's dictionary mean something? Measured against exact part masks.

For each part of toytown's scenes the best of all units of mixed4a, the best latent of mixed4a.sae
and the best of as many random directions (above zero): "best" is chosen on half of the scenes, and
its average precision over the positions of the map measured on the other half. A position counts
as the part's if the part fills a third of its cell. `python benchmarks/dictionary_parts.py`
"""

import sys

import numpy as np
import torch
from scipy.stats import rankdata

from micrograph.models import load
from micrograph.organisms.toytown import measure, scenes
from micrograph.organisms.toytown.parts import PARTS

SCENES = int(sys.argv[1]) if len(sys.argv) > 1 else 600
FIRST = scenes.HELD_OUT + 60_000
"""Neither the network nor the dictionary has seen these."""
FEW = 40
"""Positions that a part must have in each half to be counted."""


def precision(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Average precision [part] of one unit's values [position]; of what is silent, any order."""
    order = np.argsort(-values, kind="stable")
    order = order[: int((values > 0).sum())]
    right = truth[order]
    hits = right.cumsum(0)
    found = (hits / np.arange(1, len(order) + 1)[:, None] * right).sum(0)
    count = truth.sum(0)
    silent = count - (hits[-1] if len(order) else 0)
    return (found + silent * count / len(values)) / np.maximum(count, 1)


def roc(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Area under the ROC curve [part] of one unit's values [position]; ties count half."""
    ranks, count = rankdata(values), truth.sum(0)
    return (ranks @ truth - count * (count + 1) / 2) / (count * (len(values) - count))


def main() -> None:
    torch.set_num_threads(1)
    model = load("toytown")
    dictionary = model.attached("mixed4a.sae")
    assert dictionary is not None
    drawn = scenes.batch(range(FIRST, FIRST + SCENES))
    seen = []
    with torch.inference_mode():
        for images in np.array_split(drawn.images, max(1, SCENES // 50)):
            seen.append(model.run(measure.pixels(images), ["mixed4a"])["mixed4a"])
        units = torch.cat(seen).permute(0, 2, 3, 1).flatten(0, 2)
        latents = dictionary.dictionary.values(units)
        noise = torch.randn(
            latents.shape[1], units.shape[1], generator=torch.Generator().manual_seed(0)
        )
        at_random = ((units - units.mean(0)) @ noise.T).relu()
    truth = (drawn.parts.transpose(0, 2, 3, 1).reshape(len(units), -1) > 85).astype(np.float32)
    half = len(units) // 2
    often = np.minimum(truth[:half].sum(0), truth[half:].sum(0)) > FEW
    parts = np.flatnonzero(often).tolist()
    best, area = {}, {}
    for name, values in (("unit", units), ("latent", latents), ("random", at_random)):
        rows = values.T.numpy()
        first = truth[:half][:, parts]
        chosen = np.array([precision(row[:half], first) for row in rows]).argmax(0)
        chosen_by_roc = np.array([roc(row[:half], first) for row in rows]).argmax(0)
        area[name] = np.array(
            [
                roc(rows[u][half:], truth[half:][:, [p]])[0]
                for u, p in zip(chosen_by_roc, parts, strict=True)
            ]
        )
        best[name] = [
            (int(u), float(precision(rows[u][half:], truth[half:][:, [p]])[0]))
            for u, p in zip(chosen, parts, strict=True)
        ]
    print("| part | positions | best unit | | best latent | | random direction |")
    print("|---|---|---|---|---|---|---|")
    for i in sorted(range(len(parts)), key=lambda i: -best["latent"][i][1]):
        (u, a), (v, b), (_, c) = (best[name][i] for name in ("unit", "latent", "random"))
        positions = int(truth[half:, parts[i]].sum())
        print(f"| {PARTS[parts[i]]} | {positions} | {a:.2f} | {u} | {b:.2f} | {v} | {c:.2f} |")
    means = {name: np.mean([a for _, a in rows]) for name, rows in best.items()}
    wins = sum(b > a for (_, a), (_, b) in zip(best["unit"], best["latent"], strict=True))
    said = ", ".join(f"{name} {mean:.3f}" for name, mean in means.items())
    print(f"\nmean: {said}; the latent is better for {wins} of {len(parts)} parts")
    said = ", ".join(f"{name} {areas.mean():.3f}" for name, areas in area.items())
    print(
        f"area under the ROC curve: {said}; the latent is better for "
        f"{(area['latent'] > area['unit']).sum()} of {len(parts)} parts"
    )
    speaks = (latents > 0).float()
    back = dictionary.dictionary.decode(latents)
    left = (units - back).square().sum() / (units - units.mean(0)).square().sum()
    print(
        f"explained {1 - left:.3f}, L0 {speaks.sum(1).mean():.2f}, "
        f"dead {(speaks.sum(0) == 0).float().mean():.3f} of {latents.shape[1]}"
    )


if __name__ == "__main__":
    main()
