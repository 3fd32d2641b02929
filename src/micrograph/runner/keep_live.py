"""Keeping in an atlas what was made under the live microscope."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograph.atlas import AtlasWriter, Visualization
from micrograph.atlas.format import SUFFIX
from micrograph.atlas.records import STORED_SCORE
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered
from micrograph.runner.describe import (
    dictionary_records,
    made_with,
    model_record,
    node_records,
)
from micrograph.runner.stored_pictures import PictureFormat, scored_as_stored

if TYPE_CHECKING:
    from micrograph.models.model import Model


def as_stored(engine: BatchEngine[Any], model: "Model", job: Job, made: Rendered) -> Visualization:
    """A result as an atlas keeps it, with what its picture reaches after compression."""
    (scored,), (file,) = scored_as_stored(engine, model, made.node, job, [made], PictureFormat())
    assert isinstance(scored, Rendered)
    more = {} if scored.stored_score is None else {STORED_SCORE: scored.stored_score}
    return Visualization(
        made.node,
        made.unit,
        job.recipe,
        made.score,
        file,
        {**made.data, **more},
        made_with(model),
        datetime.now(UTC).isoformat(timespec="seconds"),
        made.seconds,
    )


def store(model: "Model", folder: Path, found: Visualization) -> None:
    """Put it into the atlas of the model in `folder`; what is there by the same recipe stays.

    Raises as `AtlasWriter.open`.
    """
    with AtlasWriter.open(
        folder / f"{model.id}{SUFFIX}",
        model_record(model),
        node_records(model),
        dictionary_records(model),
    ) as writer:
        writer.put([found])
