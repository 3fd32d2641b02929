"""Tallies as files: unfinished work, and the parts of a sweep that was cut."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from micrograph.errors import BadInput, short
from micrograph.sweep.arrays import StoredArrays, write_arrays
from micrograph.sweep.tally import Spec, Tally, layout

_KIND = "micrograph sweep part 2"


def write(tally: Tally, path: Path, source: str = "") -> None:
    """Write a tally (safetensors, its spec as JSON inside) in one go: whole or not at all.

    `source` is the dataset as it was named; the digest in the spec tells which it was.
    """
    skipped = {str(number): reason for number, reason in tally.skipped.items()}
    said = {
        "kind": _KIND,
        "spec": json.dumps(tally.spec.as_dict()),
        "source": source,
        "skipped": json.dumps(skipped),
    }
    write_arrays(path, tally.arrays, said)


def read(path: Path, *, to_merge: bool = False) -> tuple[Tally, str]:
    """A tally that `write` wrote, and its source. Raises BadInput for anything else.

    One that is `to_merge` into another, and nothing else, leaves its arrays in the file.
    """
    if not path.is_file():
        raise BadInput(f"no sweep part {short(path, 200)}: no such file")
    try:
        with safe_open(path, "numpy") as file:
            said: dict[str, str] = file.metadata() or {}
            if said.get("kind") != _KIND:
                raise ValueError("it is something else, or of another version")
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
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = " ".join(str(error).split())[:120]
        raise BadInput(
            f"{short(path, 200)} is no sweep part that can be read ({why}); "
            "make it anew with micrograph sweep --out"
        ) from None
    return tally, said.get("source", "")


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
