"""Tallies as files: unfinished work, and the parts of a sweep that was cut."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from micrograph.errors import BadInput, short
from micrograph.sweep.arrays import StoredArrays, write_arrays
from micrograph.sweep.tally import Spec, Tally, layout

_KIND = "micrograph sweep part 2"


def write(tally: Tally, path: Path, source: str = "", meant: range | None = None) -> None:
    """Write a tally (safetensors, its spec as JSON inside) in one go: whole or not at all.

    `source` is the dataset as it was named; the digest in the spec tells which it was. `meant` are
    the batches that it is to hold when it is finished.
    """
    skipped = {str(number): reason for number, reason in tally.skipped.items()}
    said = {
        "kind": _KIND,
        "spec": json.dumps(tally.spec.as_dict()),
        "source": source,
        "skipped": json.dumps(skipped),
    }
    if meant is not None:
        said["meant"] = json.dumps([meant.start, meant.stop])
    write_arrays(path, tally.arrays, said)


def read(path: Path, *, to_merge: bool = False) -> tuple[Tally, str]:
    """A tally that `write` wrote, and its source. Raises BadInput for anything else.

    One that is `to_merge` into another, and nothing else, leaves its arrays in the file.
    """
    with _opened(path) as (file, said):
        spec = _spec(json.loads(said["spec"]))
        wanted = {n: (list(shape), dtype) for n, (shape, dtype, _) in layout(spec).items()}
        shapes = {n: list(file.get_slice(n).get_shape()) for n in file.keys()}  # noqa: SIM118
        if shapes != {n: shape for n, (shape, _) in wanted.items()}:
            raise ValueError("its arrays do not fit what it says of itself")
        stored = StoredArrays(path)
        if any(stored.dtype(n) != dtype for n, (_, dtype) in wanted.items()):
            raise ValueError("its arrays are of other types")
        tally = Tally(spec, stored if to_merge else dict(stored))
        tally.skipped = {int(n): str(why) for n, why in json.loads(said["skipped"]).items()}
        return tally, said.get("source", "")


def spec_of(path: Path) -> Spec:
    """What the sweep is that a file is a part of. Raises BadInput for anything else."""
    with _opened(path) as (_, said):
        return _spec(json.loads(said["spec"]))


def left_of(path: Path) -> int:
    """How many batches a part still lacks that is not finished; 0 where it does not say. Raises
    BadInput for anything else."""
    with _opened(path) as (file, said):
        start, stop = json.loads(said.get("meant", "[0, 0]"))
        done = np.array(file.get_tensor("done"))[int(start) : int(stop)]
        return int((~done.astype(bool)).sum())


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    """A part, and what its header says. Raises BadInput for what is none, and for whatever is found
    wrong with it in the context."""
    if not path.is_file():
        raise BadInput(f"no sweep part {short(path, 200)}: no such file")
    try:
        with safe_open(path, "numpy") as file:
            said: dict[str, str] = file.metadata() or {}
            if said.get("kind") != _KIND:
                raise ValueError("it is something else, or of another version")
            yield file, said
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = " ".join(str(error).split())[:120]
        raise BadInput(
            f"{short(path, 200)} is no sweep part that can be read ({why}); "
            "make it anew with micrograph sweep --out"
        ) from None


def _spec(data: dict[str, Any]) -> Spec:
    nodes = tuple((str(n), int(u), bool(b)) for n, u, b in data.pop("nodes"))
    texts = ("model", "weights", "dataset", "code")
    values: dict[str, Any] = {n: str(v) if n in texts else int(v) for n, v in data.items()}
    spec = Spec(nodes=nodes, **values)
    if (
        min(spec.pictures, spec.batch, spec.largest, spec.smallest, spec.units) < 1
        or min(spec.classes, *(units for _, units, _ in nodes)) < 0
    ):
        raise ValueError("its numbers make no sense")
    return spec
