"""What the readers of formats share."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from micrograph.errors import BadInput, short
from micrograph.models.dictionaries.contents import Contents
from micrograph.models.dictionaries.hooks import Hooks


def needed(given: Contents, what: str, *names: str) -> list[Tensor]:
    """Those tensors, as floats. Raises BadInput, naming what is missing."""
    missing = [name for name in names if name not in given.tensors]
    if missing:
        raise BadInput(f"{what} has tensors {', '.join(names)}; it lacks {', '.join(missing)}")
    return [floats(given.tensors[name]) for name in names]


def optional(given: Contents, name: str) -> Tensor | None:
    """That tensor as floats, if it is there."""
    return floats(given.tensors[name]) if name in given.tensors else None


def floats(tensor: Tensor) -> Tensor:
    """In float32, or float64 where it is that."""
    return tensor if tensor.dtype.itemsize > 4 and tensor.is_floating_point() else tensor.float()


def only(given: Contents, what: str, used: Iterable[str], harmless: Iterable[str] = ()) -> None:
    """Raises BadInput where the file holds tensors that nobody reads."""
    left = sorted(given.names - {*used, *harmless})
    if left:
        raise BadInput(
            f"tensors {', '.join(map(short, left[:4]))} are not understood in a file of {what}"
        )


def across(encoder: Tensor, name: str, latents: int, units: int) -> None:
    """Raises BadInput unless `encoder` is [unit, latent]."""
    if tuple(encoder.shape) != (units, latents):
        raise BadInput(
            f"{name} has shape {list(encoder.shape)}, expected [{units}, {latents}] for its biases "
            f"of {units} units and {latents} latents"
        )


def hooks(config: Mapping[str, Any], reads: str = "", writes: str = "", model: str = "") -> Hooks:
    """The places that a configuration names, by the keys that hold them."""
    return Hooks(*(str(config.get(key) or "") for key in (reads, writes, model)))


def mapping(value: Any, what: str) -> dict[str, Any]:
    """`value`, which should be an object or nothing. Raises BadInput."""
    if value is None or isinstance(value, Mapping):
        return {str(name): inner for name, inner in (value or {}).items()}
    raise BadInput(f"{what} is {short(value)}, expected an object")


def sizes(units: int, latents: int, said_units: int, said_latents: int) -> None:
    """Raises BadInput where a configuration says other sizes than its tensors have."""
    if said_units not in (0, units) or said_latents not in (0, latents):
        raise BadInput(
            f"its configuration is of {said_latents or latents} latents over {said_units or units} "
            f"units, its tensors of {latents} over {units}; they are not of one dictionary"
        )
