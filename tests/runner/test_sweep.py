"""Techniques that look at all nodes in one go, their samples, and options by technique."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_lens import install, lens_of
from torch import nn

from micrograph import Model, Preprocessing
from micrograph.atlas import Atlas
from micrograph.errors import BadInput, Conflict
from micrograph.lenses.engines.base import Job, Rendered, Sample, Source, Sweep, Technique
from micrograph.lenses.feature_vis.engine import ENGINE as FEATURE_VIS
from micrograph.lenses.params import Params, option
from micrograph.lenses.result import PlainResult
from micrograph.runner import render

TOWN = Source("town", "cd" * 32, "Town", 3, 32, "CC0", ("car", "bus"))


@dataclass(frozen=True, kw_only=True)
class LookerParams(Params, lens="looker"):
    dataset: str = option("town", "the variant")
    seed: int = option(0, "random seed")


@dataclass
class Looker(Sweep[LookerParams]):
    """Gives each wanted unit its number, and each node the number of units wanted of it."""

    lens = lens_of("looker", LookerParams)
    stops_after: int | None = None
    asked: list[dict[str, list[int]]] = field(default_factory=list)

    def plan(self, model: Model, params: LookerParams) -> list[Job]:
        return [Job(self.recipe(model, params.dataset, params.seed, dataset=params.dataset), TOWN)]

    def sweep(
        self,
        model: Model,
        targets: Mapping[str, Sequence[int]],
        job: Job,
        workspace: Path,
        on_step: Any = None,
    ) -> Iterator[Rendered | Sample]:
        self.asked.append({node: list(units) for node, units in targets.items()})
        workspace.mkdir(exist_ok=True)
        for number in range(3):
            image = np.full((32, 32, 3), 80 * number, np.uint8) if number else None
            yield Sample(job.context, number, f"{number}.png", number % 2, image)
            on_step(number + 1, 3)
        count = 0
        for node, units in targets.items():
            for unit in units:
                if count == self.stops_after:
                    raise KeyboardInterrupt
                yield Rendered(
                    node, unit, None, float(unit), 0.0, PlainResult(data={"top": [[1, 0, 0.5]]})
                )
                count += 1
            profile = np.zeros((len(units), 3), np.uint8)
            yield Rendered(
                node, None, None, float(len(units)), 0.0, PlainResult(kept={"profile": profile})
            )


@pytest.fixture
def model() -> Model:
    module = nn.Sequential(nn.Conv2d(3, 300, 3), nn.ReLU(), nn.Conv2d(300, 4, 3), nn.ReLU())
    return Model.of(module, id="small", preprocessing=Preprocessing(32, 32))


@pytest.fixture
def looker(monkeypatch: pytest.MonkeyPatch) -> Looker:
    looker = Looker()
    install(monkeypatch, looker)
    return looker


def test_a_sweep_is_no_ordinary_technique() -> None:
    assert isinstance(Looker(), Sweep)
    assert not isinstance(FEATURE_VIS, Sweep)
    ordinary: Technique[Any] = FEATURE_VIS
    assert ordinary.level == "unit"


def test_one_look_fills_all_nodes(model: Model, looker: Looker, tmp_path: Path) -> None:
    summary = render(model, tmp_path, technique=["looker"])
    assert looker.asked == [{"1": list(range(300)), "3": list(range(4))}]
    assert summary.rendered == 306
    atlas = Atlas.open(tmp_path / "small.atlas")
    found = atlas.results("3", "looker", "town")
    assert {unit: v.score for unit, v in found.items()} == {None: 4, 0: 0, 1: 1, 2: 2, 3: 3}
    assert atlas.arrays("3", None, "looker", "town")["profile"].shape == (4, 3)
    samples = atlas.samples(TOWN.digest, range(3))
    assert [s.picture is not None for s in samples.values()] == [False, True, True]
    assert [f.name for f in tmp_path.iterdir()] == ["small.atlas"]


def test_an_interrupted_sweep_goes_on_with_what_is_missing(
    model: Model, looker: Looker, tmp_path: Path
) -> None:
    looker.stops_after = 290
    first = render(model, tmp_path, technique=["looker"])
    assert first.interrupted
    assert any(f.name.endswith(".part") for f in tmp_path.iterdir()), "the work is kept"
    looker.stops_after = None
    second = render(model, tmp_path, technique=["looker"])
    assert not second.interrupted
    there = Atlas.open(tmp_path / "small.atlas").results("1", "looker", "town")
    assert there.keys() == {None, *range(300)}
    assert looker.asked[1]["3"] == [0, 1, 2, 3]
    assert [f.name for f in tmp_path.iterdir()] == ["small.atlas"]


def test_each_technique_gets_its_own_options(model: Model, looker: Looker, tmp_path: Path) -> None:
    summary = render(
        model,
        tmp_path,
        technique=["looker", "feature_vis"],
        nodes=["3"],
        units="0",
        dataset="country",
        preset="draft",
        steps=1,
        size=16,
    )
    assert summary.rendered == 3
    atlas = Atlas.open(tmp_path / "small.atlas")
    assert {v.variant for v in atlas.visualizations("3", 0)} == {"country", "channel"}


def test_an_option_that_no_technique_has_is_refused(
    model: Model, looker: Looker, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="no option 'stepps'; its options are: dataset, seed"):
        render(model, tmp_path, technique=["looker"], stepps=3)
    assert list(tmp_path.iterdir()) == []


def test_what_a_changed_dataset_left_unfinished_goes(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Changed(Looker):
        def sweep(self, *args: Any) -> Iterator[Rendered | Sample]:
            yield from super().sweep(*args)
            raise Conflict("a picture has changed")

    install(monkeypatch, Changed())
    with pytest.raises(Conflict, match="has changed"):
        render(model, tmp_path, technique=["looker"])
    assert [f.name for f in tmp_path.iterdir()] == ["small.atlas"]
