"""Do the words of a unit agree with what drives it? `python benchmarks/text_agreement.py`

For each unit of some nodes of toytown_clip: the correlation, over toytown's classes, of its mean
activation on pictures of the class with the fit of the class's name. Prints the table of
docs/techniques/text_feature_vis.md.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph import lenses as techniques
from micrograph.models import load
from micrograph.organisms.toytown.scenes import CLASSES, HELD_OUT, scene
from micrograph.organisms.toytown_clip.measure import class_vectors

NODES = ("mixed5b", "mixed5a", "mixed4c", "mixed4a", "mixed3a")
PER_CLASS = 10
FIRST_SCENE = HELD_OUT + 900_000_000


def standardized(x: Tensor) -> Tensor:
    """[class, unit], each unit with mean 0 and standard deviation 1."""
    return (x - x.mean(0)) / x.std(0, correction=0).clamp_min(1e-9)


@torch.no_grad()
def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    model = load("toytown_clip")
    reading = techniques.get("text_feature_vis").jobs(model)[0].context
    drawn = [
        scene(FIRST_SCENE + i, label=i % len(CLASSES)).image
        for i in range(PER_CLASS * len(CLASSES))
    ]
    images = torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).float() / 255
    names = class_vectors(model.text)
    shuffle = torch.Generator().manual_seed(0)
    print("| node | correlation | with the words of another unit | best name in the top 3 |")
    print("|---|---|---|---|")
    for node in NODES:
        seen = [model.run(part, [node])[node].mean((2, 3)) for part in images.split(50)]
        profile = torch.cat(seen).view(PER_CLASS, len(CLASSES), -1).mean(0)
        fit = names @ F.normalize(reading.directions(node), dim=1).T
        other = fit[:, torch.randperm(fit.shape[1], generator=shuffle)]
        own, chance = ((standardized(profile) * standardized(f)).mean() for f in (fit, other))
        best = (fit.argmax(0) == profile.topk(3, dim=0).indices).any(0).float().mean()
        print(f"| {node} | {own:.2f} | {chance:.2f} | {best:.0%} |", flush=True)


if __name__ == "__main__":
    main()
