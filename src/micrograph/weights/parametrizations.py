"""Names of weights that are made of others: weight norm and spectral norm, as torch spelled them
before 2.0 (`conv.weight_g`) and spells them now (`conv.parametrizations.weight.original0`)."""

import re
from collections.abc import Iterable, Mapping

from micrograph.weights.readers.common import Tensors

_NORMED = {"_g": "original0", "_v": "original1"}
_SPECTRAL = {"_orig": "original", "_u": "0._u", "_v": "0._v"}
_NOW = re.compile(r"(.*?)parametrizations\.(\w+)\.(original[01]?|0\._[uv])$")


def respelled(tensors: Tensors, own: Mapping[str, object]) -> Tensors:
    """`tensors` with names in the spelling of the network whose names are those of `own`."""
    now = any(_NOW.match(name) for name in own)
    if now:
        spelled = dict(_as_now(tensors))
    else:
        spelled = dict(_as_before(tensors)) if _as_now(own) else {}
    return {spelled.get(name, name): tensor for name, tensor in tensors.items()}


def _as_now(names: Iterable[str]) -> dict[str, str]:
    """Names of today for those of old."""
    there = set(names)
    found: dict[str, str] = {}
    for name in there:
        for marks, first, second in ((_NORMED, "_g", "_v"), (_SPECTRAL, "_orig", "_u")):
            stem = name.removesuffix(first)
            if stem == name or f"{stem}{second}" not in there:
                continue
            module, _, weight = stem.rpartition(".")
            front = f"{module}." if module else ""
            for mark, part in marks.items():
                found[f"{stem}{mark}"] = f"{front}parametrizations.{weight}.{part}"
    return found


def _as_before(names: Iterable[str]) -> dict[str, str]:
    """Names of old for those of today."""
    before = {part: mark for marks in (_NORMED, _SPECTRAL) for mark, part in marks.items()}
    return {
        name: f"{said[1]}{said[2]}{before[said[3]]}"
        for name in names
        if (said := _NOW.match(name)) is not None
    }
