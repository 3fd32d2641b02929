"""Keeping the evidence for a claim in an atlas, where the site's page of the claim finds it."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograph.atlas import Atlas, AtlasWriter, Visualization, encode
from micrograph.atlas.format import SUFFIX
from micrograph.circuits.claims.bench import CONTROLS
from micrograph.circuits.claims.judge import Evidence
from micrograph.errors import Conflict, Unavailable
from micrograph.lenses.engines import common
from micrograph.runner.describe import (
    dictionary_records,
    made_with,
    model_record,
    node_records,
)

if TYPE_CHECKING:
    from micrograph.models.model import Model

TECHNIQUE = "claim"
"""Under this name atlases keep evidence; its subject is the claim."""
CODE = "claim/1"


def check_atlas(model: "Model", folder: Path) -> None:
    """Raises Conflict where the atlas that evidence would go to is of other weights, Unavailable
    where it cannot be written: before minutes are spent on it."""
    path = folder / f"{model.id}{SUFFIX}"
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise Unavailable(
            f"cannot write into {there}; choose a folder you may write to with --atlas"
        )
    if not path.exists():
        return
    digest = Atlas.open(path).model.digest
    if digest != model.digest:
        raise Conflict(
            f"{path} was made from weights {digest[:12]}, {model.id} has {model.digest[:12]}; "
            "choose another folder with --atlas"
        )


def keep_claim(
    model: "Model",
    evidence: Evidence,
    folder: Path,
    *,
    preset: str,
    controls: int = CONTROLS,
    seconds: float = 0.0,
) -> Path:
    """Store evidence in the atlas of the model in `folder`; what is there by the same recipe stays.

    Raises as `AtlasWriter.open`.
    """
    claim = evidence.claim
    path = folder / f"{model.id}{SUFFIX}"
    recipe: dict[str, Any] = {
        "technique": TECHNIQUE,
        "view": "evidence",
        "seed": 0,
        "model": model.id,
        "weights": model.digest,
        "code": CODE,
        "claim": claim.to_json(),
        "dataset": evidence.dataset_digest,
        "pictures": evidence.shown,
        "controls": controls,
        "preset": preset,
        **common.dictionaries(model, [str(unit.node) for unit in claim.subject.places]),
    }
    image = _strip(evidence)
    found = Visualization(
        claim.target.node,
        claim.target.unit,
        recipe,
        evidence.strength,
        None if image is None else encode(image),
        evidence.to_json(),
        made_with(model),
        datetime.now(UTC).isoformat(timespec="seconds"),
        seconds,
        about=claim.subject,
    )
    with AtlasWriter.open(
        path, model_record(model), node_records(model), dictionary_records(model)
    ) as writer:
        writer.put([found])
    return path


def _strip(evidence: Evidence) -> np.ndarray | None:
    """The pictures made for the target and for the composition, side by side."""
    if evidence.pictures is None:
        return None
    shown = [evidence.pictures.target, evidence.pictures.composition]
    return np.concatenate([one for one in shown if one is not None], 1)
