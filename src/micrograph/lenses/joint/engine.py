"""Joint optimization: what lies between two units?

Pictures are optimized for weighted sums of two units, from the one alone over both to the other
alone. Olah et al., "Feature Visualization", Distill 2017, section "Interaction between Neurons".
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from micrograph.address import check_unit
from micrograph.errors import BadInput, short
from micrograph.lenses.engines import common, presets
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, StepHook
from micrograph.lenses.joint.lens import LENS, JointParams, JointResult
from micrograph.models.model import Model
from micrograph.optimize import Objective, Settings, channel, evaluate, memory, optimize
from micrograph.steps import part_of

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The partner's weights, from left to right."""


class JointEngine(BatchEngine[JointParams]):
    """The engine of joint optimization. Its variant names the partner: `with-<node>-<unit>`."""

    lens = LENS
    revision = 2

    def plan(self, model: Model, params: JointParams) -> list[Job]:
        """One job for each repeat. Raises BadInput without a partner, NotFound for an unknown
        one."""
        node, unit = self._partner(model, params.partner)
        settings = presets.settings(params.preset, model, steps=params.steps, size=params.size)
        made = {
            **common.dictionaries(model, [node]),
            "objective": "channel",
            "partner": [node, unit],
            "shares": list(SHARES),
            "parameterization": "fourier",
            **settings.as_dict(),
        }
        view = f"with-{node}-{unit}"
        return [Job(self.recipe(model, view, seed, **made)) for seed in params.seeds]

    @staticmethod
    def _partner(model: Model, partner: str | None) -> tuple[str, int]:
        if partner is None:
            raise BadInput("the joint lens needs a second unit; give it as -o partner=NODE:UNIT")
        name, _, number = str(partner).replace("/", ":").rpartition(":")
        if not name or not number.isdecimal():
            raise BadInput(f"partner {short(partner)} is not understood; expected NODE:UNIT")
        node = model.node(name)
        check_unit(int(number), f"{model.id}/{node.id}", node.units)
        return node.id, int(number)

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        other = job.recipe["partner"][0]
        last = max((model.node(node), model.node(other)), key=lambda n: n.index)
        return max(1, memory.batch_size(model, last.id, job.recipe["size"]) // len(SHARES))

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """The score is the smaller of the two units' shares, of what each reaches alone, on the
        picture of equal weights: 1 means that both are there undiminished."""
        node = model.node(node).id

        def climb(part: Sequence[int], hook: StepHook | None) -> "_Strips":
            return _Strips(model, node, part, job, hook)

        for part, strips, seconds in common.in_memory(units, climb, on_step):
            for i, unit in enumerate(part):
                scores = strips.scores[i]
                yield Rendered(
                    node,
                    unit,
                    common.mosaic(strips.pictures[i], len(SHARES)),
                    _undiminished(scores),
                    seconds,
                    JointResult(
                        partner=(job.recipe["partner"][0], job.recipe["partner"][1]),
                        columns=len(SHARES),
                        weights=tuple((1 - share, share) for share in SHARES),
                        scores=tuple((own, other) for own, other in scores),
                    ),
                )

    def score(
        self,
        model: Model,
        node: str,
        units: Sequence[int | None],
        job: Job,
        pictures: Sequence[np.ndarray],
    ) -> Sequence[float]:
        other, partner = job.recipe["partner"]
        parts, n = common.cut(pictures, len(SHARES), 1), len(SHARES)
        own = common.channel_scores(model, node, [unit for unit in units for _ in SHARES], parts)
        others = common.channel_scores(model, other, [partner] * len(parts), parts)
        both = [list(pair) for pair in zip(own, others, strict=True)]
        return [_undiminished(both[k * n : (k + 1) * n]) for k in range(len(units))]


def _undiminished(scores: Sequence[Sequence[float]]) -> float:
    """The smaller of both units' shares, on the picture in the middle, of what each has at its
    end."""
    first, *_, last = scores
    own, others = scores[len(SHARES) // 2]
    return min(own / max(first[0], 1e-6), others / max(last[1], 1e-6))


class _Strips:
    """The strips of some units: first their ends, then the pictures between them.

    Between, each unit is measured in shares of what it reaches alone, because the activations of
    two units may differ in size.
    """

    def __init__(
        self, model: Model, node: str, units: Sequence[int], job: Job, on_step: StepHook | None
    ) -> None:
        other, partner = job.recipe["partner"]
        settings = Settings.from_dict(job.recipe)
        inner = SHARES[1:-1]

        pictures = len(units) * (1 + len(inner)) + 1
        done = 0

        def climb(target: Objective, keys: Sequence[tuple[int, ...]]) -> Tensor:
            nonlocal done
            hook = part_of(on_step, done, len(keys), pictures)
            done += len(keys)
            return optimize(model, target, settings, seeds=keys, on_step=hook).images

        # The ends are the pictures that feature visualization makes of each unit.
        left = climb(channel(node, list(units)), [common.key(job.seed, node, u) for u in units])
        right = climb(channel(other, [partner]), [common.key(job.seed, other, partner)])
        own = evaluate(model, channel(node, list(units)), left)
        others = evaluate(model, channel(other, partner), right)
        both = [unit for unit in units for _ in inner]
        share = torch.tensor(inner).repeat(len(units))
        between = climb(
            _weighted(
                channel(node, both), (1 - share) / _divisor(own).repeat_interleave(len(inner))
            )
            + _weighted(channel(other, [partner] * len(both)), share / _divisor(others)),
            [common.key(job.seed, node, u, k + 1) for u in units for k in range(len(inner))],
        )
        size = settings.size
        strips = torch.cat(
            [
                left[:, None],
                between.view(len(units), len(inner), 3, size, size),
                right[None].expand(len(units), -1, -1, -1, -1),
            ],
            1,
        )
        self.pictures: np.ndarray = (strips * 255).round().byte().permute(0, 1, 3, 4, 2).numpy()
        """[unit, share, y, x, 3]."""
        flat, all_units = strips.flatten(0, 1), [unit for unit in units for _ in SHARES]
        scores = torch.stack(
            [
                evaluate(model, channel(node, all_units), flat),
                evaluate(model, channel(other, partner), flat),
            ],
            1,
        )
        self.scores: list[list[list[float]]] = scores.view(len(units), len(SHARES), 2).tolist()
        """[unit, share, 2]: the unit's and the partner's mean activation."""


def _divisor(alone: Tensor) -> Tensor:
    """What a unit reaches alone, as a divisor: a unit that is never on does not count."""
    return alone.abs().clamp(min=1e-6)


def _weighted(objective: Objective, weights: Tensor) -> Objective:
    """Each sample's value times its own weight [sample]."""
    return Objective(
        objective.nodes,
        lambda a, x: objective.value(a, x) * weights.to(x),
        objective.samples,
        label=f"weighed {objective.label}",
    )


ENGINE = JointEngine()
