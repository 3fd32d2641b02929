"""Which of the tensors in a file are a network's: training checkpoints hold several sets of them.

A set is a dict of named tensors, as `model` or `state_dict_ema` of a checkpoint; within it, all names
may have something in front (`module.`, `student.backbone.`). Exactly one way of reading the file must
fit the network, or the user has to say which is meant: `c.pth#state_dict_ema`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Size, Tensor

from micrograph.errors import not_found
from micrograph.weights.formats import WeightsError
from micrograph.weights.parametrizations import respelled
from micrograph.weights.readers.common import Tensors

_NEEDLESS = (
    "num_batches_tracked",
    "position_ids",
    "relative_position_index",
    "attn_mask",
    "_extra_state",
)
"""Last parts of the names of buffers that follow from the network, so that files may lack them or
have them where the network does not."""

_WRAPPERS = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "module")
"""Parts of names that come from compiling and from training on several devices."""

AS_THEY_ARE = "."
"""The key of a set whose names have nothing in front, in a file that is this set."""


@dataclass(frozen=True)
class Chosen:
    """The tensors of a file that are meant for a network, by its names, and where they stood."""

    key: str
    tensors: dict[str, Tensor]


def split_key(weights: Path | str) -> tuple[Path, str]:
    """The file, and which of its sets of tensors is meant: behind the `#`, "" without one."""
    path, mark, key = str(weights).rpartition("#")
    if not mark or Path(weights).exists():
        return Path(weights), ""
    return Path(path), key


def choose(
    sets: Mapping[str, Tensors], own: Mapping[str, Tensor], file: Path, key: str = ""
) -> Chosen:
    """The one set whose tensors fit those of a network (`own`); if none does, the nearest.

    What lies beside it (an optimizer, other towers) is left out. Raises WeightsError where several
    fit, NotFound for a key that is not there.
    """
    ways = list(_ways(sets, own))
    if not any(way.fits for way in ways) and len(sets) > 1:
        joined = {
            f"{place}.{name}".lstrip("."): tensor
            for place, tensors in sets.items()
            for name, tensor in tensors.items()
        }
        ways += _ways({"": joined}, own)
    if key:
        ways = _of_key(ways, key, file, sets)
    fitting = [way for way in ways if way.fits]
    if len(fitting) > 1:
        raise _several(file, [way.key or AS_THEY_ARE for way in fitting])
    best = max(fitting or ways, key=lambda way: (way.shared, -len(way.key)), default=None)
    return Chosen("", {}) if best is None else Chosen(best.key, best.named(own))


def largest(
    sets: Mapping[str, Tensors], chosen: Chosen, file: Path, key: str = ""
) -> Chosen:
    """The set that a conversion takes, by the file's own names: that of `chosen` or of the key,
    else the largest. Raises WeightsError where several have the same names."""
    for place in (key, chosen.key):
        fronts = [name for name in sets if name and (place == name or place.startswith(f"{name}."))]
        if fronts:
            return Chosen(max(fronts, key=len), sets[max(fronts, key=len)])
    place = max(sets, key=lambda name: len(sets[name]), default="")
    alike = [name for name in sets if sets[name].keys() == sets.get(place, {}).keys()]
    if len(alike) > 1:
        raise _several(file, alike)
    return Chosen(place, sets.get(place, {}))


def _several(file: Path, keys: Sequence[str]) -> WeightsError:
    named = ", ".join(map(repr, keys[:6])) + (", ..." if len(keys) > 6 else "")
    return WeightsError(
        f"{file} holds {len(keys)} sets of tensors that fit: {named}; say which is meant, as in "
        f"{file}#{keys[-1]}"
    )


@dataclass(frozen=True)
class _Way:
    """One way of reading the file: a set, and what all its names have in front."""

    place: str
    prefix: str
    tensors: Tensors
    others: tuple[str, ...]
    """Longer prefixes under which there is a network too."""
    shared: int
    """How many of the network's tensors there are."""
    fits: bool

    @property
    def key(self) -> str:
        return ".".join(part for part in (self.place, self.prefix.rstrip(".")) if part)

    def named(self, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What is meant for the network, by its names there."""
        named = {
            name.removeprefix(self.prefix): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(self.prefix) and not name.startswith(self.others)
        }
        tops = {name.partition(".")[0] for name in own}
        if len(tops) == 1 and any("." in name for name in own):
            named = {n: t for n, t in named.items() if n.partition(".")[0] in tops}
        found = {n: t for n, t in named.items() if n in own or not is_needless(n)}
        return {n: t for n, t in own.items() if is_needless(n)} | found


def _ways(sets: Mapping[str, Tensors], own: Mapping[str, Tensor]) -> Iterator[_Way]:
    needed = {name: tensor.shape for name, tensor in own.items() if not is_needless(name)}
    for place, given in sets.items():
        as_given = list(_ways_in(place, respelled(given, own), needed))
        plain = _without_wrappers(given, own)
        if plain.keys() == given.keys() or any(way.fits for way in as_given):
            yield from as_given
        else:
            yield from _ways_in(place, respelled(plain, own), needed)


def _ways_in(place: str, tensors: Tensors, needed: Mapping[str, Size]) -> Iterator[_Way]:
    """By what all names of one set may have in front."""
    first = next(iter(needed), "")
    ends = [name for name in tensors if name == first or name.endswith(f".{first}")]
    prefixes = sorted({name.removesuffix(first) for name in ends} or {""}, key=len)
    for number, prefix in enumerate(prefixes):
        there = [name for name in needed if prefix + name in tensors]
        yield _Way(
            place,
            prefix,
            tensors,
            tuple(other for other in prefixes[number + 1 :] if other.startswith(prefix)),
            len(there),
            len(there) == len(needed) > 0
            and all(tensors[prefix + n].shape == shape for n, shape in needed.items()),
        )


def _without_wrappers(given: Tensors, own: Mapping[str, Tensor]) -> Tensors:
    """With names as they are without compiling and parallel training."""
    usual = {part for name in own for part in name.split(".")}
    wrappers = [part for part in _WRAPPERS if part not in usual]
    found = {
        ".".join(part for part in name.split(".") if part not in wrappers): tensor
        for name, tensor in given.items()
    }
    return found if len(found) == len(given) else given


def _of_key(ways: list[_Way], key: str, file: Path, sets: Mapping[str, Tensors]) -> list[_Way]:
    wanted = "" if key == AS_THEY_ARE else key
    exact = [way for way in ways if way.key == wanted] or [w for w in ways if w.place == wanted]
    found = exact or [way for way in ways if way.key.endswith(f".{wanted}")]
    if not found:
        known = {way.key or AS_THEY_ARE for way in ways} | {place or AS_THEY_ARE for place in sets}
        raise not_found("set of tensors", key, sorted(known), str(file))
    return found


def is_needless(name: str) -> bool:
    """Whether the tensor of that name follows from the network."""
    return name.rpartition(".")[2] in _NEEDLESS
