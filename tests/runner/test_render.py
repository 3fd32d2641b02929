"""Rendering a small real network into an atlas."""

import dataclasses
import io
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from own_lens import install, lens_of
from PIL import Image
from torch import nn

from micrograph.atlas import Atlas, AtlasWriter, rows
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, Conflict, MicrographError, NotFound, Unavailable
from micrograph.lenses.engines.base import BatchEngine, Rendered
from micrograph.lenses.feature_vis import engine
from micrograph.lenses.feature_vis.engine import ENGINE as FEATURE_VIS
from micrograph.lenses.params import Optimized
from micrograph.lenses.result import PlainResult
from micrograph.models.model import Model
from micrograph.optimize import optimize
from micrograph.runner import Summary, render
from micrograph.runner.describe import model_record, node_records

QUICK = {"size": 16, "steps": 2, "image_format": "png"}


@pytest.fixture(scope="module")
def model() -> Model:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        module = nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 9, 3), nn.ReLU()
        )
    return Model.of(module, id="small", preprocessing=Preprocessing(size=24, resize=24))


class Heard:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.started: tuple[int, int, str] | None = None
        self.done: list[float] = []
        self.finished = 0

    def start(self, total: int, there: int, where: str) -> None:
        self.started = (total, there, where)

    def update(self, done: float, doing: str) -> None:
        self.done.append(done)

    def finish(self) -> None:
        self.finished += 1


def there(path: Path, variant: str = "channel") -> dict[str, list[int]]:
    atlas = Atlas.open(path)
    tiles = {node: atlas.tiles(node, "feature_vis", variant) for node in atlas.nodes}
    return {node: [t.unit for t in found] for node, found in tiles.items() if found}


