"""The plan: exactly what is missing, a little of everything first, the same batches each time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograph.atlas import AtlasWriter, ModelRecord, NodeRecord, Visualization, encode
from micrograph.lenses.engines.base import Job, Rendered
from micrograph.runner.plan import FIRST, Plan, make_plan

UNITS = {"a": range(40), "b": range(5), "c": range(20)}
MODEL = ModelRecord("plain", "Plain", "ab" * 32)
NODES = [
    NodeRecord(name, i, "conv", len(units), (4, 4), 3, 1, 0, "exact", (), ())
    for i, (name, units) in enumerate(UNITS.items())
]


@dataclass(frozen=True)
class Flat:
    """A technique that paints one colour. It needs no model."""

    name: str = "flat"
    title: str = "Flat"
    question: str = "Which colour?"
    level: str = "unit"
    revision: int = 1

    def jobs(self, model: Any, **options: Any) -> list[Job]:
        return [job(v) for v in options["variants"]]

    def batch_size(self, model: Any, node: str, job: Job) -> int:
        return {"a": 16, "b": 3, "c": 7}[node]

    def run(
        self, model: Any, node: str, units: Sequence[int], job: Job, on_step: Any = None
    ) -> Iterator[Rendered]:
        for unit in units:
            yield Rendered(node, unit, np.full((4, 4, 3), unit, np.uint8), float(unit), 0.1)


class Plain:
    """All that a plan asks of a model: it has no dictionaries."""

    id = "plain"

    def attached(self, node: str) -> None:
        return None


def job(variant: str = "x") -> Job:
    return Job({"technique": "flat", "variant": variant, "view": variant, "seed": 0})


def stored(node: str, unit: int | None, variant: str = "x") -> Visualization:
    picture = encode(np.full((4, 4, 3), (unit or 0) + 1, np.uint8), "png")
    return Visualization(node, unit, job(variant).recipe, 1.0, picture)


def plan_for(
    path: Path,
    there: Sequence[Visualization] = (),
    variants: Sequence[str] = ("x",),
    batch: int | None = None,
    technique: Flat | None = None,
) -> Plan:
    technique = technique or Flat()
    with AtlasWriter.open(path, MODEL, NODES) as writer:
        writer.put(there)
        jobs = [(technique, job(v)) for v in variants]
        return make_plan(Plain(), writer, jobs, UNITS, batch)  # type: ignore[arg-type]


def keys(plan: Plan) -> list[tuple[str, str, int]]:
    return [
        (task.variant, node, unit)
        for task in plan.tasks
        for node, units in task.units.items()
        for unit in units or ()
    ]


_PLACES = st.sets(
    st.sampled_from([(v, n, u) for v in "xy" for n, us in UNITS.items() for u in us]), max_size=80
)


@settings(max_examples=25, deadline=None)
@given(there=_PLACES, batch=st.none() | st.integers(1, 50))
def test_exactly_what_is_missing_each_once(
    there: set[tuple[str, str, int]],
    batch: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("plan") / "plain.atlas"
    plan = plan_for(path, [stored(n, u, v) for v, n, u in there], "xyx", batch)
    everything = {(v, n, u) for v in "xy" for n, units in UNITS.items() for u in units}
    planned = keys(plan)
    assert len(planned) == len(set(planned)) == plan.total
    assert set(planned) == everything - there
    assert plan.there == len(there)
    sizes = {"a": 16, "b": 3, "c": 7} if batch is None else dict.fromkeys(UNITS, batch)
    assert all(
        1 <= len(units or ()) <= sizes[node]
        for task in plan.tasks
        for node, units in task.units.items()
    )


def test_a_few_of_every_node_come_first(tmp_path: Path) -> None:
    plan = plan_for(tmp_path / "plain.atlas", variants="xy", batch=8)
    planned = keys(plan)
    first = sum(min(FIRST, len(units)) for units in UNITS.values()) * 2
    assert {place[:2] for place in planned[:first]} == {(v, n) for v in "xy" for n in UNITS}
    assert all(unit < FIRST for *_, unit in planned[:first])
    assert all(unit >= FIRST for *_, unit in planned[first:])


def test_batches_are_of_nearly_equal_size(tmp_path: Path) -> None:
    plan = plan_for(tmp_path / "plain.atlas")
    sizes = [task.size for task in plan.tasks if "a" in task.units]
    assert sizes == [16, 12, 12]


def test_after_an_interruption_the_same_batches_follow(tmp_path: Path) -> None:
    whole = plan_for(tmp_path / "whole" / "plain.atlas", variants="xy", batch=6).tasks
    for k in (1, 4, len(whole) - 1):
        done = [
            stored(node, unit, task.variant)
            for task in whole[:k]
            for node, units in task.units.items()
            for unit in units or ()
        ]
        path = tmp_path / str(k) / "plain.atlas"
        assert plan_for(path, done, "xy", batch=6).tasks == whole[k:]


def test_a_technique_that_looks_at_nodes(tmp_path: Path) -> None:
    technique = Flat(level="node")
    plan = plan_for(tmp_path / "plain.atlas", [stored("b", None)], technique=technique)
    assert [task.units for task in plan.tasks] == [{"a": None}, {"c": None}]
    assert (plan.total, plan.there) == (2, 1)
