"""Batches do not depend on the memory that is free, so a render that is gone on with has the same
bits as one that was never interrupted."""

import sqlite3
from pathlib import Path

import pytest
import torch
from torch import nn

from micrograph import Model, Preprocessing
from micrograph.lenses.engines import presets
from micrograph.optimize import memory
from micrograph.runner import Summary, render
from micrograph.runner.executor import LocalExecutor
from micrograph.runner.progress import Silent

PLENTY, LITTLE = 1 << 40, 1 << 20


@pytest.fixture(scope="module")
def model() -> Model:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        module = nn.Sequential(nn.Conv2d(3, 40, 3, stride=2), nn.ReLU(), nn.Conv2d(40, 30, 3))
    return Model.of(module, id="small", preprocessing=Preprocessing(size=32, resize=32))


class Interrupting(Silent):
    """Ctrl-C when so many pictures are done."""

    def __init__(self, at: float) -> None:
        self.at = at

    def update(self, done: float, doing: str) -> None:
        if done > self.at:
            raise KeyboardInterrupt


def with_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda device: free)


def pictures(folder: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / "small.atlas")
    try:
        return connection.execute(
            "SELECT v.node, v.unit, v.recipe, v.score, p.digest FROM visualization v "
            "JOIN picture p ON p.id = v.picture ORDER BY 1, 2, 3"
        ).fetchall()
    finally:
        connection.close()


def test_interrupted_and_gone_on_with_other_memory_gives_the_same_bits(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[int, ...]] = []
    run = LocalExecutor.run

    def noted(self, tasks, on_step=None):
        sizes.append(tuple(task.size for task in tasks))
        return run(self, tasks, on_step)

    monkeypatch.setattr(LocalExecutor, "run", noted)
    monkeypatch.setattr(presets, "fast_precision", lambda device: "fp32")  # bits follow the batch

    def once(folder: Path, progress: Silent | None = None) -> Summary:
        return render(
            model, folder, progress=progress, size=32, steps=8, repeats=2, image_format="png"
        )

    with_free(monkeypatch, PLENTY)
    assert once(tmp_path / "whole").rendered == 2 * 70
    broken = once(tmp_path / "broken", Interrupting(50))
    assert broken.interrupted
    assert 0 < broken.rendered < 70
    with_free(monkeypatch, LITTLE)
    assert memory.batch_size(model, "2", 32) == 1, "by itself it would make other batches"
    rest = once(tmp_path / "broken")
    assert rest.rendered + rest.there == 2 * 70
    whole, _, after = sizes
    assert max(whole) > 1
    assert after == whole[-len(after) :]
    assert pictures(tmp_path / "broken") == pictures(tmp_path / "whole")


def test_one_name_is_no_list_of_letters(model: Model, tmp_path: Path) -> None:
    summary = render(model, tmp_path, technique="feature_vis", nodes="1", units="0", steps=1)
    assert summary.rendered == 1
    assert {node for node, *_ in pictures(tmp_path)} == {list(model.nodes).index("1") + 1}, (
        "node 1 only"
    )
    again = render(model, tmp_path, technique=["feature_vis"], nodes=("1",), units="0", steps=1)
    assert (again.rendered, again.there) == (0, 1)
