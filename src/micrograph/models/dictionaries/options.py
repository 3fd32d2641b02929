"""What may be said by hand of a dictionary, besides its file."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.contents import contents
from micrograph.models.dictionaries.description import Description
from micrograph.models.dictionaries.keys import Keys

OPTIONS = {
    "activation": "how latents speak: relu, topk, jumprelu, none, ...",
    "k": "how many speak at a position, for topk",
    "subtract": "whether the decoder's bias is taken from the inputs: true or false",
    "scale": "a factor on the inputs",
    "normalize": "none, layer_norm, layer_norm_sample or constant_norm",
    "mean": "what is taken from the inputs first: a number, a file with one tensor, or none",
    "scalar": "what the inputs are divided by, after `mean` was taken",
    "average_norm": "the average length of the inputs in training: they are brought to sqrt(units)",
    "average_norm_out": "the same of what a transcoder writes",
    "threshold": "below which no latent speaks, for jumprelu",
    "architecture": "the class that wrote it, in the words of its library",
    "atoms": "how its atoms are normalized: l2, max_l2, l1, max_l1, identity (OverComplete)",
    "format": "the library that wrote it",
    "ignore": "keys of its configuration that change nothing, separated by commas",
}
FACTS = ("title", "l0", "explained", "trained", "licence")
"""What a file says of itself for people."""


def check_options(options: Mapping[str, Any]) -> None:
    """Raises BadInput for an option that there is not."""
    for name in options:
        if name not in OPTIONS and name not in FACTS:
            raise BadInput(f"option {short(name)} is unknown; expected one of {', '.join(OPTIONS)}")


def with_options(given: Description, options: Mapping[str, Any]) -> Description:
    """The description, as far as it is said otherwise by hand."""
    said = Keys(options, "the options")
    changes: dict[str, Any] = {}
    if activation := said.text("activation"):
        changes["activation"] = activation
    if "k" in said:
        changes["k"] = said.whole("k")
    if "subtract" in said:
        changes["subtract"] = said.flag("subtract", default=True)
    if "normalize" in said:
        changes["normalize"] = said.text("normalize")
    if (scale := scale_of(options, given.units)) is not None:
        changes["scale"] = scale
        changes["scale_back"] = given.scale_back
    if (mean := mean_of(options)) is not None:
        changes["mean"] = mean.expand(given.units) if mean.numel() == 1 else mean
    if "threshold" in said:
        changes["threshold"] = torch.tensor(said.number("threshold", default=0.0))
        changes["outside"] = True
        changes.setdefault("activation", "jumprelu")
    return replace(given, **changes)


def scale_of(options: Mapping[str, Any], units: int) -> float | None:
    """The factor on the inputs that is said, in any of three ways; None where none is."""
    said = Keys(options, "the options")
    found = {
        "scale": said.number("scale", default=1.0),
        "scalar": 1 / _above_0("scalar", said.number("scalar", default=1.0)),
        "average_norm": units**0.5
        / _above_0("average_norm", said.number("average_norm", default=1)),
    }
    given = [name for name in found if name in said]
    if len(given) > 1:
        raise BadInput(f"{' and '.join(given)} say the same thing; give one of them")
    return _above_0(given[0], found[given[0]]) if given else None


def mean_of(options: Mapping[str, Any]) -> Tensor | None:
    """The vector, or the number, that is taken from the inputs; None where none is said."""
    value = options.get("mean")
    if value is None or str(value).lower() in ("none", "0", ""):
        return None
    if isinstance(value, Tensor):
        return value.detach().cpu().double().reshape(-1)
    try:
        return torch.tensor([float(value)], dtype=torch.float64)
    except ValueError:
        pass
    tensors = contents(Path(value)).tensors
    if len(tensors) != 1:
        raise BadInput(f"mean {short(value)} holds {len(tensors)} tensors, expected one")
    return next(iter(tensors.values())).double().reshape(-1)


def _above_0(name: str, value: float) -> float:
    if not 0 < value < float("inf"):
        raise BadInput(f"{name} {value} is out of range; expected a finite number above 0")
    return value
