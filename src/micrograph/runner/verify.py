"""Does a model do what it should: how often it is right, and whether known units are what they are
said to be."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from micrograph.cards.model_card import Probe
from micrograph.datasets import Dataset, batches
from micrograph.errors import BadInput
from micrograph.lenses.engines.base import Rendered
from micrograph.lenses.tuning.engine import ENGINE as TUNING
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.runner.look import logits_node
from micrograph.runner.truth import Answers, right_answers
from micrograph.steps import StepHook, part_of

BATCH = 16
TOP = 16
"""Pictures that drive a unit most; fewer where fewer could be right."""
FEWEST = 3
"""With fewer pictures of the right classes there is no verdict."""
CHANCE = 0.01

FITS, DOES_NOT, UNTOLD = "fits", "does not fit", "cannot be told"


@dataclass(frozen=True)
class Accuracy:
    """How often the right class was first, and among the first five, of `pictures`."""

    pictures: int
    first: int
    five: int


@dataclass(frozen=True)
class Finding:
    """What was measured of a probe, in words, and the verdict: FITS, DOES_NOT or UNTOLD."""

    probe: Probe
    measured: str
    verdict: str


@dataclass(frozen=True)
class Report:
    """`accuracy` is None for a model without classes. `left_out` are pictures that could not be
    decoded, `unknown` those whose class the model does not have."""

    accuracy: Accuracy | None
    findings: tuple[Finding, ...]
    pictures: int
    left_out: int
    unknown: int


def verify(model: Model, dataset: Dataset, on_step: StepHook | None = None) -> Report:
    """Accuracy on a dataset (`truth.right_answers` finds its classes) and the card's probes.

    `on_step` counts pictures and drawings as one run: each is half of it, where there are
    drawings to look at.

    Raises BadInput where the model has classes and the dataset names none of them.
    """
    answers = right_answers(dataset, model.labels)
    logits = logits_node(model)
    if logits is not None and not any(answers):
        raise BadInput(
            f"none of the {len(dataset)} pictures tells its class; expected folders or files "
            "called by WordNet id (n01440764), or folders called by class or by class number"
        )
    by_class = [p for p in model.card.probes if p.classes]
    halves = 2 if _probes_with_drawings(model) else 1
    found = _measure_responses(model, dataset, logits, by_class, part_of(on_step, 0, 1, halves))
    seen = np.flatnonzero(found.valid)
    accuracy = None
    if logits is not None:
        known = [n for n in seen if answers[n]]
        if not known:
            raise BadInput(f"none of the {len(dataset)} pictures of known class can be decoded")
        hits = [[int(a) in answers[n] for a in found.best[n]] for n in known]
        accuracy = Accuracy(len(known), sum(h[0] for h in hits), sum(any(h) for h in hits))
    names = _class_names(model, dataset, answers)
    of_probe = {
        id(p): _judge_by_classes(p, found.strongest[seen, column], [names[n] for n in seen])
        for column, p in enumerate(by_class)
    }
    of_probe |= {id(p): f for p, f in _judge_by_drawings(model, part_of(on_step, 1, 1, 2))}
    findings = tuple(
        of_probe.get(id(p), Finding(p, "the card names nothing to measure it by", UNTOLD))
        for p in model.card.probes
    )
    unknown = sum(not answers[n] for n in seen)
    return Report(accuracy, findings, len(seen), len(dataset) - len(seen), unknown)


def evenly_chosen(dataset: Dataset, pictures: int) -> Dataset:
    """At most so many pictures of a dataset, spread evenly over it."""
    step = math.ceil(len(dataset) / max(1, pictures))
    numbers = range(0, len(dataset), step)
    entries = [dataset.entries[n] for n in numbers]
    return replace(dataset, entries=entries, picture=lambda n: dataset.picture(numbers[n]))


@dataclass(frozen=True)
class _Responses:
    """By picture: whether it was decoded, the five best classes, the largest value of each probe's
    unit."""

    valid: np.ndarray
    best: np.ndarray
    strongest: np.ndarray


@torch.inference_mode()
def _measure_responses(
    model: Model,
    dataset: Dataset,
    logits: Node | None,
    probes: Sequence[Probe],
    on_step: StepHook | None,
) -> _Responses:
    count = len(dataset)
    valid = np.zeros(count, bool)
    best = np.full((count, 5), -1)
    strongest = np.zeros((count, len(probes)), np.float32)
    nodes = list(dict.fromkeys([p.node for p in probes] + ([logits.id] if logits else [])))
    indices = range(math.ceil(count / BATCH)) if nodes else range(0)
    for batch in batches(dataset, model.preprocessing, BATCH, indices):
        values = model.run(batch.images(model.device), nodes)
        here = batch.valid
        numbers = batch.numbers[here]
        valid[numbers] = True
        if logits is not None:
            top = values[logits.id].topk(min(5, logits.units)).indices.cpu().numpy()
            best[numbers, : top.shape[1]] = top[here]
        for column, probe in enumerate(probes):
            unit = values[probe.node][:, probe.unit].reshape(BATCH, -1)
            strongest[numbers, column] = unit.amax(1).float().cpu().numpy()[here]
        if on_step is not None:
            on_step(min(count, (batch.index + 1) * BATCH), count)
    return _Responses(valid, best, strongest)


def _class_names(model: Model, dataset: Dataset, answers: Sequence[Answers]) -> list[str]:
    """What the class of each picture is called, by the model or else by the dataset."""
    return [
        model.labels[min(right)]
        if right
        else dataset.classes[entry.cls].replace("_", " ")
        if entry.cls >= 0
        else ""
        for entry, right in zip(dataset.entries, answers, strict=True)
    ]


def _judge_by_classes(probe: Probe, strongest: np.ndarray, names: Sequence[str]) -> Finding:
    """Of the pictures that drive the unit most, how many are of a class with one of the words?"""
    words = "|".join(re.escape(word) for word in probe.classes)
    pattern = re.compile(rf"(?<!\w)(?:{words})s?(?!\w)", re.IGNORECASE)
    fits = np.array([bool(pattern.search(name)) for name in names])
    top = min(TOP, int(fits.sum()))
    if top < FEWEST:
        return Finding(probe, f"only {top} pictures of such classes are here", UNTOLD)
    hits = int(fits[np.argsort(-strongest, kind="stable")[:top]].sum())
    share = float(fits.mean())
    measured = f"{hits} of the top {top} pictures (of all: {share:.1%})"
    if _probability_of_hits(len(fits), int(fits.sum()), top, hits) > CHANCE:
        return Finding(probe, measured, DOES_NOT)
    return Finding(probe, measured, FITS if 2 * hits >= top else UNTOLD)


def _probability_of_hits(total: int, fitting: int, drawn: int, hits: int) -> float:
    """The probability of so many hits or more among `drawn` pictures drawn at random."""
    ways = math.comb(total, drawn)
    return sum(
        math.comb(fitting, k) * math.comb(total - fitting, drawn - k) / ways
        for k in range(hits, drawn + 1)
    )


def _probes_with_drawings(model: Model) -> list[Probe]:
    """The probes that are judged by drawings."""
    return [p for p in model.card.probes if p.stimuli and not p.classes]


def _judge_by_drawings(model: Model, on_step: StepHook | None) -> Iterator[tuple[Probe, Finding]]:
    """Which family of drawings does the unit answer to most, above its answer to plain grey?"""
    probes = _probes_with_drawings(model)
    if not probes:
        return
    targets = {p.node: [p.unit] for p in probes}
    peaks: dict[str, dict[str, np.ndarray]] = {}
    jobs = TUNING.jobs(model)
    for number, job in enumerate(jobs):
        for made in TUNING.sweep(model, targets, job, Path()):
            if isinstance(made, Rendered):
                responses = made.arrays["responses"].astype(np.float32)
                above = responses.reshape(len(responses), -1).max(1) - made.arrays["baseline"]
                peaks.setdefault(made.node, {})[job.variant] = above
        if on_step is not None:
            on_step(number + 1, len(jobs))
    for probe in probes:
        node = model.node(probe.node).id
        by_family = {family: float(v[probe.unit]) for family, v in peaks[node].items()}
        yield probe, _strongest_family(probe, by_family)


def _strongest_family(probe: Probe, peaks: dict[str, float]) -> Finding:
    """A family whose name begins alike is of the same kind: curves as lines and as edges."""
    order = sorted(peaks, key=lambda family: -peaks[family])
    stem = probe.stimuli.rstrip("s")
    of_kind = [family for family in order if family.startswith(stem)]
    if not of_kind or peaks[order[0]] <= 0:
        return Finding(probe, "it answers to none of the drawings", DOES_NOT)
    place = order.index(of_kind[0]) + 1
    measured = f"{of_kind[0]}: {peaks[of_kind[0]]:.3g}"
    if place == 1:
        others = [family for family in order if family not in of_kind]
        return Finding(probe, f"{measured}; next {others[0]}: {peaks[others[0]]:.3g}", FITS)
    measured += f", {place}. of {len(order)} families; first {order[0]}: {peaks[order[0]]:.3g}"
    return Finding(
        probe, measured, UNTOLD if 2 * peaks[of_kind[0]] >= peaks[order[0]] else DOES_NOT
    )
