"""How a dictionary does on a dataset: measured, beside what its file states."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from micrograph.datasets import batches, open_dataset
from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.runner.progress import Progress, Silent

_TOGETHER = 8
_ROWS = 4096


@dataclass(frozen=True)
class DictionaryCheck:
    """What was found: latents that speak at a position (`l0`), the share of the variance that they
    explain, latents that never speak (`dead`), and the mean length of the values that are read; and
    `about`, what its file says of it."""

    node: str
    writes: str
    latents: int
    pictures: int
    positions: int
    l0: float
    explained: float
    dead: int
    length: float
    about: dict[str, Any]

    def stated(self) -> dict[str, Any]:
        """The same figures as the file has them, as far as it does."""
        names = {"l0": "l0", "explained": "explained", "dead": "dead", "length": "average_norm"}
        found = {name: self.about[key] for name, key in names.items() if key in self.about}
        if "explained" not in found and "nmse" in self.about:
            found["explained"] = 1 - float(self.about["nmse"])
        return found

    def rows(self) -> list[tuple[str, str, str]]:
        """A plain table: figure, measured, stated."""
        said = self.stated()
        rows = [
            ("latents at a position (L0)", f"{self.l0:.4g}", _number(said.get("l0"))),
            ("variance explained", f"{self.explained:.1%}", _share(said.get("explained"))),
            (
                "latents that never spoke",
                f"{self.dead} of {self.latents} ({self.dead / self.latents:.1%})",
                _number(said.get("dead")),
            ),
        ]
        if "length" in said:  # in training: another one here means other inputs
            rows.append(("length of what is read", f"{self.length:.4g}", _number(said["length"])))
        return rows

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        measured = {
            "l0": self.l0,
            "explained": self.explained,
            "dead": self.dead,
            "length": self.length,
        }
        return {
            "node": self.node,
            "writes": self.writes,
            "latents": self.latents,
            "pictures": self.pictures,
            "positions": self.positions,
            "measured": measured,
            "stated": self.stated(),
            "about": self.about,
        }


@torch.no_grad()
def check_dictionary(
    model: Model, node: str, dataset: str, progress: Progress | None = None
) -> DictionaryCheck:
    """Measure the attached dictionary that makes `node` at every position of every picture.

    Raises BadInput for a node that no dictionary makes, and for a dataset without pictures.
    """
    progress = progress or Silent()
    one = model.attached(node)
    if one is None:
        raise BadInput(f"{node} is no node of a dictionary; attach one first")
    pictures = open_dataset(dataset)
    if not len(pictures):
        raise BadInput(f"dataset {dataset} has no pictures")
    tally = _Tally(one.dictionary.latents, one.dictionary.written_units)
    progress.start(len(pictures), 0, f"latents of {one.base.id}")
    count = -(-len(pictures) // _TOGETHER)
    for batch in batches(pictures, model.preprocessing, _TOGETHER, range(count)):
        kept = [at for at, number in enumerate(batch.numbers) if number < len(pictures)]
        nodes = list(dict.fromkeys((one.base.id, one.writes.id)))
        values = model.run(batch.images(model.device)[kept], nodes)
        for read, written in _parts(values[one.base.id], values[one.writes.id]):
            latents = one.dictionary.values(read)
            tally.lengths += float(read.norm(dim=1).sum())
            tally.add(latents, one.dictionary.decode(latents, like=read), written)
        progress.update(min(len(pictures), (batch.index + 1) * _TOGETHER), one.base.id)
    progress.finish()
    return DictionaryCheck(
        one.base.id,
        one.writes.id,
        one.dictionary.latents,
        len(pictures),
        tally.rows,
        tally.spoke.sum().item() / max(1, tally.rows),
        tally.explained(),
        int((tally.spoke == 0).sum()),
        tally.lengths / max(1, tally.rows),
        one.dictionary.about(),
    )


def _parts(read: Tensor, written: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Both at the same positions, [position, unit], some thousands at a time.

    Raises BadInput for a transcoder whose two nodes have other positions.
    """
    if read.shape[2:] != written.shape[2:]:
        raise BadInput(
            f"the node that is read has positions {list(read.shape[2:])} and the one that is "
            f"written {list(written.shape[2:])}; expected the same"
        )
    rows = [values.float().flatten(2).movedim(1, 2).flatten(0, 1) if values.ndim > 2 else values
            for values in (read, written)]  # fmt: skip
    for first in range(0, len(rows[0]), _ROWS):
        yield rows[0][first : first + _ROWS], rows[1][first : first + _ROWS]


class _Tally:
    """Sums over positions, in float64."""

    def __init__(self, latents: int, units: int) -> None:
        self.rows = 0
        self.spoke = torch.zeros(latents, dtype=torch.float64)
        self.left = 0.0
        self.lengths = 0.0
        self.sums = torch.zeros(units, dtype=torch.float64)
        self.squares = torch.zeros(units, dtype=torch.float64)

    def add(self, latents: Tensor, decoded: Tensor, written: Tensor) -> None:
        """What was found at some positions."""
        written = written.double().cpu()
        self.rows += len(latents)
        self.spoke += (latents != 0).sum(0).double().cpu()
        self.left += float((written - decoded.double().cpu()).square().sum())
        self.sums += written.sum(0)
        self.squares += written.square().sum(0)

    def explained(self) -> float:
        """1 less what is left of the variance about the mean."""
        whole = float((self.squares - self.sums.square() / max(1, self.rows)).sum())
        return 1 - self.left / whole if whole > 0 else 0.0


def _number(value: Any) -> str:
    return "" if value is None else str(value)


def _share(value: Any) -> str:
    try:
        return "" if value is None else f"{float(value):.1%}"
    except (TypeError, ValueError):
        return str(value)
