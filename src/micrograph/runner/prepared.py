"""What a render means, checked before anything is written."""

import json
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograph import lenses
from micrograph.atlas.format import SUFFIX
from micrograph.errors import BadInput, MicrographError, short
from micrograph.lenses.engines.base import AnyEngine, Job, SweepEngine
from micrograph.recipe import canonical
from micrograph.runner.examples import ExamplesInAtlases
from micrograph.runner.options import jobs_of, options_of, plain
from micrograph.runner.select import (
    as_names,
    as_selection,
    choose_nodes,
    choose_units,
    find_attached,
)

if TYPE_CHECKING:
    from micrograph.models.model import Model
    from micrograph.models.node import Node


@dataclass(frozen=True)
class PreparedRender:
    """The file that results go to, the fixed size of a batch or None, the jobs with their engines,
    the options of each lens, and the units that are wanted of each node."""

    path: Path
    batch: int | None
    jobs: Sequence[tuple[AnyEngine, Job]]
    options: Mapping[str, Mapping[str, Any]]
    wanted: Mapping[str, Sequence[int]]


def prepared(
    model: "Model",
    atlas_dir: Path | str,
    technique: str | Iterable[str],
    nodes: "str | Node | Iterable[str | Node] | None",
    units: str | int | Iterable[int | str] | None,
    batch: int | str,
    options: Mapping[str, Any],
) -> PreparedRender:
    """What `render` means with these. Raises as it does."""
    size = _checked_batch(batch)
    _check_model(model)
    path = _checked_folder(atlas_dir) / f"{model.id}{SUFFIX}"
    engines = [lenses.get(name) for name in as_names("technique", technique)]
    if not engines:
        raise BadInput("no technique given; expected the name of a lens, or several")
    names = as_names("nodes", () if nodes is None else nodes)
    selection = None if units is None else as_selection(units)
    options = {name: plain(value) for name, value in options.items()}
    jobs = jobs_of(engines, model, options, ExamplesInAtlases(path))
    own = {name: _plain(name, given) for name, given in options_of(engines, options).items()}
    find_attached(model, names)
    chosen = choose_nodes(model.nodes, names, model.id)
    largest = max((node.units for node in chosen), default=0)
    wanted = {node.id: choose_units(node, selection, largest) for node in chosen}
    _check_that_some_fit(model, jobs, wanted)
    return PreparedRender(path, size, jobs, own, wanted)


def _check_that_some_fit(
    model: "Model", jobs: Sequence[tuple[AnyEngine, Job]], nodes: Iterable[str]
) -> None:
    """Raises what the first says, where the options fit no node that was asked for."""
    refused: list[MicrographError] = []
    for engine, job in jobs:
        if isinstance(engine, SweepEngine):
            return
        for node in nodes:
            try:
                engine.batch_size(model, node, job)
            except MicrographError as error:
                refused.append(error)
            else:
                return
    if refused:
        raise refused[0]


def _plain(lens: str, options: dict[str, Any]) -> dict[str, Any]:
    """Options as plain JSON. Raises BadInput for values that JSON cannot hold."""
    try:
        plain: dict[str, Any] = json.loads(canonical(options))
    except (TypeError, ValueError):
        raise BadInput(
            f"options {short(options)} of {lens} are not usable; expected values that JSON knows: "
            "texts, numbers, true, false, null, lists"
        ) from None
    return plain


def _check_model(model: object) -> None:
    """Raises BadInput for what is no model."""
    if isinstance(model, str):
        raise BadInput(f"model {short(model)} is a name; expected what micrograph.load gives")
    if not hasattr(model, "card"):
        raise BadInput(
            f"model of type {type(model).__name__} given; expected what micrograph.load or "
            "micrograph.Model.of gives"
        )


def _checked_folder(folder: Any) -> Path:
    """Raises BadInput for what is no path."""
    if not isinstance(folder, str | os.PathLike):
        raise BadInput(f"atlas_dir {short(folder)} given; expected the folder of the atlas")
    return Path(folder)


def _checked_batch(batch: Any) -> int | None:
    """The fixed batch size, or None for "auto"."""
    if isinstance(batch, str) and batch == "auto":
        return None
    try:
        number = 0 if isinstance(batch, bool) else operator.index(batch)
    except TypeError:
        number = 0
    if 1 <= number <= 4096:
        return number
    raise BadInput(f"batch {batch!r} is not usable; expected auto, or a number from 1 to 4096")
