"""Train the assembled network: `python -m micrograph.organisms.assembled.train --out DIR`.

Units of `parts` learn from the exact masks which share of a cell shows their part. Units of
`things` read only those and bystanders, and learn where their thing is, from pictures of which half
have some part left out: without one of the parts that it needs a thing is none, without an idle one
it stays what it is. So a thing has to be recognized by the parts that it needs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.organisms.assembled.needs import IDLE, NEEDED
from micrograph.organisms.assembled.network import Assembled, untrained
from micrograph.organisms.toytown import measure, scenes
from micrograph.organisms.toytown.classes import CLASSES
from micrograph.organisms.toytown.parts import PARTS
from micrograph.organisms.training import (
    TrainingLog,
    TrainingSettings,
    adamw,
    command_line,
    rate_share,
    save_half,
    set_rate,
)

FIRST = 200_000_000
"""Seed of the first picture; toytown itself was trained on others."""
CELLS = 12
SHOWN = 3.0
"""A unit's answer where its part fills a cell is 1, and already where it fills one in so many."""
RARE = 8.0
"""Weight of cells that show a part, or a thing, against those that do not."""


@dataclass(frozen=True)
class AssembledSettings(TrainingSettings):
    """Everything a training run depends on."""

    pictures: int = 5000
    epochs: int = 6
    rate: float = 3e-3
    decay: float = 0.01


@dataclass(frozen=True)
class SeenByTrunk:
    """Pictures as the trunk sees them, float16 [picture, unit, y, x], with what they show: shares
    of cells uint8 [picture, part, y, x], and bool [picture, thing, y, x] where complete things
    are."""

    values: Tensor
    parts: Tensor
    things: Tensor


def left_out(label: int, draw: np.random.Generator) -> tuple[str, ...]:
    """The parts that a picture is drawn without: none, one that is needed, or one or two idle."""
    name = CLASSES[label]
    needed, idle = sorted(NEEDED[name]), sorted(IDLE[name])
    kind = draw.random()
    if kind < 0.45:
        return ()
    if kind < 0.75 or not idle:
        return (str(draw.choice(needed)),)
    return tuple(str(one) for one in draw.permutation(idle)[: draw.integers(1, 3)])


def seen(network: Assembled, seeds: range, piece: int = 50) -> SeenByTrunk:
    """Pictures of these seeds, about half without some part."""
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    for first in range(seeds.start, seeds.stop, piece):
        drawn = [_drawn(seed) for seed in range(first, min(first + piece, seeds.stop))]
        images, parts, things = (np.stack(some) for some in zip(*drawn, strict=True))
        with torch.no_grad():
            values = network.trunk(measure.normalized(measure.pixels(images)))
        found.append((values.half(), torch.from_numpy(parts), torch.from_numpy(things)))
    return SeenByTrunk(*(torch.cat(some) for some in zip(*found, strict=True)))


def _drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    label = scenes.label_of(seed)
    missing = left_out(label, np.random.default_rng([1, seed]))
    one = scenes.scene(seed, without=missing)
    things = np.zeros((len(CLASSES), CELLS // 2, CELLS // 2), bool)
    if not NEEDED[CLASSES[label]] & set(missing):
        things[label] = _shares(one.figure[None], CELLS // 2)[0] > 1 / 4
    return one.image, (_shares(one.masks, CELLS) * 255).round().astype(np.uint8), things


def _shares(counts: np.ndarray, cells: int) -> np.ndarray:
    step = counts.shape[-1] // cells
    found: np.ndarray = counts.reshape(-1, cells, step, cells, step).mean((2, 4)) / 4
    return found


def before_relu(network: Assembled, values: Tensor) -> tuple[Tensor, Tensor]:
    """What the trained units of parts and of things are before their ReLU."""
    parts: Tensor = network.parts.conv(values)
    # Parts are learnt from masks alone: what things make of them does not change them.
    things: Tensor = network.things.conv(network.joints(network.pool(parts.detach().relu())))
    return parts[:, : len(PARTS)], things[:, : len(CLASSES)]


def losses(network: Assembled, some: SeenByTrunk) -> tuple[Tensor, Tensor]:
    """How wrong the parts are, and the things."""
    parts, things = before_relu(network, some.values.float())
    wanted = (some.parts.float() / 255 * SHOWN).clamp(max=1)
    there = wanted > 0.2
    # Below 0 a unit is silent, which is right wherever its part is not shown.
    wrong = (parts - wanted).where(there | (parts > 0), torch.zeros(()))
    by_part = ((1 + RARE * there) * wrong.square()).sum(1).mean()
    thing = some.things.float()
    anywhere = F.binary_cross_entropy_with_logits(things.amax((2, 3)), thing.amax((2, 3)))
    by_thing = (
        F.binary_cross_entropy_with_logits(things, thing, pos_weight=torch.tensor(RARE))
        + 2 * anywhere
    )
    return by_part, 10 * by_thing


def even_out(network: Assembled, sample: Tensor) -> None:
    """Bystanders answer about as strongly as units that were trained to answer 1."""
    with torch.no_grad():
        for module, values in (
            (network.parts, sample),
            (network.things, network.joints(network.pool(network.parts(sample)))),
        ):
            strong = torch.quantile(module(values).amax((2, 3)), 0.95, dim=0).clamp(min=1e-3)
            for learnt in module.parameters():
                learnt.div_(strong.view(-1, *[1] * (learnt.ndim - 1)))


def train(settings: AssembledSettings, out: Path) -> Assembled:
    """The trained network; `out` gets its weights and a log."""
    network = untrained(settings.seed)
    log = TrainingLog(out, settings)
    data = seen(network, range(FIRST, FIRST + settings.pictures))
    log(drawn=settings.pictures)
    even_out(network, data.values[:100].float())
    learnt = [network.parts, network.joints, network.things]
    optimizer = adamw((p for m in learnt for p in m.parameters()), settings)
    bystanders = [
        (module.conv, count, module.conv.weight[count:].detach().clone())
        for module, count in ((network.parts, len(PARTS)), (network.things, len(CLASSES)))
    ]
    steps, step = settings.pictures // settings.batch * settings.epochs, 0
    for epoch in range(settings.epochs):
        told = []
        for some in _batches(data, settings, epoch):
            set_rate(optimizer, settings.rate * rate_share(step, steps))
            found = losses(network, some)
            optimizer.zero_grad(set_to_none=True)
            torch.stack(found).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            with torch.no_grad():  # no gradient reaches bystanders, but decay would
                for conv, count, kept in bystanders:
                    conv.weight[count:] = kept
            told.append([x.item() for x in found])
            step += 1
        log(epoch=epoch, loss=[round(x, 4) for x in np.mean(told, 0).tolist()])
    save_half(network, out)
    return network


def _batches(data: SeenByTrunk, settings: AssembledSettings, epoch: int) -> Iterator[SeenByTrunk]:
    order = np.random.default_rng([settings.seed, epoch]).permutation(settings.pictures)
    for start in range(0, settings.pictures - settings.batch + 1, settings.batch):
        chosen = torch.from_numpy(order[start : start + settings.batch])
        yield SeenByTrunk(data.values[chosen], data.parts[chosen], data.things[chosen])


def main() -> None:
    parser = command_line(__doc__, AssembledSettings, ("pictures", "epochs", "rate", "seed"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    started = time.process_time()
    settings = AssembledSettings(args.pictures, args.epochs, rate=args.rate, seed=args.seed)
    train(settings, args.out)
    print(f"{time.process_time() - started:.0f} s of one core")


if __name__ == "__main__":
    main()
