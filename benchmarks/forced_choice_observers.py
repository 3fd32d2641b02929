"""Machine observers of forced_choice.py: what they look at, and how they choose.

An observer knows pictures by features, the largest value of each channel of a node, less their mean
and in shares of their deviation over the references. From the features of what it is shown those
are taken that pictures of the same kind have on average, of other units of the node: any optimized
picture is unlike photographs, and that says nothing of a unit. Of two natural pictures it takes
the one whose features have the larger cosine with those shown, on average over them. Two observers
look:

own       the unit's own node, without the unit itself: what fires together with it. Prototypes were
          made to be like examples in this network, at lower nodes, and so have an advantage.
another   a node of another network, which was trained apart (of GoogLeNet: SqueezeNet's last block;
          of toytown: a vision transformer's). It knows nothing of the unit, nor of its network.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from micrograph import load
from micrograph.datasets import batches, open_dataset
from micrograph.models.model import Model

ANOTHER = {
    "inceptionv1_caffe": ("squeezenet1_1", "fire9"),
    "toytown": ("toytown_vit", "blocks.4"),
}
SCENES = 600
"""Of toytown, half of them references."""
BATCH = 20
FEWEST = 20
"""Pictures of each half on which a unit must be above 0 to be asked about."""
STRONG = 5
"""Strongest pictures of a unit that it is asked about, and as many weak ones."""
FAR, NEAR = (0.0, 0.5), (0.75, 0.95)
"""Where weak examples are drawn from, as shares of all pictures by the unit's largest value."""


@dataclass(frozen=True)
class Natural:
    """Natural pictures, as the unit's network (`answers` [picture, unit] of each node) and the
    other network (`another` [picture, channel]) have them. `references` [picture] says which are
    references; the others are asked about."""

    answers: Mapping[str, np.ndarray]
    another: np.ndarray
    references: np.ndarray


def natural(model: Model, nodes: Sequence[str], pictures: Path | None, work: Path) -> Natural:
    """All natural pictures; what the networks have on them is kept in the folder `work`."""
    answers = _kept(work, model, nodes, pictures)
    name, node = ANOTHER[model.id]
    other = load(name)
    node = other.node(node).id
    another = _kept(work, other, [node], pictures)[node]
    numbers = np.arange(len(another))
    drawn = pictures is None
    return Natural(answers, another, numbers < len(numbers) // 2 if drawn else numbers % 2 == 0)


def _kept(
    work: Path, model: Model, nodes: Sequence[str], pictures: Path | None
) -> dict[str, np.ndarray]:
    kept = work / f"answers-{model.id}.npz"
    if not kept.exists():
        parts: list[dict[str, np.ndarray]] = [
            largest(model, nodes, images) for images in _all(model, pictures)
        ]
        np.savez(kept, **{node: np.concatenate([p[node] for p in parts]) for node in nodes})
    with np.load(kept) as file:
        return dict(file)


def _all(model: Model, pictures: Path | None) -> Iterator[torch.Tensor]:
    """All natural pictures in order, a batch at a time, RGB [picture, 3, y, x] in 0..1."""
    dataset = open_dataset(str(pictures) if pictures else f"toytown:{SCENES}")
    count = -(-len(dataset) // BATCH)
    for batch in batches(dataset, model.preprocessing, BATCH, range(count)):
        yield batch.images()[: int(batch.valid.sum())]


@torch.no_grad()
def largest(model: Model, nodes: Sequence[str], images: torch.Tensor) -> dict[str, np.ndarray]:
    """The largest value of every channel of each node, [picture, channel], on pictures of any
    size."""
    size = model.preprocessing.size
    if images.shape[-1] != size:
        images = F.interpolate(images, (size, size), mode="bilinear", antialias=True)
    found = model.run(images, list(nodes))
    return {node: values.float().flatten(2).amax(2).numpy() for node, values in found.items()}


def alive(values: np.ndarray) -> np.ndarray:
    """The units that answer to enough pictures; values [picture, unit]."""
    chosen: np.ndarray = np.flatnonzero((values > 0).sum(0) >= 2 * FEWEST)
    return chosen


def questions(
    answers: np.ndarray, references: np.ndarray, between: tuple[float, float], seed: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of a unit's strong and weak examples, none a reference; `answers` [picture] are
    the unit's, weak ones are drawn from `between`."""
    asked = np.flatnonzero(~references)
    ordered = asked[np.argsort(answers[asked], kind="stable")]
    low, high = (round(share * len(ordered)) for share in between)
    weak = np.random.default_rng(list(seed)).choice(ordered[low:high], STRONG, replace=False)
    return ordered[-STRONG:], weak


@dataclass(frozen=True)
class Observer:
    """One that knows natural pictures by `features` [picture, channel], in standard units."""

    features: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, references: np.ndarray) -> "Observer":
        """From what a network has on natural pictures; channels that never vary are left out."""
        mean, deviation = features[references].mean(0), features[references].std(0)
        deviation = np.where(deviation > 1e-6 * deviation.max(), deviation, np.inf)
        return cls((features - mean) / deviation, deviation)

    def without(self, unit: int) -> "Observer":
        """One that does not see that channel."""
        deviation = self.deviation.copy()
        deviation[unit] = np.inf
        features = self.features.copy()
        features[:, unit] = 0
        return Observer(features, deviation)

    def right(
        self, shown: np.ndarray, usual: np.ndarray, strong: np.ndarray, weak: np.ndarray
    ) -> float:
        """The share of all pairs of a strong and a weak example in which it takes the strong one
        (both alike counts half), having been shown pictures with `shown` [picture, channel], where
        `usual` [channel] is what such pictures have."""
        known = _unit_length((shown - usual) / self.deviation)
        likes = [
            (_unit_length(self.features[numbers]) @ known.T).mean(1) for numbers in (strong, weak)
        ]
        gap = likes[0][:, None] - likes[1][None]
        return float(((gap > 0) + 0.5 * (gap == 0)).mean())


def _unit_length(rows: np.ndarray) -> np.ndarray:
    found: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return found
