"""Checking an atlas, and making a new one of what others hold: all of it, a part, what is sound."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import TypeVar

from micrograph.address import find_node
from micrograph.atlas import queries
from micrograph.atlas.format import reading
from micrograph.atlas.merged import Merged, differing_node
from micrograph.atlas.place import fresh_atlas
from micrograph.atlas.read import Atlas
from micrograph.atlas.records import Visualization
from micrograph.atlas.whole import LostRow, datasets_of, page_problems, results, samples
from micrograph.atlas.write import AtlasWriter
from micrograph.errors import Conflict, DamagedAtlas, NotFound, short
from micrograph.files import check_free, remove_abandoned

_BATCH = 64
Step = Callable[[int, int], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Account:
    """What was read: how many results and samples are sound, and what is lost. What is damaged as
    well, and was not meant, is `passed_over`."""

    results: int = 0
    samples: int = 0
    losses: list[LostRow] = field(default_factory=list)
    passed_over: list[LostRow] = field(default_factory=list)


def verify(path: Path | str, on_step: Step = lambda done, of: None) -> Account:
    """Read everything in an atlas and hold it to its digests. Nothing is changed.

    `on_step` is told how many of how many results were looked at. Raises what `Atlas.open` raises
    for a file that cannot be opened at all.
    """
    atlas = Atlas.open(path)
    with reading(atlas.path, seconds=math.inf) as connection:
        losses = page_problems(connection)
        sound = _Sieve(atlas, losses, strict=False)
        whole = sum(1 for _ in sound(results(connection, atlas, on_step)))
        kept = sum(sample is not None for _, sample in sound(samples(connection)))
    return Account(whole, kept, losses)


def copy(
    sources: Sequence[Path | str],
    target: Path | str,
    nodes: Collection[str] = (),
    techniques: Collection[str] = (),
    strict: bool = True,
    on_step: Step = lambda done, of: None,
) -> Account:
    """Write a new atlas with the results of `sources`, all of one model and weights; the first that
    has a result wins. Returns what it holds, and what was left out as damaged.

    `nodes` (ids or aliases) and `techniques` keep results of those only. With `strict` a damaged
    result of those, or one that may be, raises DamagedAtlas and nothing is made; without it is left
    out. Raises Conflict where `target` is there or the sources are of different models, NotFound
    for an unknown node, for a lens without results or where nothing is kept, and what `Atlas.open`
    raises. A file is there when it is whole, or not at all.
    """
    target = Path(target)
    remove_abandoned(target.parent)
    check_free(target)
    together = Merged(_of_one_model([Atlas.open(source) for source in sources]))
    part = _Choice({find_node(n, together.aliases, together.model.id) for n in nodes}, techniques)
    _check_lenses(together.parts, techniques)
    losses: list[LostRow] = []
    passed_over: list[LostRow] = []
    with fresh_atlas(target) as fresh:
        with AtlasWriter.open(
            fresh,
            together.model,
            list(together.nodes.values()),
            list(together.dictionaries.values()),
        ) as writer:
            stored = sum(
                _copy_one(atlas, writer, part, _Sieve(atlas, losses, strict, passed_over), on_step)
                for atlas in together.parts
            )
        if not stored and not losses and not part.is_all:
            raise NotFound(
                f"{together.parts[0].path} has no {' or '.join(techniques) or 'results'} of "
                f"{', '.join(nodes) or 'any node'}; `micrograph atlas info` lists what there is"
            )
        with reading(fresh) as connection:
            (kept,) = connection.execute(queries.SAMPLES_HELD).fetchone()
    return Account(stored, kept, losses, passed_over)


@dataclass(frozen=True)
class _Choice:
    """Which results are meant; all of them where it says nothing."""

    nodes: Collection[str]
    techniques: Collection[str]

    def __contains__(self, v: Visualization) -> bool:
        return (not self.nodes or v.node in self.nodes) and (
            not self.techniques or v.technique in self.techniques
        )

    def may_hold(self, lost: LostRow) -> bool:
        """Whether a result that is lost may be meant: it is, or it cannot be told."""
        return (not self.nodes or lost.node is None or lost.node in self.nodes) and (
            not self.techniques or lost.technique is None or lost.technique in self.techniques
        )

    @property
    def is_all(self) -> bool:
        return not self.nodes and not self.techniques


@dataclass(frozen=True)
class _Sieve:
    """Lets through what is sound; what is not is written down, or refused with `strict`, unless it
    is not `meant`."""

    atlas: Atlas
    losses: list[LostRow]
    strict: bool
    passed_over: list[LostRow] = field(default_factory=list)

    def __call__(
        self, found: Iterable[T | LostRow], meant: Callable[[LostRow], bool] = lambda lost: True
    ) -> Iterator[T]:
        for one in found:
            if not isinstance(one, LostRow):
                yield one
            elif not meant(one):
                self.passed_over.append(one)
            elif self.strict:
                raise DamagedAtlas(
                    f"{self.atlas.path} is damaged ({one}); "
                    "`micrograph atlas repair` saves the rest"
                )
            else:
                self.losses.append(one)


def _copy_one(
    atlas: Atlas, writer: AtlasWriter, part: _Choice, sound: _Sieve, on_step: Step
) -> int:
    """How many results of an atlas were new."""
    stored, named = 0, set[str]()
    with reading(atlas.path, seconds=math.inf) as connection:
        read = sound(results(connection, atlas, on_step), part.may_hold)
        meant = (v for v in read if v in part)
        while batch := list(islice(meant, _BATCH)):
            stored += writer.put(batch)
            named.update(*map(datasets_of, batch))

        def is_named(lost: LostRow) -> bool:
            return part.is_all or lost.dataset is None or lost.dataset in named

        there = sound(samples(connection), is_named)
        for _, group in groupby(there, lambda pair: pair[0].digest):
            dataset, _ = next(group)  # the first of them is without a sample
            if part.is_all or dataset.digest in named:
                writer.put_samples(dataset, [])
                own = (sample for _, sample in group if sample is not None)
                while some := list(islice(own, _BATCH)):
                    writer.put_samples(dataset, some)
    return stored


def _check_lenses(atlases: Sequence[Atlas], techniques: Collection[str]) -> None:
    """Raises NotFound for a lens of which no atlas has anything."""
    if not techniques:
        return
    there = sorted(set[str]().union(*(atlas.of_lenses() for atlas in atlases)))
    for name in techniques:
        if name not in there:
            held = ", ".join(there) or "no results"
            raise NotFound(f"nothing of {short(name)} is in {atlases[0].path}; it has {held}")


def _of_one_model(atlases: list[Atlas]) -> list[Atlas]:
    """Raises Conflict for atlases that cannot be one."""
    first, *others = atlases
    for other in others:
        if (other.model.id, other.model.digest) != (first.model.id, first.model.digest):
            raise Conflict(
                f"{other.path} is of {other.model.id} with weights {other.model.digest[:12]}, "
                f"{first.path} of {first.model.id} with weights {first.model.digest[:12]}; an "
                "atlas is of one model and its weights"
            )
        if node := differing_node(first, other):
            raise Conflict(
                f"{node} of {other.path} is made by another dictionary than that of {first.path}; "
                "an atlas has one node of a name"
            )
    return atlases
