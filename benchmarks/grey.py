"""Which pictures of units stay grey: over toytown, and over the nodes of GoogLeNet's gallery.

    python benchmarks/grey.py [--models toytown,inceptionv1_caffe] [--nodes mixed4a] [--steps N]

Every unit of every node worth seeing is rendered (feature_vis, `channel`, pictures of the preset
`draft` with the 80 steps of `standard`: the 40 of a draft are too few for some). A unit is grey
where its picture drives it no more than plain grey does, or is plain itself. Whether such a unit
can be driven is asked of others: random photographs of strong contrast (noise of a natural
spectrum), and four other starts. Prints each unit that stays grey though something drives it; ends
with 1 if one is.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from micrograph import optimize as opt
from micrograph.graph import worth_seeing
from micrograph.lenses.engines import common
from micrograph.lenses.feature_vis.engine import ENGINE
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.optimize.maco import PhaseImage

NOISE, STARTS = 64, 4
PLAIN = 0.02
"""Standard deviation of pixels in 0..1 below which a picture is plain."""


def means(model: Model, node: str, images: Tensor) -> Tensor:
    """[picture, unit] of pictures in 0..1, over the map."""
    with torch.no_grad():
        values = torch.cat([model.run(some, [node])[node] for some in images.split(16)])
    return values if values.ndim == 2 else values.flatten(2).mean(2)


def natural_noise(size: int) -> Tensor:
    """[picture, 3, size, size] with the spectrum of photographs and chance for phases."""
    image = PhaseImage(size)
    return image.image(image.start([np.random.default_rng(n) for n in range(NOISE)]))


def pictures(model: Model, node: str, steps: int | None) -> Iterator[tuple[int, Tensor]]:
    job = ENGINE.jobs(model, preset="draft", steps=steps or opt.Settings().steps)[0]
    units = range(model.nodes[node].units)
    batch = max(1, ENGINE.batch_size(model, node, job))
    for first in range(0, len(units), batch):
        for made in ENGINE.run(model, node, units[first : first + batch], job):
            assert made.unit is not None
            assert made.image is not None
            yield made.unit, common.as_images([made.image])[0]


def from_other_starts(model: Model, node: str, unit: int, size: int) -> float:
    """The most that pictures from stronger noise reach."""
    done = opt.optimize(
        model,
        opt.channel(node, unit),
        opt.Settings(size=size, steps=64, start=1.0),
        seeds=[(1 + n, unit) for n in range(STARTS)],
    )
    return float(done.scores.max())


def grey_units(model: Model, node: str, steps: int | None) -> list[str]:
    """A line for each unit that stays grey though something drives it."""
    made = dict(pictures(model, node, steps))
    images = torch.stack([made[unit] for unit in sorted(made)])
    size = images.shape[-1]
    reached = means(model, node, images).diagonal()
    plain = means(model, node, torch.full((1, 3, size, size), 0.5))[0]
    noise = means(model, node, natural_noise(size)).amax(0)
    contrast = images.std((1, 2, 3))
    found = []
    for unit in range(len(images)):
        scale = float(max(reached[unit].abs(), plain[unit].abs(), noise[unit].abs(), 1e-6))
        risen = float(reached[unit] - plain[unit]) > 1e-3 * scale
        if risen and contrast[unit] >= PLAIN:
            continue
        best = max(float(noise[unit]), from_other_starts(model, node, unit, size))
        if best - float(plain[unit]) > 1e-3 * scale and best > float(reached[unit]):
            found.append(
                f"{model.id}/{node}/{unit}: {reached[unit]:.3g} on its picture, {plain[unit]:.3g} "
                f"on grey, {best:.3g} elsewhere"
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="toytown,inceptionv1_caffe")
    parser.add_argument("--nodes", help="some nodes only, by commas")
    parser.add_argument("--steps", type=int, help="instead of the 80 of `standard`")
    args = parser.parse_args()
    grey = 0
    for name in args.models.split(","):
        model = load(name)
        nodes = [node.id for node in worth_seeing(model.nodes)]
        if args.nodes:
            nodes = [model.node(node).id for node in args.nodes.split(",")]
        for node in nodes:
            lines = grey_units(model, node, args.steps)
            grey += len(lines)
            units = model.nodes[node].units
            print(f"{name}/{node}: {units} units, {len(lines)} grey", *lines, sep="\n", flush=True)
    sys.exit(1 if grey else 0)


if __name__ == "__main__":
    main()
