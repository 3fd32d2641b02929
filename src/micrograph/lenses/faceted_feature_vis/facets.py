"""Themes, and linear probes that recognize them at a node: the material of facets.

A theme is a fact that is true of some toytown scenes and not of others. A probe is a
direction in a node's channels, the linear discriminant between the two, on channel means; its
largest weight is scaled to 1.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from micrograph.errors import BadInput, not_found
from micrograph.graph import Dag, NodeKind
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.organisms.toytown.scenes import HELD_OUT, scene
from micrograph.organisms.toytown_clip.facts import FAMILIES, SETTINGS, Facts, facts
from micrograph.organisms.toytown_clip.measure import area_under_curve
from micrograph.weights.formats import read_safetensors
from micrograph.weights.tensors import to_torch

THEMES: dict[str, str] = {
    **{name: f"family:{name}" for name in FAMILIES},
    "night": "light:dark",
    "day": "light:bright",
    **{name: f"setting:{name}" for name in SETTINGS.values()},
}
"""Names of themes and the fact about a scene that each stands for."""

FIRST_SCENE = HELD_OUT + 800_000_000
"""Seed of the first scene that probes are trained on."""

RIDGE = 0.1
"""Added to the diagonal of the covariance, in units of its mean."""

SMALLEST = 32
"""Side in pixels that scenes are drawn at, at least; for smaller inputs they are shrunk."""

FITTED = 0.75
"""Share of the scenes that a probe is fitted on; the others say how well it does."""


@lru_cache(maxsize=2)
def _scenes(count: int, size: int) -> tuple[np.ndarray, tuple[Facts, ...]]:
    """Pictures uint8 [scene, y, x, 3] and the facts about each."""
    drawn = [scene(FIRST_SCENE + i, size=max(size, SMALLEST)) for i in range(count)]
    images = [s.image if len(s.image) == size else _shrunk(s.image, size) for s in drawn]
    return np.stack(images), tuple(facts(s) for s in drawn)


def _shrunk(image: np.ndarray, size: int) -> np.ndarray:
    """A picture uint8 [y, x, 3] at `size` px."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BOX))


class ScenePlan:
    """Probes of the themes, fitted where they are needed on `count` scenes."""

    def __init__(self, model: Model, count: int) -> None:
        self.model = model
        self.count = count
        self._means: dict[str, Tensor] = {}

    def probes(self, theme: str, nodes: Sequence[str]) -> dict[str, tuple[Tensor, float]]:
        """For each node the probe [unit] and its area under the curve on scenes left out of the
        fit."""
        _, known = _scenes(self.count, self.model.preprocessing.size)
        true = torch.tensor([THEMES[theme] in own for own in known])
        self._measure_means([node for node in nodes if node not in self._means])
        cut = int(len(true) * FITTED)
        found = {}
        for node in nodes:
            means = self._means[node]
            probe = discriminant(means[:cut], true[:cut])
            found[node] = probe, area_under_curve(means[cut:] @ probe, true[cut:])
        return found

    @torch.no_grad()
    def _measure_means(self, nodes: Sequence[str]) -> None:
        """Channel means of every scene at these nodes."""
        if not nodes:
            return
        images, _ = _scenes(self.count, self.model.preprocessing.size)
        parts: dict[str, list[Tensor]] = {node: [] for node in nodes}
        for start in range(0, len(images), 32):
            rgb = torch.from_numpy(images[start : start + 32]).permute(0, 3, 1, 2).float() / 255
            seen = self.model.run(rgb.to(self.model.device), nodes)
            for node in nodes:
                parts[node].append(seen[node].float().mean((2, 3)).cpu())
        self._means |= {node: torch.cat(found) for node, found in parts.items()}


def discriminant(means: Tensor, true: Tensor) -> Tensor:
    """Fisher's linear discriminant [unit] between the rows [picture, unit] that are `true` and the
    others, its largest weight scaled to 1. Raises BadInput where one side has less than two."""
    yes, no = means[true].double(), means[~true].double()
    if min(len(yes), len(no)) < 2:
        raise BadInput(
            f"{len(yes)} of {len(means)} scenes show the theme; expected two of each kind, "
            "take more scenes"
        )
    rest = torch.cat([yes - yes.mean(0), no - no.mean(0)])
    within = rest.T @ rest / len(rest)
    within.diagonal().add_(RIDGE * within.diagonal().mean() + 1e-12)
    probe = torch.linalg.solve(within, yes.mean(0) - no.mean(0))
    scaled: Tensor = probe / probe.abs().max().clamp_min(1e-12)
    return scaled.float()


class ProbeFile:
    """Probes of a user: a safetensors file with a tensor [unit] for each of some nodes.

    The theme is called as the file. Raises BadInput for other files and names.
    """

    def __init__(self, model: Model, path: Path) -> None:
        if not path.is_file():
            raise BadInput(f"there is no file {path}; expected probes, a safetensors file")
        self.theme = path.stem
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self._probes: dict[str, Tensor] = {}
        for name, raw in read_safetensors(path).items():
            node, probe = model.node(name), to_torch(raw).float()
            if probe.shape != (node.units,) or not bool(probe.isfinite().all()):
                raise BadInput(
                    f"{path}: {name} has shape {list(probe.shape)}; expected finite "
                    f"[{node.units}], a weight for each unit of {node.id}"
                )
            self._probes[node.id] = probe
        if not self._probes:
            raise BadInput(f"{path} holds no tensors; expected one [unit] for each of some nodes")

    def probes(self, theme: str, nodes: Sequence[str]) -> dict[str, tuple[Tensor, float | None]]:
        """The probes of those nodes; how well they recognize it is not known."""
        return {node: (self._probes[node], None) for node in nodes if node in self._probes}

    def nodes(self) -> list[str]:
        """Ids of the nodes that it has probes for."""
        return list(self._probes)


def dominators_with_maps(model: Model, node: str, most: int) -> list[str]:
    """The last `most` dominators of `node` that have a map, in graph order.

    In a network of blocks these are the blocks' outputs, not the branches inside.
    """
    *before, _ = Dag.of(model.nodes.values()).dominators(model.node(node).id)
    return [name for name in before if has_map(model.nodes[name])][-most:]


def has_map(node: Node) -> bool:
    """Whether it has a map of its own, that leads to what comes behind it."""
    if len(node.shape) != 2 or NodeKind.of(node.kind).is_rearrangement:
        return False
    # What is overwritten later is captured as a copy, which is not on the way to anything.
    return not node.overwritten


def check_theme(theme: str, lens: str) -> None:
    """Raises NotFound for a theme that there is not."""
    if theme not in THEMES:
        raise not_found("variant", theme, THEMES, lens)
