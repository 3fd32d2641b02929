"""From a claim to its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from micrograph.address import check_unit
from micrograph.circuits.claims.ablation import FEWEST, ablation, silence
from micrograph.circuits.claims.answers import look
from micrograph.circuits.claims.bench import CONTROLS, Bench, OnStep
from micrograph.circuits.claims.coactivation import coactivation
from micrograph.circuits.claims.connection import Kernels, kernels_of, weights
from micrograph.circuits.claims.evidence import (
    LINES,
    RULES,
    Line,
    not_enough,
    overall,
)
from micrograph.circuits.claims.specificity import specificity
from micrograph.circuits.claims.statistics import score
from micrograph.circuits.claims.synthesis import Synthesized, Synthesizer, synthesis
from micrograph.claims import Claim, command_to_test
from micrograph.datasets import Dataset
from micrograph.errors import BadInput, Conflict
from micrograph.graph import Dag
from micrograph.models.model import Model
from micrograph.optimize import Settings
from micrograph.subject import UnitSubject

PICTURES = 1000
FEWEST_PICTURES = 50


@dataclass(frozen=True)
class Evidence:
    """A claim with all that speaks for and against it. `lines` are in the order of `LINES`.

    `kernels` [y, x] of each source, `pictures` those of synthesis, None where there are none.
    """

    claim: Claim
    lines: tuple[Line, ...]
    dataset: str = ""
    dataset_digest: str = ""
    shown: int = 0
    kernels: Mapping[str, np.ndarray] = field(default_factory=dict)
    pictures: Synthesized | None = None

    @property
    def verdict(self) -> str:
        """supports, neutral, contradicts, or not enough evidence."""
        return overall(self.lines)

    @property
    def strength(self) -> float:
        """The mean over lines of the normal score of p, of the weakest source; 0 is chance."""
        sources = [str(s.unit) for s in self.claim.sources]
        found = []
        for source in sources:
            ps = [r.p for line in self.lines for r in line.readings if r.source == source]
            found.append(sum(map(score, ps)) / len(ps) if ps else 0.0)
        return min(found)

    def to_json(self) -> dict[str, Any]:
        """Plain data: every number and verdict, and the rule."""
        return {
            "claim": self.claim.to_json(),
            "text": str(self.claim),
            "path": self.claim.path,
            "verdict": self.verdict,
            "strength": float(f"{self.strength:.6g}"),
            "rule": list(RULES),
            "dataset": {
                "title": self.dataset,
                "digest": self.dataset_digest,
                "pictures": self.shown,
            },
            "lines": [line.to_json() for line in self.lines],
            "kernels": {
                source: [[float(f"{v:.4g}") for v in row] for row in kernel.tolist()]
                for source, kernel in self.kernels.items()
            },
        }


def checked(model: Model, claim: Claim) -> Claim:
    """The claim with the model's own ids of nodes and the digest of its weights.

    Raises NotFound for a node or unit that the model does not have, BadInput where no path leads
    from a source to the target, Conflict where the claim is about other weights.
    """
    if claim.weights and claim.weights != model.digest:
        raise Conflict(
            f"the claim is about weights {claim.weights[:12]}, {model.id} has {model.digest[:12]}; "
            "load those that it is about"
        )
    target = _unit_of(model, claim.target)
    sources = tuple(replace(s, unit=_unit_of(model, s.unit)) for s in claim.sources)
    dag = Dag.of(model.nodes.values())
    before = dag.ancestors(target.node)
    for source in sources:
        node = source.unit.node
        attached = model.attached(node)
        if (node if attached is None else attached.writes.id) in before:
            continue
        if node == target.node:
            wrong = f"{source.unit} lies in the node of the target {target}"
        elif target.node in dag.ancestors(node):
            wrong = f"{source.unit} lies behind the target {target}"
        else:
            wrong = f"no path leads from {source.unit} to {target}"
        raise BadInput(f"{wrong} in {model.id}; sources lie before their target")
    return replace(claim, model=model.id, target=target, sources=sources, weights=model.digest)


def _unit_of(model: Model, unit: UnitSubject) -> UnitSubject:
    node = model.node(unit.node)
    check_unit(unit.unit, f"{model.id}/{node.id}", node.units)
    return UnitSubject(node.id, unit.unit)


def units_of(claim: Claim) -> dict[str, list[int]]:
    """The units that a claim names, by node."""
    found: dict[str, list[int]] = {}
    for unit in (claim.target, *(s.unit for s in claim.sources)):
        found.setdefault(unit.node, []).append(unit.unit)
    return found


def judge(
    model: Model,
    claim: Claim,
    dataset: Dataset | None,
    *,
    settings: Settings,
    pictures: int = PICTURES,
    controls: int = CONTROLS,
    on_step: OnStep | None = None,
) -> Evidence:
    """The evidence for a claim. Without a dataset every line says that it needs one.

    Raises as `checked`.
    """
    claim = checked(model, claim)
    if dataset is None:
        return nothing_known(claim, "what its units answer to pictures")
    told = None if on_step is None else (lambda k, n: on_step("looking", k, n))
    answers = look(model, dataset, units_of(claim), pictures=pictures, on_step=told)
    bench = Bench(model, answers, on_step)
    return judged(bench, Synthesizer(model, settings), claim, controls)


def judged(bench: Bench, maker: Synthesizer, claim: Claim, controls: int = CONTROLS) -> Evidence:
    """The evidence for a checked claim, from what its units answered to pictures."""
    answers = bench.answers
    if problem := _too_little(bench, claim):
        found = nothing_known(claim, problem)
    else:
        kernels, no_kernels = _kernels(bench, claim)
        runs = [silence(bench, claim, source, controls) for source in claim.sources]
        made, pictures = synthesis(bench, maker, claim)
        found = Evidence(
            claim,
            (
                weights(bench, claim, kernels) if kernels else not_enough("weights", no_kernels),
                ablation(bench, claim, runs),
                coactivation(bench, claim),
                made,
                specificity(runs),
            ),
            kernels=_shown(claim, kernels) if kernels else {},
            pictures=pictures,
        )
    return replace(
        found,
        dataset=answers.dataset.title,
        dataset_digest=answers.dataset.digest,
        shown=len(answers.numbers),
    )


def _kernels(bench: Bench, claim: Claim) -> tuple[dict[str, Kernels], str]:
    """The kernels, or none and why: what is on the way may have none."""
    try:
        return kernels_of(bench, claim), ""
    except BadInput as error:
        return {}, str(error)


def _shown(claim: Claim, kernels: Mapping[str, Kernels]) -> dict[str, np.ndarray]:
    return {str(s.unit): kernels[s.unit.node].kernels[s.unit.unit] for s in claim.sources}


def _too_little(bench: Bench, claim: Claim) -> str:
    """What is missing to judge the claim at all, "" for nothing."""
    shown = len(bench.answers.numbers)
    if shown < FEWEST_PICTURES:
        return f"pictures: {shown} were shown, {FEWEST_PICTURES} needed"
    for unit in (claim.target, *(s.unit for s in claim.sources)):
        if (fires := len(bench.strongest(unit, FEWEST))) < FEWEST:
            return f"pictures on which {unit} fires: {fires} of {shown}, {FEWEST} needed"
    return ""


def nothing_known(claim: Claim, missing: str) -> Evidence:
    """The evidence where nothing could be measured, which says why and what to do."""
    command = command_to_test(claim)
    return Evidence(claim, tuple(not_enough(name, missing, command) for name in LINES))