def test_progress_never_goes_back_when_a_batch_is_halved(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory runs out in the third of four steps while more than two units are done together."""
    began: list[int] = []

    def short_of_memory(model: Model, target: Any, *args: Any, **options: Any) -> Any:
        began.append(target.samples)
        hook = options.pop("on_step")

        def on_step(step: int, steps: int) -> None:
            hook(step, steps)
            if step == 3 and target.samples > 2:
                raise MemoryError

        return optimize(model, target, *args, on_step=on_step, **options)

    monkeypatch.setattr(engine, "optimize", short_of_memory)
    heard = Heard()
    render(model, tmp_path, progress=heard, batch=6, nodes=["1"], **{**QUICK, "steps": 4})
    assert began == [6, 3, 1, 2, 3, 1, 2]
    assert heard.done == sorted(heard.done)
    assert 4.5 in heard.done, "three of four steps of six units"
    assert heard.done[-1] == 6
    assert there(tmp_path / "small.atlas") == {"1": list(range(6))}


def test_everything_worth_seeing_and_a_second_time_nothing(model: Model, tmp_path: Path) -> None:
    heard = Heard()
    summary = render(model, tmp_path, progress=heard, batch=4, **QUICK)
    path = tmp_path / "small.atlas"
    assert (summary.rendered, summary.there, summary.path) == (15, 0, path)
    assert there(path) == {"1": list(range(6)), "4": list(range(9))}
    assert [f.name for f in tmp_path.iterdir()] == ["small.atlas"]
    assert heard.started == (15, 0, str(path))
    assert heard.done == sorted(heard.done)
    assert heard.done[-1] == 15
    assert heard.finished == 1

    before = path.read_bytes()
    again = render(model, tmp_path, **QUICK)
    assert (again.rendered, again.there) == (0, 15)
    after = path.read_bytes()
    assert len(after) == len(before)


def test_what_is_stored_says_how_it_was_made(model: Model, tmp_path: Path) -> None:
    summary = render(model, tmp_path, nodes=["1"], units="2", seed=5, **QUICK)
    atlas = Atlas.open(summary.path)
    assert rows.model_row(atlas.model) == rows.model_row(model_record(model))
    assert list(atlas.nodes.values()) == node_records(model)
    (v,) = atlas.visualizations("1", 2)
    (job,) = FEATURE_VIS.jobs(model, seed=5, size=16, steps=2)
    assert v.recipe == {**job.recipe, "transforms": v.recipe["transforms"]}
    assert (v.seed, v.technique, v.variant) == (5, "feature_vis", "channel")
    assert v.made_with["torch"] == torch.__version__
    assert v.made_with["device"] == "cpu"
    assert v.seconds > 0
    (expected,) = FEATURE_VIS.run(model, "1", [2], job)
    assert v.score == pytest.approx(expected.score, rel=1e-3)
    picture = atlas.picture(v.picture.digest)
    assert picture is not None
    image = np.asarray(Image.open(io.BytesIO(picture.data)))
    assert np.abs(image.astype(int) - expected.image).max() <= 2


def test_more_of_the_same_model_joins_the_atlas(model: Model, tmp_path: Path) -> None:
    render(model, tmp_path, nodes=["1"], units="0-1", **QUICK)
    summary = render(
        model,
        tmp_path,
        nodes=["1"],
        units="1-3",
        variants=("channel", "neuron-negative"),
        repeats=2,
        **QUICK,
    )
    assert (summary.rendered, summary.there) == (2 * 2 * 3 - 1, 1)
    assert there(summary.path) == {"1": [0, 1, 2, 3]}
    assert there(summary.path, "neuron-negative") == {"1": [1, 2, 3]}
    assert len(Atlas.open(summary.path).visualizations("1", 1)) == 4


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"nodes": ["17"]}, NotFound),
        ({"nodes": ["x*"]}, NotFound),
        ({"units": "0-99"}, BadInput),
        ({"units": "none"}, BadInput),
        ({"technique": ["dreams"]}, NotFound),
        ({"variants": ("channels",)}, NotFound),
        ({"batch": 0}, BadInput),
        ({"batch": "many"}, BadInput),
        ({"size": -3}, BadInput),
        ({"steps": 0}, BadInput),
        ({"image_format": "gif"}, BadInput),
        ({"quality": 400}, BadInput),
    ],
)
def test_bad_input_is_told_before_anything_is_written(
    model: Model, tmp_path: Path, options: dict[str, Any], error: type[MicrographError]
) -> None:
    with pytest.raises(error):
        render(model, tmp_path / "new", **{**QUICK, **options})
    assert list(tmp_path.iterdir()) == []


def test_other_weights_under_the_same_name(model: Model, tmp_path: Path) -> None:
    render(model, tmp_path, nodes=["1"], units="0", **QUICK)
    other = Model(model.card, model.module, "f" * 64)
    with pytest.raises(Conflict, match="weights"):
        render(other, tmp_path, nodes=["1"], **QUICK)
    assert there(tmp_path / "small.atlas") == {"1": [0]}


def test_two_renders_at_once(model: Model, tmp_path: Path) -> None:
    records = node_records(model)
    with (
        AtlasWriter.open(tmp_path / "small.atlas", model_record(model), records),
        pytest.raises(Conflict, match="another process"),
    ):
        render(model, tmp_path, **QUICK)


class Interrupting(Heard):
    """Presses Ctrl-C when so many pictures are done."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self.at = at

    def update(self, done: float, doing: str) -> None:
        super().update(done, doing)
        if done > self.at:
            self.at = 1e9
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals need the main thread"
)
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(
    model: Model, tmp_path: Path
) -> None:
    heard = Interrupting(7)
    broken = render(model, tmp_path, batch=3, progress=heard, **QUICK)
    assert broken.interrupted
    assert "goes on from here" in str(broken)
    assert broken.rendered == 6
    assert heard.finished == 1
    assert [f.name for f in tmp_path.iterdir()] == ["small.atlas"]
    rest = render(model, tmp_path, batch=3, **QUICK)
    assert (rest.rendered, rest.there, rest.interrupted) == (9, 6, False)


class OddParams(Optimized, lens="odd"):
    """Those of every lens that optimizes."""


