"""What an executor gives: the results of tasks, which travel between processes as JSON."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograph.errors import BadInput, MicrographError, short
from micrograph.lenses.engines.base import PictureSource, Rendered, Sample
from micrograph.lenses.result import PlainResult
from micrograph.tasks import Task


@dataclass(frozen=True)
class TaskResults:
    """Results of a task, and the samples that they refer to. A task may give several of these."""

    task: Task
    results: tuple[Rendered | Sample, ...]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; arrays are in it to the last bit."""
        return {
            "task": self.task.to_json(),
            "results": [
                _rendered(one) if isinstance(one, Rendered) else _sample(one)
                for one in self.results
            ],
        }

    @classmethod
    def from_json(cls, data: Any) -> "TaskResults":
        """What a decoded JSON value describes. Raises BadInput for anything else."""
        if not isinstance(data, dict) or data.keys() != {"task", "results"}:
            raise BadInput(f"{short(data)} are no results; expected a JSON object: task, results")
        task = Task.from_json(data["task"])
        try:
            return cls(task, tuple(_result(one) for one in data["results"]))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"results of {task.technique} are damaged: {error!r}") from None


@dataclass(frozen=True)
class TaskFinished:
    """A task has given all its results; the nodes that `failed`, with the reason, have none.

    Where `keeps` is true the executor still has unfinished work of it, which it deletes when it is
    asked to go on: store the results before that.
    """

    task: Task
    keeps: bool = False
    failed: Mapping[str, MicrographError] = field(default_factory=dict)


def _result(data: Mapping[str, Any]) -> Rendered | Sample:
    fields = dict(data)
    image = None if fields["image"] is None else _from_array(fields["image"])
    if "source" in fields:
        source = fields["source"]
        source = PictureSource(**{**source, "classes": tuple(source["classes"])})
        return Sample(**{**fields, "source": source, "image": image})
    arrays = {name: _from_array(array) for name, array in fields["arrays"].items()}
    result = PlainResult(data=fields.pop("data"), kept=arrays)
    del fields["arrays"]
    return Rendered(**{**fields, "image": image, "result": result})


def _rendered(one: Rendered) -> dict[str, Any]:
    arrays = {name: _to_array(array) for name, array in one.arrays.items()}
    return {
        "node": one.node,
        "unit": one.unit,
        "score": one.score,
        "seconds": one.seconds,
        "data": dict(one.data),
        "image": _image(one.image),
        "arrays": arrays,
    }


def _sample(one: Sample) -> dict[str, Any]:
    return {**vars(one), "source": vars(one.source), "image": _image(one.image)}


def _image(image: np.ndarray | None) -> dict[str, Any] | None:
    return None if image is None else _to_array(image)


def _to_array(array: np.ndarray) -> dict[str, Any]:
    array = np.asarray(array)
    return {
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "data": base64.b64encode(array.tobytes()).decode(),
    }


def _from_array(data: Mapping[str, Any]) -> np.ndarray:
    dtype = np.dtype(data["dtype"])
    if dtype.hasobject:
        raise ValueError(f"dtype {dtype} cannot travel")
    raw = base64.b64decode(data["data"], validate=True)
    return np.frombuffer(raw, dtype).reshape(data["shape"]).copy()
