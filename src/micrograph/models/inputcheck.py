"""Does a network seem to get the input that it was trained on?

A wrong range of the input is the commonest silent mistake: the network runs, and its pictures mean
nothing. Here the pictures that ship with us, and noise, go through the network as the
preprocessing says, and then in other usual ways. The signs:

- the first batch norm: its running statistics are those of the training pictures behind the first
  convolution, so what arrives there should have about the same mean and variance;
- contrast: a network that gets too little or too much of a range gives nearly the same answer to
  every picture. Of the variance of its output, the share that lies between pictures is largest, or
  nearly so, where the input is right;
- saturation: a range that is too large makes a classifier certain of pure noise;
- numbers that are not finite.

docs/own-models.md shows what it finds for networks whose preprocessing is known. Red and blue that
are swapped are often not noticed.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from micrograph.cards.inputs import IMAGENET
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import MicrographError
from micrograph.models.model import Model
from micrograph.models.pictures import to_input
from micrograph.pictures import open_shipped

PICTURES = ("astronaut", "chelsea", "coffee", "rocket")
"""The photographs among the pictures that ship. More of them would change little."""
NOISE = 2

SECONDS = 2.0
"""Time after which no further alternative is tried, once there are `AT_LEAST`."""
AT_LEAST = 2

CONTRAST = 0.8
"""Share of the best alternative's contrast that the preprocessing given must reach; among right
ones the least was 0.89."""
LEAST_CONTRAST = 0.03
"""Contrast below which answers to pictures hardly differ, whatever the alternatives give."""
CERTAIN = 0.8
"""Mean probability of the first class, on noise, that is too much if an alternative that keeps
`CALM` of the contrast has less than half of it."""
CALM = 0.75
MISFIT = 1.0
"""Distance from a batch norm's statistics (see `_misfit`) that a right input keeps within; half of
it is too much already if an alternative is twice as near."""


@dataclass(frozen=True)
class InputFigures:
    """What one way of preprocessing gives. `misfit` is None for a network without batch norm."""

    finite: bool
    contrast: float
    certainty: float
    misfit: float | None


def check_input(model: Model) -> list[str]:
    """Warnings, each of one line; none where all is well or nothing can be measured.

    Takes about `SECONDS`, longer only where a single pass does. An untrained network cannot be
    checked: it has never seen a right input.
    """
    started = time.monotonic()
    try:
        given = measure(model, model.preprocessing)
    except (MicrographError, RuntimeError):  # no flat output, no memory for so many pictures, ...
        return []
    others: dict[str, InputFigures] = {}
    if given.misfit is None or given.misfit > MISFIT / 2:
        for name, other in alternatives(model.preprocessing):
            others[name] = measure(model, other)
            if len(others) >= AT_LEAST and time.monotonic() - started > SECONDS:
                break
    found = verdict(given, others)
    if not found:
        return []
    text, better = found
    hint = f"; {better} would fit better" if better else ""
    return [f"{model.id}: {text}{hint} (is its input right? see --input and --no-input-check)"]


def verdict(given: InputFigures, others: Mapping[str, InputFigures]) -> tuple[str, str] | None:
    """What is wrong with `given` and which of the others is best, "" if none is; None if all is
    well."""
    sane = {name: seen for name, seen in others.items() if seen.finite}
    if not given.finite:
        return "sample pictures give values that are not finite", _with_most_contrast(sane)
    if given.misfit is not None:
        near = {name: seen.misfit for name, seen in sane.items() if seen.misfit is not None}
        best = min(near, key=lambda name: near[name], default="")
        better = best if best and near[best] < given.misfit / 2 else ""
        if given.misfit > MISFIT or (better and given.misfit > MISFIT / 2):
            text = "what reaches its first batch norm is unlike what it was trained on"
            return f"{text} (off by {given.misfit:.1f})", better
        return None
    if given.certainty > CERTAIN:
        calm = {
            name: seen
            for name, seen in sane.items()
            if seen.certainty < given.certainty / 2 and seen.contrast > CALM * given.contrast
        }
        if calm:
            return (
                f"it is {given.certainty:.0%} sure of what it sees in noise",
                _with_most_contrast(calm),
            )
    best = _with_most_contrast({n: seen for n, seen in sane.items() if seen.certainty <= CERTAIN})
    if best and given.contrast < CONTRAST * sane[best].contrast:
        shares = f"{given.contrast:.0%} of its output depends on it, not {sane[best].contrast:.0%}"
        return f"it sees less of a picture than it could ({shares})", best
    if given.contrast < LEAST_CONTRAST:
        share = f"{given.contrast:.1%} of its output depends on them"
        return f"it hardly tells pictures apart ({share})", ""
    return None


def _with_most_contrast(seen: Mapping[str, InputFigures]) -> str:
    return max(seen, key=lambda name: seen[name].contrast, default="")


def alternatives(p: Preprocessing) -> Iterator[tuple[str, Preprocessing]]:
    """The usual kinds of preprocessing other than `p`, with their names."""
    channels = len(p.mean)
    order = p.channel_order
    usual = {
        "imagenet": (1.0, *IMAGENET, order),
        "0..255,BGR,mean=104/117/123": (255.0, (104.0, 117.0, 123.0), (1.0,), "BGR"),
        "-1..1": (2.0, (1.0,), (1.0,), order),
        "0..255": (255.0, (0.0,), (1.0,), order),
        "0..1": (1.0, (0.0,), (1.0,), order),
    }
    for name, (scale, mean, std, order) in usual.items():
        mean, std = (v * 3 if len(v) == 1 else v for v in (mean, std))
        other = replace(
            p,
            scale=scale,
            mean=mean[:channels],
            std=std[:channels],
            channel_order=order if channels == 3 else p.channel_order,
        )
        if not _nearly_equal(p, other):
            yield name, other


def _nearly_equal(a: Preprocessing, b: Preprocessing) -> bool:
    """True if a grey step is about the same in both, and black as well."""
    if a.channel_order != b.channel_order:
        return False
    black, white = (
        [
            [(value - m) / s for m, s in zip(p.mean, p.std, strict=False)]
            for p, value in ((a, level * a.scale), (b, level * b.scale))
        ]
        for level in (0.0, 1.0)
    )
    span = [w - k for w, k in zip(white[0], black[0], strict=True)]
    return all(
        abs(x - y) < 0.1 * abs(s)
        for pair in (black, white)
        for x, y, s in zip(*pair, span, strict=True)
    )


@torch.no_grad()
def measure(model: Model, preprocessing: Preprocessing) -> InputFigures:
    """Run `PICTURES`, and noise, through the model as `preprocessing` says."""
    pictures = _pictures(preprocessing).to(model.device)
    node = _output_node(model)
    norm = next((m for m in model.module.modules() if isinstance(m, nn.BatchNorm2d)), None)
    arrived: list[Tensor] = []
    hook = (
        None
        if norm is None
        else norm.register_forward_pre_hook(
            lambda module, inputs: arrived.append(inputs[0].detach())
        )
    )
    try:
        found = model.run(preprocessing.apply(pictures), [node], preprocess=False)[node]
    finally:
        if hook is not None:
            hook.remove()
    values = found.float().flatten(2).mean(2) if found.ndim > 2 else found.float()
    shown = len(PICTURES)
    return InputFigures(
        finite=bool(values.isfinite().all()),
        contrast=_contrast(values[:shown]),
        certainty=float(values[shown:].softmax(1).amax(1).mean()),
        misfit=None if norm is None or not arrived else _misfit(norm, arrived[0][:shown]),
    )


def _output_node(model: Model) -> str:
    """The node nearest to the output."""
    flat = [node.id for node in model.nodes.values() if not node.shape and node.units > 1]
    return flat[-1] if flat else list(model.nodes)[-1]


def _pictures(p: Preprocessing) -> Tensor:
    """RGB in 0..1: photographs, then plain noise."""
    shown = torch.stack([to_input(open_shipped(name), p) for name in PICTURES])
    generator = torch.Generator().manual_seed(0)
    return torch.cat([shown, torch.rand((NOISE, *shown.shape[1:]), generator=generator)])


def _contrast(values: Tensor) -> float:
    """Of the variance of an output [picture, unit] over units, the share between pictures, 0..1."""
    centred = values - values.mean(1, keepdim=True)
    whole = centred.square().sum()
    between = (centred - centred.mean(0)).square().sum()
    return float(between / whole) if whole > 0 else 0.0


def _misfit(norm: nn.BatchNorm2d, arrived: Tensor) -> float | None:
    """How far what arrives [picture, unit, y, x] is from the running statistics, the median over
    units: of means in standard deviations, or of variances in factors of e, whichever is more.

    None for a batch norm without statistics.
    """
    if norm.running_mean is None or norm.running_var is None or not norm.running_mean.any():
        return None
    mean, var = arrived.float().mean((0, 2, 3)), arrived.float().var((0, 2, 3))
    known = norm.running_var.clamp(min=norm.eps)
    shift = (mean - norm.running_mean).abs() / known.sqrt()
    spread = (var.clamp(min=norm.eps) / known).log().abs()
    return float(torch.maximum(shift.median(), spread.median()))
