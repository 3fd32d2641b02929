"""What steering changed, as plain data, and as JSON. No torch, so that pages may read it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from micrograph.errors import BadInput

FORMAT = "micrograph steering 1"


@dataclass(frozen=True)
class Effect:
    """What became of a unit (its mean over the map) or of a class (its share, softmax).

    `effect` is the change less the mean change by controls, in standard deviations of these; None
    where all controls did the same. `rank` is the place of |change| among the controls and itself
    (1: none changed it more), `p` the part of them that changed it at least as much.
    """

    unit: int
    before: float
    after: float
    change: float
    controls_mean: float
    controls_sd: float
    effect: float | None
    rank: int
    p: float
    label: str = ""


@dataclass(frozen=True)
class NodeEffects:
    """A node behind: how far it `moved` (the change of all its units' means in parts of their
    length) and how that compares with the controls; the `units` that changed most, of `changed`."""

    node: str
    units_in_all: int
    changed: int
    moved: float
    moved_controls: float
    moved_effect: float | None
    moved_rank: int
    moved_p: float
    units: tuple[Effect, ...]


@dataclass(frozen=True)
class Steered:
    """Units of a node were made `factor * value + amount`; `activation` is the mean of |their mean
    over the map| before, `control_activation` the controls' median, `matched` whether these are
    alike."""

    model: str
    digest: str
    picture: str
    picture_digest: str
    node: str
    units: tuple[int, ...]
    how: str
    factor: float
    amount: float
    activation: float
    controls: tuple[tuple[int, ...], ...]
    control_activation: float
    matched: bool
    classes: tuple[Effect, ...]
    nodes: tuple[NodeEffects, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, every number of it."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, data: Any) -> "Steered":
        """What `to_json` gave. Raises BadInput for anything else."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise BadInput(f"this is no steering of ours; expected the format {FORMAT!r}")
        try:
            return cls(
                **{key: value for key, value in data.items() if key != "format"}
                | {
                    "units": tuple(data["units"]),
                    "controls": tuple(tuple(one) for one in data["controls"]),
                    "classes": tuple(Effect(**one) for one in data["classes"]),
                    "nodes": tuple(
                        NodeEffects(**one | {"units": tuple(Effect(**u) for u in one["units"])})
                        for one in data["nodes"]
                    ),
                    "notes": tuple(data["notes"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise BadInput(f"a steering lacks or has too much ({error})") from None
