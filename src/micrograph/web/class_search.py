"""Units by what they fire on: those whose strongest pictures of a dataset are of the classes that a
word means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from micrograph.atlas import Atlas, Outline, Reading
from micrograph.cards.class_words import classes_meant
from micrograph.lenses.similar.profiles import Nodes, Profiles, profiles_of

if TYPE_CHECKING:
    pass

KEPT_AS = "dataset-classes-1"
"""The name under which an index keeps what `pack` makes of a file."""

STRONGEST = 16
"""Pictures of a unit, at most, that are looked at."""
_SHARE = 0.5
"""Of these, that must be of the classes that are meant; at least two, as chance makes one."""
_CLEAR = 0.8
"""Where there is one picture of a class only: what any other may have of its value."""


@dataclass(frozen=True)
class SweptClasses:
    """A dataset that a model was shown: the names of its classes, and the class of each picture."""

    digest: str
    title: str
    names: tuple[str, ...]
    of_picture: Mapping[int, int]


@dataclass(frozen=True)
class UnitOfClass:
    """A unit of which `hits` of its `strongest` pictures of a dataset are of the classes.

    `selectivity` is the mean of its largest activations on pictures of the classes, less that on
    the others, on the scale from its least (0) to its most (1).
    """

    node: str
    unit: int
    hits: int
    strongest: int
    dataset: str
    selectivity: float


def units_of_class(atlas: Reading, text: str, count: int) -> list[UnitOfClass]:
    """The units of a model whose strongest pictures are of classes that `text` means, the most
    selective first.

    Where the model was shown its own classes, what it answered to others does not count. Units that
    stand for classes themselves are left out: they are found by their names.
    """
    if isinstance(atlas, Outline):
        return []
    found: list[UnitOfClass] = []
    for swept in _datasets(atlas):
        meant = classes_meant(text, swept.names)
        if not meant:
            continue
        for node, profiles in profiles_of(atlas, swept.digest).get(swept.digest, Nodes()).items():
            known = atlas.nodes.get(node)
            if known is None or (not known.shape and known.units == len(atlas.model.labels)):
                continue
            found += _ranked(node, profiles, swept, meant)
    found.sort(key=lambda one: (-one.hits / one.strongest, -one.selectivity, one.node, one.unit))
    return found[:count]


def _ranked(
    node: str, profiles: Profiles, swept: SweptClasses, meant: frozenset[int]
) -> list[UnitOfClass]:
    import numpy as np

    classes = np.array([swept.of_picture.get(int(n), -1) for n in profiles.numbers])
    inside = np.isin(classes, list(meant))
    strongest = min(STRONGEST, int(inside.sum()))
    if not strongest or inside.all():
        return []
    values = profiles.values
    order = np.argpartition(values, -strongest, axis=1)[:, -strongest:]
    fired = np.take_along_axis(values, order, axis=1) > 0
    hits = (inside[order] & fired).sum(1)
    good = hits >= max(strongest * _SHARE, 2)
    if strongest == 1:
        good = (hits == 1) & (values[:, ~inside].max(1) <= _CLEAR * values.max(1))
    units = np.flatnonzero(good)
    inner, outer = values[units][:, inside].mean(1), values[units][:, ~inside].mean(1)
    return [
        UnitOfClass(node, unit, int(hits[unit]), strongest, swept.title, selectivity)
        for unit, selectivity in zip(units.tolist(), ((inner - outer) / 255).tolist(), strict=True)
    ]


def _datasets(atlas: Reading) -> list[SweptClasses]:
    """Those of a model that have classes; if there are any with the model's own, these only."""
    found = {one.digest: one for part in _parts(atlas) for one in _of_part(atlas, part)}
    labels = set(atlas.model.labels)
    own = [one for one in found.values() if labels and set(one.names) <= labels]
    return own or list(found.values())


def _parts(atlas: Any) -> tuple[Atlas, ...]:
    return tuple(getattr(atlas, "parts", (atlas,)))


def _of_part(atlas: Any, part: Atlas) -> tuple[SweptClasses, ...]:
    """From the index where it has them, else from the file."""
    index, states = getattr(atlas, "index", None), getattr(atlas, "states", {})
    kept = None
    if index is not None and part.path in states:
        kept = index.stored_value(part.path, states[part.path], KEPT_AS)
    try:
        return _unpack(pack(part) if kept is None else kept)
    except (ValueError, TypeError, KeyError, AttributeError):
        return _unpack(pack(part))  # another program's, or an outdated one: the atlas decides


def pack(part: Atlas) -> bytes:
    """The classes of the datasets in one file, for an index."""
    return json.dumps(
        [
            {
                "digest": dataset.digest,
                "title": dataset.title,
                "names": list(dataset.classes),
                "classes": sorted(part.sample_classes(dataset.digest).items()),
            }
            for dataset in part.datasets()
            if dataset.classes
        ]
    ).encode()


@lru_cache(256)
def _unpack(packed: bytes) -> tuple[SweptClasses, ...]:
    """The reverse of `pack`. Raises ValueError, TypeError, KeyError or AttributeError for anything
    else."""
    return tuple(
        SweptClasses(
            str(one["digest"]),
            str(one["title"]),
            tuple(map(str, one["names"])),
            {int(number): int(cls) for number, cls in one["classes"]},
        )
        for one in json.loads(packed)
    )
