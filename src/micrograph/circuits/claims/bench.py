"""What several claims of one model share: runs that are not made twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from micrograph.circuits.claims.answers import Answers, NodeAnswers
from micrograph.circuits.claims.silencing import Replaying, at
from micrograph.models.model import Model
from micrograph.subject import UnitSubject

EXAMPLES = 12
"""Pictures on which units are silenced."""

CONTROLS = 200
"""Units of the same node that each source is compared with, those of the nearest activation."""

OnStep = Callable[[str, int, int], None]
"""Called with what is done, how many steps of it, and of how many."""


@dataclass(frozen=True)
class Silenced:
    """Units of a node silenced one at a time on some pictures.

    `units` are those silenced; `base` [picture, target unit] is what the target's node has at one
    position, `falls` [silenced unit, picture, target unit] how much less it has without each.
    """

    units: tuple[int, ...]
    base: Tensor
    falls: Tensor


@dataclass
class Bench:
    """A model and what it answered to a dataset; what was measured once is kept."""

    model: Model
    answers: Answers
    on_step: OnStep | None = None
    _silenced: dict[tuple[str, str, tuple[int, ...], tuple[int, ...]], Silenced] = field(
        default_factory=dict
    )
    _replaying: dict[tuple[str, str, tuple[int, ...]], Replaying] = field(default_factory=dict)

    def of(self, unit: UnitSubject) -> NodeAnswers:
        return self.answers.nodes[unit.node]

    def maxima(self, unit: UnitSubject) -> np.ndarray:
        """float32 [picture]."""
        found: np.ndarray = self.of(unit).maxima[:, unit.unit]
        return found

    def strongest(self, unit: UnitSubject, count: int = EXAMPLES) -> tuple[int, ...]:
        """Places of the pictures on which it fires most, of those on which it fires at all."""
        maxima = self.maxima(unit)
        order = np.argsort(-maxima, kind="stable")[:count]
        return tuple(int(k) for k in order if maxima[k] > 0)

    def tell(self, what: str, done: int, of: int) -> None:
        if self.on_step is not None:
            self.on_step(what, done, of)

    def replaying(self, node: str, target: str, places: tuple[int, ...]) -> Replaying:
        """Runs from `node` to `target` on these pictures; the last few are kept."""
        key = node, target, places
        if key not in self._replaying:
            while len(self._replaying) >= 2:
                del self._replaying[next(iter(self._replaying))]
            images = self.answers.images(self.model, places)
            self._replaying[key] = Replaying(self.model, images, node, target)
        return self._replaying[key]

    def matched(
        self,
        source: UnitSubject,
        values: Tensor,
        count: int = CONTROLS,
        without: Sequence[int] = (),
    ) -> list[int]:
        """The units of the source's node whose activation on the same pictures, `values`
        [picture, unit, ...], is nearest to its own: `count`, or all where there are fewer."""
        rest = torch.from_numpy(self.of(source).rest).to(values)
        active = (values - rest.view(1, -1, *[1] * (values.ndim - 2))).abs()
        active = active.transpose(0, 1).flatten(1).mean(1).cpu()
        distance = (active - active[source.unit]).abs()
        order = torch.argsort(distance, stable=True).tolist()
        return [unit for unit in order if unit != source.unit and unit not in without][:count]

    def silenced(
        self,
        node: str,
        target: str,
        places: tuple[int, ...],
        positions: Tensor,
        units: Sequence[int],
    ) -> Silenced:
        """Each of `units` of `node` silenced alone on the pictures at `places`."""
        key = node, target, places, tuple(positions.tolist())
        done = self._silenced.get(key)
        known = {} if done is None else {u: k for k, u in enumerate(done.units)}
        wanted = [unit for unit in dict.fromkeys(units) if unit not in known]
        if wanted or done is None:
            runs = self.replaying(node, target, places)
            base = at(runs.base, positions)
            rest = torch.from_numpy(self.answers.nodes[node].rest)
            made = runs.silenced(
                [[u] for u in wanted], rest, positions, lambda k, n: self.tell("silencing", k, n)
            )
            falls = base - made
            if done is not None:
                falls, wanted = torch.cat([done.falls, falls]), [*done.units, *wanted]
            done = self._silenced[key] = Silenced(tuple(wanted), base, falls)
            known = {u: k for k, u in enumerate(done.units)}
        chosen = [known[unit] for unit in units]
        return Silenced(tuple(units), done.base, done.falls[chosen])