@dataclasses.dataclass(frozen=True)
class Odd(BatchEngine[OddParams]):
    """Feature visualization under another name, with something going wrong."""

    lens = lens_of("odd", OddParams)
    nan_units: tuple[int, ...] = ()
    infinite_data: tuple[int, ...] = ()
    breaks_at: int = -1

    def plan(self, model: Model, params: OddParams) -> list[Any]:
        jobs = FEATURE_VIS.jobs(model, **params.to_json())
        return [dataclasses.replace(j, recipe={**j.recipe, "technique": "odd"}) for j in jobs]

    def batch_size(self, model: Model, node: str, job: Any) -> int:
        return 2

    def run(
        self, model: Model, node: str, units: Sequence[int], job: Any, on_step: Any = None
    ) -> Iterator[Rendered]:
        for unit in units:
            if unit == self.breaks_at:
                raise RuntimeError("the network broke")
            score = float("nan") if unit in self.nan_units else 1.0
            picture = np.full((8, 8, 3), unit, np.uint8)
            data = {"company": [[0, float("inf") if unit in self.infinite_data else 1.0]]}
            yield Rendered(node, unit, picture, score, 0.1, PlainResult(data=data))


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda **faults: install(monkeypatch, Odd(**faults))


def test_a_picture_that_diverged_is_left_out_and_named(
    model: Model, tmp_path: Path, odd: Any
) -> None:
    odd(nan_units=(2, 3), infinite_data=(4,))
    summary = render(model, tmp_path, technique=["odd"], nodes=["1"], **QUICK)
    assert (summary.rendered, summary.skipped) == (3, ("1/2", "1/3", "1/4"))
    assert "3 came out without finite numbers" in str(summary)
    odd()
    assert render(model, tmp_path, technique=["odd"], nodes=["1"], **QUICK).rendered == 3


def test_an_error_in_a_technique_keeps_the_batches_before(
    model: Model, tmp_path: Path, odd: Any
) -> None:
    odd(breaks_at=5)
    heard = Heard()
    some = render(model, tmp_path, technique=["odd"], nodes=["1"], progress=heard, **QUICK)
    assert heard.finished == 1
    assert (some.rendered, list(some.failed)) == (4, ["1"])
    assert "1 node could not be rendered (1: RuntimeError: the network broke)" in str(some)
    assert [f.name for f in tmp_path.iterdir()] == ["small.atlas"]
    odd()
    rest = render(model, tmp_path, technique=["odd"], nodes=["1"], **QUICK)
    assert (rest.rendered, rest.there) == (2, 4)


def test_one_node_that_breaks_costs_no_other(model: Model, tmp_path: Path, odd: Any) -> None:
    odd(breaks_at=7)  # which node 1 does not have
    done = render(model, tmp_path, technique=["odd"], nodes=["1", "4"], batch=1, **QUICK)
    assert (done.rendered, list(done.failed)) == (6 + 7, ["4"])


def test_where_nothing_is_made_the_reason_is_raised_in_one_line(
    model: Model, tmp_path: Path, odd: Any
) -> None:
    odd(breaks_at=0)
    with pytest.raises(MicrographError, match=r"^RuntimeError: the network broke$"):
        render(model, tmp_path, technique=["odd"], nodes=["1", "4"], **QUICK)


def test_a_disk_that_fills_up_ends_the_render_with_one_line(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer's own error, on its way from the saving thread."""
    put = AtlasWriter.put

    def full(self: AtlasWriter, visualizations: Any) -> int:
        listed = list(visualizations)
        if listed[0].node == "4":
            self._connection.execute("PRAGMA max_page_count = 1")
        return put(self, listed)

    monkeypatch.setattr(AtlasWriter, "put", full)
    options = {**QUICK, "size": 256}
    with pytest.raises(Unavailable, match="disk is full"):
        render(model, tmp_path, batch=2, **options)
    monkeypatch.undo()
    assert [f.name for f in tmp_path.iterdir()] == ["small.atlas"]
    stored = there(tmp_path / "small.atlas")
    assert stored["1"] == list(range(6))
    rest = render(model, tmp_path, batch=2, **options)
    assert rest.rendered + rest.there == 15
    assert rest.there >= 6


def test_summary_in_words() -> None:
    line = str(Summary(120, 30, 60.0, Path("a.atlas")))
    assert line == "120 results in 60 s (2.00/s); 30 were there already: a.atlas"
    assert str(Summary(1, 0, 2.0, Path("a.atlas"))) == "1 result in 2 s (0.50/s): a.atlas"
    assert Summary(0, 5, 0.0, Path("a.atlas")).rate == 0.0
