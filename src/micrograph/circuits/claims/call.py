"""`micrograph.claim`: a claim in words, and the evidence for it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from micrograph.circuits.claims.ablation import FEWEST_CONTROLS
from micrograph.circuits.claims.bench import CONTROLS, OnStep
from micrograph.circuits.claims.judge import PICTURES, Evidence, judge
from micrograph.claims import PATH, Claim
from micrograph.datasets import Dataset, open_dataset
from micrograph.errors import BadInput, short
from micrograph.lenses.engines import presets
from micrograph.models.model import Model


def claim(
    model: Model,
    text: str | Claim | Mapping[str, Any],
    dataset: Dataset | Path | str | None = None,
    *,
    preset: str = "draft",
    pictures: int = PICTURES,
    controls: int = CONTROLS,
    on_step: OnStep | None = None,
) -> Evidence:
    """Test the claim that a unit is built from others.

    Parameters:
        model: the network that it is about.
        text: `MODEL/NODE/UNIT <- NODE/UNIT + NODE/UNIT - NODE/UNIT`, a `Claim`, or its JSON. A `-`
            says that the unit holds the target back; above, below, left, right, around or inside
            behind a unit says where it lies.
        dataset: pictures on which it is tested; as for the command, or a `Dataset`.
        preset: how thorough pictures by optimization are: draft, standard or microscope.
        pictures: how many of the dataset are shown, evenly spread.
        controls: how many units of the same node each source is compared with.
        on_step: called with what is done, and how far it is.

    Returns the evidence, whose `verdict` is "supports", "neutral", "contradicts" or "not enough
    evidence". Raises BadInput for a claim of another form or about another model, where no path
    leads from a source to the target, NotFound for units that the model does not have, Conflict
    where the claim names other weights.

    >>> from micrograph import claim, load
    >>> found = claim(load("toytown"), "toytown/mixed4b/3 <- mixed4a/1")
    >>> found.verdict, found.lines[1].missing
    ('not enough evidence', 'what its units answer to pictures')
    """
    if not isinstance(model, Model):
        raise BadInput(
            f"model of type {type(model).__name__} given; expected what micrograph.load gives"
        )
    named = _claim(text)
    if named.model.lower() != model.id.lower():
        raise BadInput(f"the claim is about {short(named.model)}, the model given is {model.id}")
    ranges = (("pictures", pictures, 1, 10**6), ("controls", controls, FEWEST_CONTROLS, 2000))
    for name, value, least, most in ranges:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadInput(
                f"{name} {short(value)} given; expected a number from {least} to {most}"
            )
    chosen = presets.settings(preset, model)
    opened = (
        dataset if dataset is None or isinstance(dataset, Dataset) else open_dataset(str(dataset))
    )
    return judge(
        model,
        replace(named, model=model.id),
        opened,
        settings=chosen,
        pictures=pictures,
        controls=controls,
        on_step=on_step,
    )


def _claim(text: str | Claim | Mapping[str, Any]) -> Claim:
    if isinstance(text, Claim):
        return text
    if isinstance(text, Mapping):
        return Claim.from_json(text)
    if not isinstance(text, str):
        raise BadInput(f"claim {short(text)} given; expected a text, a Claim or its JSON")
    return read(text)


def read(text: str) -> Claim:
    """The claim that a text, or the path of its page, means."""
    return Claim.of_path(text) if text.startswith(PATH) else Claim.parse(text)
